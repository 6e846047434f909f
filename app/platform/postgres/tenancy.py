"""Work on the rows of one tenant. With nothing said of whose they are, no row of a tenant's table is seen or written.

A setting that is local to a transaction is how it is said: a session's own would be the next client's, behind a pooler.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime

from app.kernel.principal import TenantId
from app.platform.postgres.pipeline import Call, Row, Statement
from app.platform.postgres.plans import Plans
from app.platform.postgres.pool import Pool, session
from app.platform.postgres.transactions import DatabaseTransaction, Transactions, at_once

_AS = Statement("SELECT set_config('app.current_tenant', %b::text, true)")


def as_tenant(tenant_id: TenantId) -> Call:
    """The statement behind which the transaction sees and writes this tenant's rows."""
    return _AS, (str(tenant_id),)


class TenantTransaction:
    """A transaction over the rows of one tenant: two round trips, as any."""

    def __init__(self, transaction: DatabaseTransaction, tenant_id: TenantId) -> None:
        self._transaction = transaction
        self._tenant_id = tenant_id
        self.read = transaction.read
        self.commit = transaction.commit

    async def begin(self, *calls: Call) -> tuple[list[list[Row]], datetime]:
        """See `DatabaseTransaction.begin`."""
        (_, *rows), now = await self._transaction.begin(as_tenant(self._tenant_id), *calls)
        return rows, now


class TenantRows:
    """The rows of tenants, on the connections of a pool."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._transactions = Transactions(pool)
        self._plans = Plans()

    @asynccontextmanager
    async def open(self, tenant_id: TenantId) -> AsyncIterator[TenantTransaction]:
        """A transaction over the tenant's rows. Leaving it without a commit undoes it."""
        async with self._transactions.open() as transaction:
            yield TenantTransaction(transaction, tenant_id)

    async def run(self, tenant_id: TenantId, *calls: Call) -> Sequence[Sequence[Row]]:
        """Run the statements in one transaction and one round trip; the rows of each."""
        async with session(self._pool) as connection:
            of_tenant = [as_tenant(tenant_id), *calls]
            return (await at_once(connection, of_tenant, plan_anew=self._plans.are_old(connection)))[1:]
