"""What would answer a request, read without claiming anything."""

from app.contexts.funds.part import has_wallet
from app.contexts.funds.public import WalletNotFound
from app.contexts.payments.adapters.postgres.idempotency import KEYS, V1_KEYS
from app.contexts.payments.adapters.postgres.rows import payment_of
from app.contexts.payments.application.request import PaymentRequest
from app.contexts.payments.domain.payment import Payment
from app.contexts.payments.domain.refusals import ProviderNotFound
from app.kernel.ids import UserId
from app.platform.idempotency.keys import KeyRecord
from app.platform.idempotency.statements import records_of
from app.platform.postgres.pipeline import Statement
from app.platform.postgres.reads import SharedReads

_WHAT_EXISTS = Statement(f"""
    SELECT {has_wallet("%b::uuid", "%b::text")},
           EXISTS (SELECT FROM service_providers WHERE id = %b::uuid AND is_active)
""")


class PostgresKeys:
    """Reads keys. It implements `Keys`."""

    def __init__(self, reads: SharedReads) -> None:
        self._reads = reads

    async def find(self, request: PaymentRequest) -> KeyRecord[Payment] | None:
        """See `Keys.find`."""
        currency = request.money.currency
        asked_by = request.asked_by
        of = (request.user_id if asked_by is None else UserId(asked_by), request.key)
        rows, ((has_its_wallet, has_its_provider),) = await self._reads.read(
            request.user_id,
            (KEYS if asked_by is None else V1_KEYS).find(of),
            (_WHAT_EXISTS, (request.user_id, currency, request.provider_id)),
        )
        if rows:
            return records_of(rows, payment_of)[of]
        if not has_its_wallet:
            raise WalletNotFound(currency)
        if not has_its_provider:
            raise ProviderNotFound
        return None
