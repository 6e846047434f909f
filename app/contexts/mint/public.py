"""All that other contexts may know of minting: what it publishes."""

from typing import Final

from app.kernel.topology import Exchange, Queue

EVENTS: Final = Exchange(
    "mint.events",
    (
        # It also listens to others, who must not wait for it: so it yields.
        Queue("rewards.queue", "rewards.dlq", ("mint.*",), yields=True),
        Queue("audit.queue", "audit.dlq", ("mint.*",)),
    ),
)
"""Where it tells what became of requests, and which queues have to have it."""
