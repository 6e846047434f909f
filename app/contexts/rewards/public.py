"""All that other contexts may know of rewards: what they publish."""

from typing import Final

from app.kernel.topology import Exchange, Queue

EVENTS: Final = Exchange(
    "rewards.events",
    (
        Queue("mint.queue", "mint.dlq", ("mint.requested",)),
        Queue("audit.queue", "audit.dlq", ("cashback.*", "mint.requested")),
    ),
)
"""Where they tell of cashback, and ask for it to be minted."""
