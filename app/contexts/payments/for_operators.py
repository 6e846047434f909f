"""What operators do with payments from the command line."""

from uuid import UUID

from app.contexts.payments.adapters.postgres.providers import add
from app.contexts.payments.adapters.postgres.reader import PostgresPayments
from app.contexts.payments.application.settle_refund import RefundSettlement, SettledRefund
from app.contexts.payments.container import PaymentsContainer
from app.contexts.payments.domain.ids import RefundId
from app.contexts.payments.domain.outcome import Refunded, RefundOutcome
from app.contexts.payments.domain.refund import Refund
from app.contexts.payments.domain.refusals import RefundIsFinal, RefundNotFound
from app.platform.operations.actions import recorded
from app.platform.postgres.operator import actions, record_done, with_pool, with_pools
from app.platform.process.uuid7 import uuid7


async def add_provider(container: PaymentsContainer, name: str, provider_id: UUID | None) -> UUID:
    """Add an active provider; its id.

    Raises:
        ProviderExists: the id belongs to a provider of another name.
        NotRecorded: it is added, and not in `audit.actions`.
        Unavailable, MigrationError: see `with_pool`.
    """
    new_id, pool = provider_id or uuid7(), container.starting_pool()
    if await with_pool(pool, container.database().url, lambda: add(pool, new_id, name)):
        consumers_url = container.platform.settings().consumers_url
        await record_done(consumers_url, "provider add", {"id": str(new_id), "name": name})
    return new_id


async def settle_refund(container: PaymentsContainer, refund_id: UUID, outcome: RefundOutcome) -> Refund:
    """Settle a refund by hand, whatever the gateway says, on record; the refund as it is then.

    Raises:
        RefundNotFound: there is none with that id.
        RefundIsFinal: it was settled before.
        NotRecorded: it is settled, and not in `audit.actions`; or nothing was done.
        Unavailable, MigrationError: see `with_pools`.
    """
    pools = container.finishing_pool(), container.database().reading_pool
    consumers_url = container.platform.settings().consumers_url
    reads, settle = PostgresPayments(container.reads()), container.settle_refund()

    async def settled() -> Refund:
        refund = await reads.refund(RefundId(refund_id))
        if refund is None:
            raise RefundNotFound
        if refund.is_final:
            raise RefundIsFinal(refund.status)
        details = {"refund_id": str(refund.id), "payment_id": str(refund.payment_id), "outcome": _word(outcome)}
        async with recorded(actions(consumers_url), "refund settle", details) as ended:
            result: SettledRefund = await settle.submit(RefundSettlement(refund, outcome))
            ended["status"] = result.refund.status.value
        if result.before:
            raise RefundIsFinal(result.refund.status)
        return result.refund

    return await with_pools(pools, container.database().url, settled)


def _word(outcome: RefundOutcome) -> str:
    return "completed" if isinstance(outcome, Refunded) else "refused"
