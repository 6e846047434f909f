"""The gateway's record against the books, pair by pair."""

from collections.abc import AsyncIterator, Sequence
from typing import Any
from uuid import UUID

import pytest

from app.contexts.payments.application.charges_match_payments import BookedPayment, Charge, ChargesMatchPayments


def charge(nth: int, status: str = "APPROVED", **members: Any) -> Charge:
    return Charge(UUID(int=nth), status, 10, "USD", 1)._replace(**members)


def booked(nth: int, status: str = "APPROVED", is_due: bool = True) -> BookedPayment:
    return BookedPayment(UUID(int=nth), status, 10, "USD", is_due)


async def offenders(payments: Sequence[BookedPayment], charges: Sequence[Charge]) -> list[str]:
    async def all_payments() -> AsyncIterator[BookedPayment]:
        for payment in payments:
            yield payment

    return [line async for line in ChargesMatchPayments(lambda: iter(charges), all_payments).offenders()]


async def test_what_matches_holds() -> None:
    pending = booked(6, "PENDING", is_due=False)
    payments = [booked(2), booked(3, "DECLINED"), booked(4, "FAILED"), booked(5, "FAILED"), pending]
    held = [(1, "VOIDED"), (2, "APPROVED"), (3, "DECLINED"), (4, "VOIDED"), (6, "APPROVED"), (7, "VOIDED")]
    charges = [charge(nth, status) for nth, status in held]
    assert await offenders(payments, charges) == []


@pytest.mark.parametrize(
    ("payment", "of_it", "why"),
    [
        (booked(2), None, "no charge of it stands"),
        (booked(2), charge(2, "VOIDED"), "no charge of it stands"),
        (booked(2), charge(2, "DECLINED"), "no charge of it stands"),
        (booked(2), charge(2, amount=11), "is APPROVED with 10 USD, charged 11 USD"),
        (booked(2), charge(2, currency="EUR"), "is APPROVED with 10 USD, charged 10 EUR"),
        (booked(2), charge(2, charges_made=2), "it was charged 2 times"),
        (booked(2, "PENDING", is_due=False), charge(2, charges_made=2), "it was charged 2 times"),
        (booked(2, "DECLINED"), charge(2), "is DECLINED, its charge stands"),
        (booked(2, "FAILED"), charge(2), "is FAILED, its charge stands"),
    ],
)
async def test_a_contradiction_is_named(payment: BookedPayment, of_it: Charge | None, why: str) -> None:
    """Alone, first, last, and among others."""
    own = [] if of_it is None else [of_it]
    for before, after in (([], []), ([1], []), ([], [3]), ([1], [3])):
        payments = [*map(booked, before), payment, *map(booked, after)]
        (line,) = await offenders(payments, [*map(charge, before), *own, *map(charge, after)])
        assert str(payment.payment_id) in line
        assert why in line


async def test_a_charge_without_a_payment_is_named_wherever_it_stands() -> None:
    found = await offenders([booked(2), booked(4)], [charge(nth) for nth in (1, 2, 3, 4, 5, 6)])
    assert [line.split()[7].strip(",") for line in found] == [str(UUID(int=nth)) for nth in (1, 3, 5, 6)]
    assert await offenders([], [charge(1)]) != []


@pytest.mark.parametrize("status", ["APPROVED", "DECLINED", "FAILED"])
@pytest.mark.parametrize("of_it", [[], [charge(2)], [charge(2, "VOIDED")]])
async def test_what_was_settled_since_the_record_was_read_is_not_held_against_it(
    status: str, of_it: list[Charge]
) -> None:
    assert await offenders([booked(2, status, is_due=False)], of_it) == []
