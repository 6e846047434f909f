"""What others may know of payments: where their events are published, and which queues have to have them."""

from app.contexts.funds.public import EVENTS

__all__ = ["EVENTS"]
