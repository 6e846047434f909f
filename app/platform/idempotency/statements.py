"""Claiming idempotency keys and storing their answers: statements for the transaction of what the requests do."""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, TypeVar
from uuid import UUID

from app.kernel.ids import UserId
from app.platform.idempotency.keys import Answer, KeyRecord, KeyScope
from app.platform.postgres.pipeline import Call, Row, Statement, columns

T = TypeVar("T")

# Sorted, so that two batches never wait for each other's keys crosswise. A claim that meets another's uncommitted one
# waits for it. A request that lacks what it needs claims nothing: that refusal leaves no trace.
_CLAIM = """
    INSERT INTO {table} (user_id, key, fingerprint, {made}, created_at)
    SELECT r.user_id, r.key, r.fingerprint, r.made, now()
    FROM unnest(%b::uuid[], %b::text[], %b::bytea[], %b::uuid[]{types})
        AS r (user_id, key, fingerprint, made{names})
    WHERE {needs}
    ORDER BY r.user_id, r.key COLLATE "C"
    ON CONFLICT (user_id, key) DO NOTHING
    RETURNING user_id, key
"""

# A statement of its own, behind the claim: the claim's snapshot cannot see the winner that it waited for.
_RECORDS = """
    SELECT k.user_id, k.key, k.fingerprint, k.response_status, k.response_body, {shown}
    FROM unnest(%b::uuid[], %b::text[]) AS r (user_id, key)
    JOIN {table} k ON k.user_id = r.user_id AND k.key = r.key
    {with_made}
"""

_FIND = """
    SELECT k.user_id, k.key, k.fingerprint, k.response_status, k.response_body, {shown}
    FROM {table} k
    {with_made}
    WHERE k.user_id = %b::uuid AND k.key = %b::text
"""

_LOCK = """
    SELECT k.{made}, k.response_status, k.response_body
    FROM {table} k
    WHERE (k.user_id, k.key) IN (SELECT * FROM unnest(%b::uuid[], %b::text[]))
    ORDER BY k.user_id, k.key
    FOR UPDATE OF k
"""

# A request that was refused has an answer, and made nothing.
_STORE = """
    UPDATE {table} k
    SET response_status = r.status, response_body = r.body, finalized_at = clock_timestamp(),
        {made} = CASE WHEN r.has_made THEN k.{made} END
    FROM unnest(%b::uuid[], %b::text[], %b::smallint[], %b::bytea[], %b::boolean[])
        AS r (user_id, key, status, body, has_made)
    WHERE k.user_id = r.user_id AND k.key = r.key
"""

# Only what has no answer, and is still for that: the key may have been free, and taken again.
_FORGET = """
    DELETE FROM {table} k
    USING unnest(%b::uuid[], %b::text[], %b::uuid[]) AS r (user_id, key, made)
    WHERE k.user_id = r.user_id AND k.key = r.key AND k.{made} = r.made AND k.finalized_at IS NULL
"""

_PURGE = """
    DELETE FROM {table} k
    USING (
        SELECT user_id, key FROM {table}
        WHERE finalized_at < clock_timestamp() - make_interval(hours => 1) * %b::float8
        ORDER BY finalized_at
        LIMIT %b
        FOR UPDATE SKIP LOCKED
    ) expired
    WHERE k.user_id = expired.user_id AND k.key = expired.key
"""


class IdempotencyKeys:
    """The keys in a table with the columns of `idempotency_keys`, of which `made` has the id of what a request made.

    That is a row of `made_in` (by `user_id` and `id`; by `id` alone where it is not the asker's own), of which a record
    shows the columns `shown`, of `p`; without `made_in` it shows the id alone. A request claims its key only where
    `needs` holds, a condition over `r` (`user_id`, `key`, `fingerprint`, `made`), and over what is `given` beside
    these: names, with their types.
    """

    def __init__(
        self, table: str, *, made: str, made_in: str = "", is_own: bool = True, shown: str = "", needs: str = "true",
        given: Sequence[tuple[str, str]] = (),
    ) -> None:  # fmt: skip
        of_the_user = "p.user_id = k.user_id AND" if is_own else ""
        with_made = f"LEFT JOIN {made_in} p ON {of_the_user} p.id = k.{made}" if made_in else ""

        def of(text: str) -> Statement:
            return Statement(
                text.format(
                    table=table,
                    made=made,
                    with_made=with_made,
                    shown=shown if made_in else f"k.{made}",
                    needs=needs,
                    types="".join(f", %b::{kind}[]" for _, kind in given),
                    names="".join(f", {name}" for name, _ in given),
                )
            )

        self.claiming, self.recorded, self.locking, self.storing = map(of, (_CLAIM, _RECORDS, _LOCK, _STORE))
        self.finding, self.forgetting = of(_FIND), of(_FORGET)
        self.purge = _PURGE.format(table=table)
        """Deletes up to so many (the second value) keys that were final so many hours ago (the first)."""

    def claim(self, requests: Sequence[tuple[UserId, str, bytes, UUID, *tuple[Any, ...]]]) -> Call:
        """Claim keys, one request a key: user, key, fingerprint, the id of what it makes, and what is given beside."""
        return self.claiming, columns(requests)

    def records(self, scopes: Sequence[KeyScope]) -> Call:
        """What is known under the keys."""
        return self.recorded, columns(scopes)

    def find(self, scope: KeyScope) -> Call:
        """What is known under one key, without claiming or locking anything."""
        return self.finding, scope

    def lock(self, scopes: Sequence[KeyScope]) -> Call:
        """Lock the keys; `answers_of` says what they have."""
        return self.locking, columns(scopes)

    def store(self, answers: Mapping[KeyScope, Answer], made: Collection[KeyScope]) -> Call:
        """Store the answers, from now on final. Only the requests in `made` have made something that stands."""
        return self.storing, columns([(*s, answer.status, answer.body, s in made) for s, answer in answers.items()])

    def forget(self, claims: Mapping[KeyScope, UUID]) -> Call:
        """Let keys be free again that were claimed for these things, of which nothing came."""
        return self.forgetting, columns([(*scope, made) for scope, made in claims.items()])


def won(rows: Sequence[Row]) -> frozenset[KeyScope]:
    """The keys that are the requests' own from here on, from the rows of a claim."""
    return frozenset((UserId(user_id), key) for user_id, key in rows)


def records_of(rows: Sequence[Row], made_of: Callable[[Sequence[Any]], T]) -> dict[KeyScope, KeyRecord[T]]:
    """The records in the rows of `records` or `find`. `made_of` makes of what is shown what the request made."""
    return {
        (UserId(user_id), key): KeyRecord(
            fingerprint,
            made_of(made) if made[0] is not None else None,
            None if status is None else Answer(status, body),
        )
        for user_id, key, fingerprint, status, body, *made in rows
    }


def answers_of(rows: Sequence[Row]) -> dict[UUID, Answer]:
    """The stored answers by what was made, from the rows of a lock."""
    return {made: Answer(status, body) for made, status, body in rows if made is not None and status is not None}
