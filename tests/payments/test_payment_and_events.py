"""The payment's state machine, what the world is told of it, and what refusals say."""

from datetime import timedelta

import pytest

from app.contexts.funds.domain.refusals import (
    BalanceLimit,
    InsufficientFunds,
    ReferenceReused,
    UserNotFound,
    WalletNotFound,
)
from app.contexts.payments.domain import events
from app.contexts.payments.domain.outcome import Approved, Declined, FailureCode, NotSent, Outcome, Voided
from app.contexts.payments.domain.payment import NotSettled, Payment, Status
from app.contexts.payments.domain.refusals import GatewayUnavailable, KeyInProgress, ProviderNotFound
from app.kernel.ids import EventId
from app.kernel.refusals import Refusal
from app.platform.idempotency.refusals import KeyReused
from tests.builders import NOON, USD, payment

VOIDED = Voided(FailureCode.GATEWAY_ERROR)
EVENT = EventId(payment().id)

OUTCOMES: list[tuple[Outcome, Status, str | None]] = [
    (Approved(), Status.APPROVED, None),
    (Declined("NO"), Status.DECLINED, "NO"),
    (VOIDED, Status.FAILED, "GATEWAY_ERROR"),
    (NotSent(FailureCode.DEADLINE_EXCEEDED), Status.FAILED, "DEADLINE_EXCEEDED"),
]


@pytest.mark.parametrize(("outcome", "status", "code"), OUTCOMES)
def test_a_pending_payment_becomes_final(outcome: Outcome, status: Status, code: str | None) -> None:
    final = payment().settle(outcome, NOON)
    assert (final.status, final.failure_code, final.finalized_at, final.is_final) == (status, code, NOON, True)


def test_a_payment_is_never_final_before_it_was_made() -> None:
    """Whatever the clock says."""
    made = payment()
    assert made.settle(Approved(), made.created_at - timedelta(hours=1)).finalized_at == made.created_at


@pytest.mark.parametrize("first", [outcome for outcome, _, _ in OUTCOMES])
@pytest.mark.parametrize("second", [outcome for outcome, _, _ in OUTCOMES])
def test_a_final_payment_stays_as_it_is(first: Outcome, second: Outcome) -> None:
    final = payment().settle(first, NOON)
    with pytest.raises(NotSettled):
        final.settle(second, NOON)
    with pytest.raises(NotSettled):
        final.mark_for_void(NOON)


@pytest.mark.parametrize(
    ("outcome", "counts"), [(Approved(), False), (NotSent(VOIDED.why), False), (VOIDED, True), (Declined("NO"), True)]
)
def test_against_the_mark_only_a_confirmed_void_or_a_decline_counts(outcome: Outcome, counts: bool) -> None:
    marked = payment().mark_for_void(NOON)
    assert marked.mark_for_void(NOON) is marked
    if counts:
        assert marked.settle(outcome, NOON).is_final
    else:
        with pytest.raises(NotSettled):
            marked.settle(outcome, NOON)


@pytest.mark.parametrize(
    ("final", "type_"),
    [
        (payment().settle(Approved(), NOON), events.EventType.COMPLETED),
        (payment().settle(Declined("NO"), NOON), events.EventType.FAILED),
        (payment().settle(VOIDED, NOON), events.EventType.FAILED),
    ],
)
def test_a_final_payment_is_told_as_completed_or_failed(final: Payment, type_: events.EventType) -> None:
    told = events.settled(final, EVENT)
    assert (told.type, told.sequence, told.occurred_at) == (type_, 2, NOON)


def test_events_are_numbered_from_created_to_refunded() -> None:
    pending = payment()
    assert events.created(pending, EVENT).sequence == 1
    assert events.refunded(pending, pending.transaction_id, EVENT, NOON).sequence == 3
    with pytest.raises(ValueError, match="is not final"):
        events.settled(pending, EVENT)


@pytest.mark.parametrize(
    ("refusal", "code", "says"),
    [
        (UserNotFound(), "NOT_FOUND", "user"),
        (WalletNotFound(USD), "NOT_FOUND", "USD"),
        (ProviderNotFound(), "NOT_FOUND", "provider"),
        (InsufficientFunds(USD, 1, 2), "INSUFFICIENT_FUNDS", "new Idempotency-Key"),
        (KeyInProgress(payment().id), "IDEMPOTENCY_IN_PROGRESS", "same key"),
        (KeyReused(), "IDEMPOTENCY_KEY_REUSED", "another request"),
        (GatewayUnavailable(3), "GATEWAY_UNAVAILABLE", "nothing was charged"),
        (BalanceLimit(), "BALANCE_LIMIT", "2^63-1"),
        (ReferenceReused(7), "REFERENCE_REUSED", "7"),
    ],
)
def test_a_refusal_has_a_stable_code_and_says_why(refusal: Refusal, code: str, says: str) -> None:
    assert refusal.code == code
    assert says in str(refusal)
