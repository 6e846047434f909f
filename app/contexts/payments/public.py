"""What others may know of payments: where their events are published, which queues have to have them, and the rows of
payments and refunds, for whoever compares with them in the same database."""

from typing import Final

from app.contexts.funds.public import EVENTS

MOVEMENTS: Final = """
    SELECT 'charge' AS type, p.id, p.id AS payment_id, NULL::uuid AS refund_id, p.tenant_id, p.amount,
           p.currency COLLATE "C" AS currency, p.status COLLATE "C" AS status, p.finalized_at
    FROM public.payments p
    UNION ALL
    SELECT 'refund', r.id, r.payment_id, r.id, r.tenant_id, r.amount, r.currency, r.status, r.finalized_at
    FROM payments.refunds r
"""
"""A query for all that was asked of the gateway: each charge, and each refund, by its id (a charge's is its payment's).

Amounts are minor units. Without a tenant it is that of the holders of API_KEYS. Rows are found by their ids, and by the
day on which they became final.
"""
PENDING: Final = "PENDING"
STANDING: Final = ("APPROVED", "COMPLETED")
"""The statuses of a charge and of a refund that the gateway has made and not undone."""

__all__ = ["EVENTS", "MOVEMENTS", "PENDING", "STANDING"]
