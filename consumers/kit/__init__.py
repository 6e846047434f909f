"""What a consumer is made of: `consume(…)` runs one of your own.

It takes care of connections, a queue with its dead letters, batches, retries, the order of a payment's events, effects
that happen once, and a graceful end. `docs/consumers.md` says how to use it.
"""

from app.platform.messaging.inbox import Connection, Effect
from app.platform.messaging.received_events import Event, Malformed
from consumers.kit.process import consume

__all__ = ["Connection", "Effect", "Event", "Malformed", "consume"]
