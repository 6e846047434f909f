"""Operations as they are claimed, forbidden, and given their answers."""

import json
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final
from uuid import UUID

from app.contexts.funds.application.books import OperationRecord
from app.contexts.funds.domain.bulk import Bulk
from app.contexts.funds.domain.operation import Operation
from app.contexts.funds.domain.refusals import (
    BalanceLimit,
    HoldClosed,
    HoldNotFound,
    InsufficientFunds,
    TooManyChanges,
)
from app.contexts.funds.public import Done, Forbidden, Outcome, Refused
from app.kernel.operation_id import OperationId
from app.kernel.refusals import Refusal
from app.platform.postgres.buckets import bucket_of
from app.platform.postgres.pipeline import Call, Row, Statement, columns

# Sorted, so that two batches never wait for each other's operations crosswise. One that meets another's uncommitted one
# waits for it.
_CLAIM: Final = Statement("""
    INSERT INTO operations (bucket, business_id, context, name, user_id, fingerprint, forbidden, created_at)
    SELECT r.bucket, r.business_id, r.context, r.name, r.user_id, r.fingerprint, r.user_id IS NULL, now()
    FROM unnest(%b::smallint[], %b::uuid[], %b::text[], %b::text[], %b::uuid[], %b::bytea[])
        AS r (bucket, business_id, context, name, user_id, fingerprint)
    ORDER BY r.bucket, r.business_id, r.context COLLATE "C", r.name COLLATE "C"
    ON CONFLICT (bucket, business_id, context, name) DO NOTHING
    RETURNING context, business_id, name
""")

# A statement of its own, behind the claim: the claim's snapshot cannot see the winner that it waited for.
_RECORDS: Final = Statement("""
    SELECT o.context, o.business_id, o.name, o.fingerprint, o.answer::text
    FROM unnest(%b::smallint[], %b::uuid[], %b::text[], %b::text[]) AS r (bucket, business_id, context, name)
    JOIN operations o ON o.bucket = r.bucket AND o.business_id = r.business_id AND o.context = r.context
        AND o.name = r.name
""")

_STORE: Final = Statement("""
    UPDATE operations o SET answer = r.answer::json
    FROM unnest(%b::smallint[], %b::uuid[], %b::text[], %b::text[], %b::text[])
        AS r (bucket, business_id, context, name, answer)
    WHERE o.bucket = r.bucket AND o.business_id = r.business_id AND o.context = r.context AND o.name = r.name
""")


# Nobody else has its id: it was made for this request.
_INSERT_BULKS: Final = Statement("""
    INSERT INTO operations (bucket, business_id, context, name, user_id, fingerprint, forbidden, answer, created_at)
    SELECT r.bucket, r.business_id, r.context, r.name, r.user_id, r.fingerprint, false, r.answer::json, now()
    FROM unnest(%b::smallint[], %b::uuid[], %b::text[], %b::text[], %b::uuid[], %b::bytea[], %b::text[])
        AS r (bucket, business_id, context, name, user_id, fingerprint, answer)
""")

FUNDS: Final = "funds"
BULK: Final = "bulk"
"""The operation that a bulk is: its business is itself."""


def claim(operations: Sequence[Operation]) -> Call:
    """The statement that claims operations, each there once; `claimed` reads its rows."""
    return _CLAIM, columns([(*_key(o.id), o.owner, o.fingerprint) for o in operations])


def forbid(operations: Collection[OperationId]) -> Call:
    """The statement that forbids operations that have not happened, each there once."""
    return _CLAIM, columns([(*_key(operation), None, None) for operation in operations])


def claimed(rows: Sequence[Row]) -> frozenset[OperationId]:
    """The operations that are the batch's own, from the rows of a claim."""
    return frozenset(OperationId(*row) for row in rows)


def records(operations: Collection[OperationId]) -> Call:
    """The statement that reads what is known of operations; `records_of` reads its rows."""
    return _RECORDS, columns([_key(operation) for operation in operations])


def records_of(rows: Sequence[Row]) -> Mapping[OperationId, OperationRecord]:
    """What is known of operations."""
    return {
        OperationId(context, business_id, name): OperationRecord(
            fingerprint, Forbidden() if fingerprint is None else _outcome_of(answer)
        )
        for context, business_id, name, fingerprint, answer in rows
    }


def store(outcomes: Mapping[OperationId, Outcome]) -> Call:
    """The statement that gives operations their answers."""
    return _STORE, columns([(*_key(of), answer_of(outcome)) for of, outcome in outcomes.items()])


def insert_bulks(bulks: Sequence[Bulk]) -> Call:
    """The statement that writes bulks, which have just been done, as operations."""
    return _INSERT_BULKS, columns([
        (*_key(OperationId(FUNDS, bulk.id, BULK)), bulk.sender, bulk.fingerprint, _answer_of_bulk(bulk))
        for bulk in bulks
    ])  # fmt: skip


def _answer_of_bulk(bulk: Bulk) -> str:
    """As it is kept: what was done, and how much was asked for, and how."""
    return json.dumps({"done": [*map(str, bulk.completed)], "mode": bulk.mode.value, "asked": bulk.asked})


def answer_of(outcome: Outcome) -> str:
    """The outcome as it is kept: `{"done": [ids]}`, or `{"refused": code}` with what belongs to it."""
    if isinstance(outcome, Done):
        made = '", "'.join(map(str, outcome.ids))  # the same text as json's, which takes ten times as long
        return f'{{"done": ["{made}"]}}'
    match outcome.refusal:
        case InsufficientFunds(currency=currency, current_balance=balance, amount=amount) as refusal:
            known: dict[str, object] = {"currency": currency, "current_balance": balance, "amount": amount}
        case refusal:
            known = {}
    return json.dumps({"refused": refusal.code} | known)


_PLAIN: Final[Mapping[str, type[Refusal]]] = {
    each.code: each for each in (BalanceLimit, HoldClosed, HoldNotFound, TooManyChanges)
}


def _outcome_of(answer: str) -> Outcome:
    kept: dict[str, Any] = json.loads(answer)
    if "done" in kept:
        return Done(tuple(map(UUID, kept["done"])))
    if kept["refused"] == InsufficientFunds.code:
        return Refused(InsufficientFunds(kept["currency"], kept["current_balance"], kept["amount"]))
    return Refused(_PLAIN[kept["refused"]]())


def _key(of: OperationId) -> tuple[int, UUID, str, str]:
    return bucket_of(of.business_id), of.business_id, of.context, of.name
