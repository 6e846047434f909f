"""What an owner could do to refunds, by the check of `strongbox verify` that names it; and the gateway's record."""

from collections.abc import AsyncIterator, Iterator, Sequence
from typing import Any
from uuid import UUID

import psycopg
import pytest

from app.contexts.payments.adapters.postgres.refund_invariants import QUERIES
from app.contexts.payments.application.refunds_match_refunds import BookedRefund, GatewayRefund, RefundsMatchRefunds
from tests.payments.refunding import Counter

ALL = {name: query for name, _, query in QUERIES}
RETENTION = {"retention_h": 24.0}
_OF_KEYS = "UPDATE v1_idempotency_keys SET response_body = convert_to(replace(convert_from(response_body, 'UTF8'), {})"
DONE, REFUSED, WAITING = (f"status = '{status}'" for status in ("COMPLETED", "REFUSED", "PENDING"))
LAX = """
    ALTER TABLE payments.refunds DROP CONSTRAINT refunds_status, DROP CONSTRAINT refunds_final,
        DROP CONSTRAINT refunds_refused, DROP CONSTRAINT refunds_of_a_payment_fkey, DROP CONSTRAINT refunds_pkey;
    DROP INDEX transactions_once_per_payment;
    ALTER TABLE payments DROP CONSTRAINT payments_status;
    ALTER TABLE ledger_entries DROP CONSTRAINT ledger_entries_transaction_fkey;
"""

TAMPERINGS = {
    "refunds_fit_their_payments": [
        f"UPDATE payments.refunds SET amount = 1001 WHERE {DONE}",
        f"UPDATE payments.refunds SET amount = 701 WHERE {WAITING}",
        f"UPDATE payments.refunds SET currency = 'EUR' WHERE {DONE}",
        f"UPDATE payments.refunds SET payment_id = gen_random_uuid() WHERE {DONE}",
        f"UPDATE payments.refunds SET status = 'LOST' WHERE {DONE}",
        f"UPDATE payments.refunds SET finalized_at = now() WHERE {WAITING}",
        f"UPDATE payments.refunds SET finalized_at = NULL WHERE {DONE}",
        f"UPDATE payments.refunds SET finalized_at = created_at - interval '1 us' WHERE {DONE}",
        f"UPDATE payments.refunds SET finalized_at = 'infinity' WHERE {REFUSED}",
        f"UPDATE payments.refunds SET created_at = created_at - interval '1 h' WHERE {WAITING}",
        "UPDATE payments SET status = 'DECLINED'",
    ],
    "refunds_match_their_transactions": [
        "DELETE FROM transactions WHERE kind = 'MERCHANT_REFUND'",
        "UPDATE transactions SET amount = amount + 1 WHERE kind = 'MERCHANT_REFUND'",
        "UPDATE transactions SET id = gen_random_uuid() WHERE kind = 'MERCHANT_REFUND'",
        f"UPDATE payments.refunds SET status = 'REFUSED' WHERE {DONE}",
        f"UPDATE payments.refunds SET status = 'COMPLETED' WHERE {REFUSED}",
        f"UPDATE payments.refunds SET status = 'COMPLETED', finalized_at = now() WHERE {WAITING}",
        "INSERT INTO transactions (user_id, id, kind, payment_id, amount, currency, status, created_at)"
        f" SELECT user_id, id, 'MERCHANT_REFUND', payment_id, amount, currency, 'COMPLETED', now()"
        f" FROM payments.refunds WHERE {WAITING}",
    ],
    "keys_match_their_refunds": [
        f"DELETE FROM v1_idempotency_keys WHERE made_id IN (SELECT id FROM payments.refunds WHERE {WAITING})",
        f"UPDATE payments.refunds SET status = 'REFUSED', finalized_at = now() WHERE {WAITING}",
        f"UPDATE payments.refunds SET status = 'PENDING', finalized_at = NULL WHERE {DONE}",
        f"UPDATE payments.refunds SET amount = amount - 1 WHERE {DONE}",
        f"UPDATE payments.refunds SET reason = 'another' WHERE {DONE}",
        f"UPDATE payments.refunds SET failure_code = 'another' WHERE {REFUSED}",
        f"""{_OF_KEYS.format("'COMPLETED', 'REFUSED'")}, 'UTF8')""",
        "UPDATE v1_idempotency_keys SET response_status = 200 WHERE response_status = 201",
        f"""{_OF_KEYS.format("'transaction_id', 'refund_id'")}, 'UTF8')""",
        "UPDATE payments SET asked_by = gen_random_uuid()",
    ],
    "refunds_match_their_events": [
        "DELETE FROM payments.outbox_events WHERE type = 'refund.completed'",
        "DELETE FROM payments.outbox_events WHERE type = 'refund.requested'",
        "UPDATE payments.outbox_events SET type = 'refund.completed' WHERE type = 'refund.refused'",
        "UPDATE payments.outbox_events SET payload = '{}' WHERE type = 'refund.refused'",
        "UPDATE payments.outbox_events SET tenant_id = gen_random_uuid() WHERE type = 'refund.completed'",
        "UPDATE payments.outbox_events SET subject = gen_random_uuid() WHERE type = 'refund.requested'",
        f"UPDATE payments.refunds SET amount = amount + 1 WHERE {DONE}",
        f"UPDATE payments.refunds SET status = 'REFUSED' WHERE {DONE}",
    ],
}  # fmt: skip


@pytest.fixture(scope="module")
def books(opened_counter: Counter) -> Counter:
    """With a refund that was completed, one that was refused, and one that is pending, of one payment."""
    counter = opened_counter
    payment = counter.paid(counter.customer(), 1_000)
    assert counter.refunded(payment, amount=300, reason='so "it" is')["status"] == "COMPLETED"
    counter.mode("declined", applies_to="refund")
    assert counter.refunded(payment, amount=200)["status"] == "REFUSED"
    counter.mode("500", applies_to="refund")
    assert counter.refund(payment, amount=100).status_code == 502
    counter.mode("happy")
    return counter


def offenders(connection: psycopg.Connection, check: str) -> list[Any]:
    return connection.execute(ALL[check].encode(), RETENTION if "%(" in ALL[check] else None).fetchall()


@pytest.mark.parametrize("check", TAMPERINGS)
def test_what_is_right_holds(books: Counter, check: str) -> None:
    with psycopg.connect(books.superuser_url) as superuser:
        assert offenders(superuser, check) == []


@pytest.mark.parametrize(
    ("check", "tampering"), [(check, tampering) for check, each in TAMPERINGS.items() for tampering in each]
)
def test_tampering_is_named(books: Counter, check: str, tampering: str) -> None:
    with psycopg.connect(books.superuser_url) as superuser:
        superuser.execute("SET CONSTRAINTS ALL IMMEDIATE")
        superuser.execute(LAX.encode())
        assert superuser.execute(tampering.encode()).rowcount != 0
        assert offenders(superuser, check)
        superuser.rollback()


def given(nth: int, status: str = "REFUNDED", **members: Any) -> GatewayRefund:
    return GatewayRefund(UUID(int=nth), UUID(int=99), status, 10, "USD")._replace(**members)


def booked(nth: int, status: str = "COMPLETED", is_due: bool = True) -> BookedRefund:
    return BookedRefund(UUID(int=nth), UUID(int=99), status, 10, "USD", is_due)


async def contradictions(refunds: Sequence[BookedRefund], given_back: Sequence[GatewayRefund]) -> list[str]:
    async def all_refunds() -> AsyncIterator[BookedRefund]:
        for refund in refunds:
            yield refund

    def theirs() -> Iterator[GatewayRefund]:
        return iter(given_back)

    return [line async for line in RefundsMatchRefunds(theirs, all_refunds).offenders()]


async def test_what_the_gateway_gave_back_and_is_completed_agrees() -> None:
    refunds = [booked(1), booked(2, "REFUSED"), booked(3, "REFUSED"), booked(4, "PENDING", is_due=False)]
    assert await contradictions(refunds, [given(1), given(3, "REFUSED"), given(4), given(5, "REFUSED")]) == []


@pytest.mark.parametrize(
    ("refund", "of_it", "why"),
    [
        (booked(2), [], "the gateway has given nothing back"),
        (booked(2), [given(2, "REFUSED")], "the gateway has given nothing back"),
        (booked(2, "REFUSED"), [given(2)], "the gateway has given it back"),
        (booked(2), [given(2, amount=11)], "given back were 11 USD"),
        (booked(2), [given(2, currency="EUR")], "given back were 10 EUR"),
        (booked(2), [given(2, payment_id=UUID(int=98))], f"of payment {UUID(int=98)}"),
        (booked(2), [given(2), given(2)], "given back 2 times"),
        (booked(2, "PENDING", is_due=False), [given(2), given(2)], "given back 2 times"),
    ],
)
async def test_a_contradiction_is_named(refund: BookedRefund, of_it: list[GatewayRefund], why: str) -> None:
    """Alone, first, last, and among others."""
    for before, after in (([], []), ([1], []), ([], [3]), ([1], [3])):
        refunds = [*map(booked, before), refund, *map(booked, after)]
        (line,) = await contradictions(refunds, [*map(given, before), *of_it, *map(given, after)])
        assert str(refund.refund_id) in line
        assert why in line


async def test_what_is_not_ours_is_named_wherever_it_stands() -> None:
    found = await contradictions([booked(2), booked(4)], [given(nth) for nth in (1, 2, 3, 4, 5)])
    assert [line.split()[6].strip(",") for line in found] == [str(UUID(int=nth)) for nth in (1, 3, 5)]


@pytest.mark.parametrize("status", ["COMPLETED", "REFUSED"])
@pytest.mark.parametrize("of_it", [[], [given(2)]])
async def test_what_was_settled_since_the_record_was_read_is_not_held_against_it(
    status: str, of_it: list[GatewayRefund]
) -> None:
    assert await contradictions([booked(2, status, is_due=False)], of_it) == []
