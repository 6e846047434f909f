"""A payment's story: what one transaction has written at one time stands in the order of cause and effect."""

from collections.abc import Collection
from datetime import timedelta
from uuid import UUID, uuid4

from app.contexts.payments.application.history import tell
from app.contexts.payments.application.records import Booked, KeyState, Leg
from app.contexts.payments.domain.outcome import Declined
from app.platform.operations.trail import Told, WrittenEvent
from tests.builders import NOON, payment

LATER = NOON + timedelta(milliseconds=40)


class Records:
    """A payment that was declined: the refund and its answer are of the transaction that made it final."""

    async def payment(self, payment_id: UUID) -> Booked | None:
        declined = payment().settle(Declined("DO_NOT_HONOR"), LATER)
        legs = [
            Leg(uuid4(), "PAYMENT", "wallet", -10, 0, NOON),
            Leg(uuid4(), "REFUND", "wallet", 10, 10, LATER),
        ]
        events = [
            WrittenEvent(uuid4(), kind, nth, at, None, 0, None, None)
            for nth, (kind, at) in enumerate([("payment.created", NOON), ("payment.failed", LATER)], 1)
        ]
        return Booked(declined, None, None, LATER, legs, KeyState(NOON, LATER, 201), events)


class NoTrail:
    """Nothing is audited."""

    async def told(self, payment_id: UUID, event_ids: Collection[UUID]) -> Told:
        return Told((), ())


async def test_the_gateways_word_stands_before_the_refund_that_it_brought() -> None:
    story = await tell(Records(), NoTrail(), uuid4(), 15, 24)
    assert [moment.source for moment in story.moments] == [
        "request", "ledger", "outbox", "gateway", "ledger", "key", "outbox",
    ]  # fmt: skip
    assert story.moments[4].what.startswith("REFUND")
