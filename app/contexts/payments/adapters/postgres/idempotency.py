"""The idempotency keys of payments and refunds."""

from typing import Final

from app.contexts.funds import part
from app.contexts.payments.adapters.postgres.refund_rows import columns_of
from app.contexts.payments.adapters.postgres.rows import PAYMENT_COLUMNS, has_payment
from app.platform.idempotency.requests import TABLE
from app.platform.idempotency.statements import IdempotencyKeys

_ACTIVE: Final = "EXISTS (SELECT FROM service_providers p WHERE p.id = r.provider_id AND p.is_active)"

KEYS: Final = IdempotencyKeys(
    "idempotency_keys",
    made="payment_id",
    made_in="payments",
    shown=PAYMENT_COLUMNS,
    given=(("provider_id", "uuid"), ("currency", "text")),
    needs=f"{part.has_wallet('r.user_id', 'r.currency')} AND {_ACTIVE}",
)
V1_KEYS: Final = IdempotencyKeys(
    TABLE,
    made="made_id",
    made_in="payments",
    is_own=False,
    shown=PAYMENT_COLUMNS,
    given=(("payer", "uuid"), ("provider_id", "uuid"), ("currency", "text")),
    needs=f"{part.has_wallet('r.payer', 'r.currency')} AND {_ACTIVE}",
)
"""Those of payments that were asked for on `/v1`, by whoever asked."""
REFUND_KEYS: Final = IdempotencyKeys(
    TABLE,
    made="made_id",
    made_in="payments.refunds",
    is_own=False,
    shown=columns_of("p"),
    given=(("payment_id", "uuid"), ("tenant_id", "uuid"), ("keeps_keys", "boolean")),
    needs=has_payment("r.payment_id", "r.tenant_id", "r.keeps_keys"),
)
"""Those of refunds, which are of payments of the asker's tenant."""
