"""Which ways an order goes, and which are refused."""

from collections.abc import Callable
from datetime import timedelta
from typing import Final
from uuid import UUID

import pytest

from app.contexts.funds.public import HoldId
from app.contexts.ordering.domain.order import Closing, Order, OrderStatus
from app.contexts.ordering.domain.refusals import OrderState
from tests.builders import NOON, user_id
from tests.ordering.orders import order

LATER: Final = NOON + timedelta(hours=1)
HOLD: Final = HoldId(UUID(int=9))
SELLER: Final = user_id()

PENDING: Final = order(seller_id=SELLER)
PAID: Final = PENDING.pay(HOLD, 25, LATER)
SHIPPING: Final = PAID.begin(Closing.SHIP, SELLER, LATER, tracking="1Z")
CANCELLING: Final = PAID.begin(Closing.CANCEL, None, LATER, reason="too late")
SHIPPED: Final = SHIPPING.ship(LATER)
COMPLETED: Final = SHIPPED.complete(LATER)
CANCELLED: Final = CANCELLING.cancel(LATER)
STAGES: Final = {
    "pending": PENDING,
    "paid": PAID,
    "shipping": SHIPPING,
    "cancelling": CANCELLING,
    "shipped": SHIPPED,
    "completed": COMPLETED,
    "cancelled": CANCELLED,
}
STEPS: Final[dict[str, tuple[Callable[[Order], Order], set[str]]]] = {
    "pay": (lambda stage: stage.pay(HOLD, 25, LATER), {"pending"}),
    "begin to ship": (lambda stage: stage.begin(Closing.SHIP, SELLER, LATER), {"paid"}),
    "begin to cancel": (lambda stage: stage.begin(Closing.CANCEL, None, LATER), {"paid"}),
    "ship": (lambda stage: stage.ship(LATER), {"shipping"}),
    "cancel": (lambda stage: stage.cancel(LATER), {"pending", "cancelling"}),
    "complete": (lambda stage: stage.complete(LATER), {"shipped"}),
}


@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize("step", STEPS)
def test_each_step_is_taken_from_where_it_may_be_and_refused_elsewhere(step: str, stage: str) -> None:
    take, allowed = STEPS[step]
    if stage in allowed:
        assert take(STAGES[stage]).updated_at == LATER
        return
    with pytest.raises(OrderState) as refused:
        take(STAGES[stage])
    assert refused.value.status == STAGES[stage].status


def test_what_was_said_on_the_way_is_kept() -> None:
    assert (PAID.hold_id, PAID.paid_at) == (HOLD, LATER)
    assert (SHIPPED.tracking, SHIPPED.shipped_at, SHIPPED.closing) == ("1Z", LATER, None)
    assert (CANCELLED.reason, CANCELLED.closing, CANCELLED.status) == ("too late", None, OrderStatus.CANCELLED)
    assert SHIPPING.status is CANCELLING.status is OrderStatus.PAID
    assert (SHIPPING.closing_by, CANCELLING.closing_by) == (SELLER, None)


def test_what_was_said_of_shipping_outlives_an_undoing_but_no_other_end() -> None:
    undone = SHIPPING.undo(LATER)
    assert (undone.closing, undone.tracking, undone.is_shipped) == (None, "1Z", False)
    assert undone.begin(Closing.SHIP, SELLER, LATER).tracking is None
    cancelling = undone.begin(Closing.CANCEL, None, LATER, reason="too late")
    assert (cancelling.tracking, cancelling.reason) == ("1Z", "too late")
    assert (cancelling.cancel(LATER).tracking, cancelling.cancel(LATER).reason) == (None, "too late")


def test_what_a_house_buys_leaves_something_for_its_seller() -> None:
    own = order(buyer_id=SELLER, house_user_id=SELLER, total_minor=100)
    assert [own.pay(HOLD, fee, LATER).fee_minor for fee in (0, 10, 99, 100)] == [0, 10, 99, 99]
    assert order(total_minor=100).pay(HOLD, 100, LATER).fee_minor == 100


def test_it_is_its_buyers_and_its_sellers() -> None:
    assert PAID.concerns(PAID.buyer_id)
    assert PAID.concerns(PAID.seller_id)
    assert not PAID.concerns(PAID.house_user_id)
