"""What wallets held at a time, and the lines of their statements.

No answer ever changes: it shares the wallet's lock with nobody who writes, so that what is under way is waited for, and
what comes later reads its time later.
"""

from collections.abc import Sequence
from typing import Final

from app.contexts.funds.application.past import Question, Stood, Told
from app.contexts.funds.application.statement import LINES_AT_A_TIME, StatementLine
from app.contexts.funds.domain.refusals import WalletNotFound
from app.contexts.funds.part import PaymentQueries
from app.kernel.ids import UserId
from app.kernel.money import Currency
from app.platform.postgres.errors import reading
from app.platform.postgres.pipeline import Call, Statement, columns
from app.platform.postgres.plans import Plans
from app.platform.postgres.pool import Pool, session
from app.platform.postgres.transactions import CLOCK, at_once

# A shared lock is written down, too. Nobody needs it to last: its COMMIT waits for no disk.
_HASTY: Final = Statement("SELECT set_config('synchronous_commit', 'off', true)")

# Sorted, as whoever moves several wallets locks them.
SHARE: Final = Statement("""
    SELECT w.user_id, w.currency
    FROM wallet_balances w
    WHERE (w.user_id, w.currency) IN (SELECT * FROM unnest(%b::uuid[], %b::text[]))
    ORDER BY w.user_id, w.currency
    FOR SHARE OF w
""")

# A statement of its own, behind the lock: the lock's snapshot cannot see what was waited for. The newest movement of
# the balance before the time is found by the index of transactions; entries of before that index's order was a
# wallet's own may share their time, and of those the last counts. What moves no wallet (CAPTURE_OUT) has no balance.
STOOD: Final = Statement("""
    SELECT coalesce(e.wallet_version, 0), coalesce(e.balance_after, 0), coalesce(h.held, 0)
    FROM unnest(%b::bigint[], %b::uuid[], %b::text[], %b::timestamptz[], %b::boolean[])
        AS q (nth, user_id, currency, at, wants_held)
    LEFT JOIN LATERAL (
        SELECT created_at FROM transactions t
        WHERE t.user_id = q.user_id AND t.currency = q.currency AND t.created_at < q.at AND t.kind <> 'CAPTURE_OUT'
        ORDER BY t.created_at DESC, t.id DESC
        LIMIT 1
    ) newest ON true
    LEFT JOIN LATERAL (
        SELECT moved.wallet_version, moved.balance_after
        FROM (
            SELECT id, user_id FROM transactions t
            WHERE t.user_id = q.user_id AND t.currency = q.currency AND t.created_at = newest.created_at
            OFFSET 0
        ) t
        CROSS JOIN LATERAL (
            SELECT wallet_version, balance_after FROM ledger_entries
            WHERE transaction_id = t.id AND user_id = t.user_id AND balance_after IS NOT NULL
            OFFSET 0
        ) moved
        ORDER BY moved.wallet_version DESC
        LIMIT 1
    ) e ON true
    LEFT JOIN LATERAL (
        SELECT sum(amount)::bigint AS held FROM ledger_entries
        WHERE q.wants_held AND user_id = q.user_id AND currency = q.currency AND account = 'held' AND created_at < q.at
        OFFSET 0
    ) h ON true
    ORDER BY q.nth
""")

# By their places in the wallet's history, which have no gaps; each line's rest is looked up by its key.
_LINES: Final = f"""
    SELECT t.id::text, t.kind, t.amount, t.currency, t.status, e.balance_after, t.payment_id::text,
           p.provider_id::text, coalesce(p.external_reference, t.reference), t.created_at, t.counterparty::text,
           t.note, t.business_id::text
    FROM (
        SELECT transaction_id, user_id, wallet_version, balance_after FROM ledger_entries
        WHERE user_id = %b::uuid AND currency = %b::text AND account = 'wallet'
            AND wallet_version > %b::bigint AND wallet_version <= %b::bigint
        ORDER BY wallet_version
        LIMIT {LINES_AT_A_TIME}
    ) e
    CROSS JOIN LATERAL (
        SELECT * FROM transactions WHERE id = e.transaction_id AND user_id = e.user_id
        OFFSET 0
    ) t
    LEFT JOIN LATERAL (
        SELECT provider_id, external_reference FROM ({{recipients}}) r
        WHERE id = t.payment_id AND user_id = t.user_id
        OFFSET 0
    ) p ON true
    ORDER BY e.wallet_version
"""

LARGEST: Final = Statement("""
    SELECT coalesce(max(abs(amount)), 0) FROM ledger_entries
    WHERE user_id = %b::uuid AND currency = %b::text AND account = 'wallet'
        AND wallet_version > %b::bigint AND wallet_version <= %b::bigint
""")


def lines_statement(payments: PaymentQueries) -> Statement:
    """The statement that reads the lines of a page."""
    return Statement(_LINES.format(recipients=payments.recipients))


class PostgresPast:
    """Looks back over the connections of a pool. `stood` is a lane's; it implements `StatementLines`."""

    def __init__(self, pool: Pool, payments: PaymentQueries) -> None:
        self._pool = pool
        self._plans = Plans()
        self._lines = lines_statement(payments)

    async def stood(self, questions: Sequence[Question]) -> Sequence[Told | WalletNotFound]:
        """The answers to a batch, in one round trip; see `LookBack`."""
        asked = [
            (nth, question.user_id, question.currency, at, question.wants_held)
            for nth, question in enumerate(questions)
            for at in question.times
        ]
        wallets = [*dict.fromkeys((question.user_id, question.currency) for question in questions)]
        async with session(self._pool) as connection:
            calls: list[Call] = [(_HASTY, ()), (SHARE, columns(wallets)), (STOOD, columns(asked)), (CLOCK, ())]
            plan_anew = self._plans.are_old(connection)
            _, there, rows, ((now,),) = await at_once(connection, calls, plan_anew=plan_anew)
        found, stood = {(user_id, code) for user_id, code in there}, map(Stood._make, rows)
        told = [Told(now, tuple([next(stood) for _ in question.times])) for question in questions]
        return [
            answer if (question.user_id, question.currency) in found else WalletNotFound(question.currency)
            for question, answer in zip(questions, told, strict=True)
        ]

    @reading
    async def lines(self, user_id: UserId, currency: Currency, after: int, until: int) -> Sequence[StatementLine]:
        """See `StatementLines.lines`."""
        async with session(self._pool) as connection:
            (rows,) = await self._plans.run(connection, [(self._lines, (user_id, currency, after, until))])
        return list(map(StatementLine._make, rows))

    @reading
    async def largest_minor(self, user_id: UserId, currency: Currency, after: int, until: int) -> int:
        """See `StatementLines.largest_minor`."""
        async with session(self._pool) as connection:
            (((largest,),),) = await self._plans.run(connection, [(LARGEST, (user_id, currency, after, until))])
        return int(largest)
