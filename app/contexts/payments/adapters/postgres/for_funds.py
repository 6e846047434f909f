"""What payments hand over to funds, who do not know them: see `PaymentQueries`."""

from typing import Final

from app.contexts.funds.part import PaymentQueries

PAYMENT_QUERIES: Final = PaymentQueries(
    pending="""
        SELECT user_id, currency, amount FROM payments WHERE status = 'PENDING'
        UNION ALL SELECT user_id, currency, amount FROM payments.refunds WHERE status = 'PENDING'
    """,
    recipients="SELECT user_id, id, provider_id, external_reference FROM payments",
)
