"""All that others may know of identity: where its events are published, which no queue of ours has to have."""

from typing import Final

from app.kernel.topology import Exchange

EVENTS: Final = Exchange("identity.events", ())
