"""All that other contexts may know of webhooks: where what is told of business with the outside is published."""

from typing import Final

from app.kernel.topology import Exchange

EVENTS: Final = Exchange("business.events", ())
"""Where they tell that an endpoint was disabled; no queue of ours has to have it."""
