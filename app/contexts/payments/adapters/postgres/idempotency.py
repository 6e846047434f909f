"""The idempotency keys of payments."""

from typing import Final

from app.contexts.funds import part
from app.contexts.payments.adapters.postgres.rows import PAYMENT_COLUMNS
from app.platform.idempotency.statements import IdempotencyKeys

KEYS: Final = IdempotencyKeys(
    "idempotency_keys",
    made="payment_id",
    made_in="payments",
    shown=PAYMENT_COLUMNS,
    given=(("provider_id", "uuid"), ("currency", "text")),
    needs=f"""{part.has_wallet("r.user_id", "r.currency")}
        AND EXISTS (SELECT FROM service_providers p WHERE p.id = r.provider_id AND p.is_active)""",
)
