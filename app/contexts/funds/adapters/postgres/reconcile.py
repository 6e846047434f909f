"""A user's wallets beside what their entries say."""

from collections.abc import Sequence
from uuid import UUID

from app.contexts.funds.application.reconcile import Standing
from app.contexts.funds.part import PaymentQueries
from app.platform.postgres.inspection import inspecting

LOOK_S = 60.0
"""Enough to add up the entries of a wallet that millions were paid from."""

_STANDINGS = """
    SELECT w.currency, w.current_balance, w.version, w.updated_at,
           coalesce(e.total, 0)::bigint, e.entries, coalesce(newest.balance_after, 0),
           w.held, h.total, o.amount, p.payments, p.amount
    FROM wallet_balances w
    CROSS JOIN LATERAL (
        SELECT sum(amount) AS total, count(*) AS entries FROM ledger_entries e
        WHERE e.user_id = w.user_id AND e.currency = w.currency AND e.account = 'wallet'
    ) e
    LEFT JOIN LATERAL (
        SELECT balance_after FROM ledger_entries e
        WHERE e.user_id = w.user_id AND e.currency = w.currency AND e.account = 'wallet'
        ORDER BY wallet_version DESC LIMIT 1
    ) newest ON true
    CROSS JOIN LATERAL (
        SELECT coalesce(sum(amount), 0)::bigint AS total FROM ledger_entries e
        WHERE e.user_id = w.user_id AND e.currency = w.currency AND e.account = 'held'
    ) h
    CROSS JOIN LATERAL (
        SELECT coalesce(sum(amount), 0)::bigint AS amount FROM holds o
        WHERE o.user_id = w.user_id AND o.currency = w.currency AND o.status = 'OPEN'
    ) o
    CROSS JOIN LATERAL (
        SELECT count(*) AS payments, coalesce(sum(amount), 0)::bigint AS amount FROM ({pending}) p
        WHERE p.user_id = w.user_id AND p.currency = w.currency
    ) p
    WHERE w.user_id = %s
    ORDER BY w.currency
"""


class PostgresStandings:
    """The books' database, looked at for `within_s` at most. It implements `Standings`."""

    def __init__(self, url: str, payments: PaymentQueries, within_s: float = LOOK_S) -> None:
        self._url = url
        self._standings = _STANDINGS.format(pending=payments.pending)
        self._within_s = within_s

    async def standings(self, user_id: UUID) -> Sequence[Standing]:
        """See `Standings.standings`."""
        async with inspecting(self._url, self._within_s) as books:
            cursor = await books.execute(self._standings.encode(), (user_id,))
            return [Standing(*row) for row in await cursor.fetchall()]
