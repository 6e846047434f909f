"""What was paid in before under a reference."""

from collections.abc import Mapping, Sequence
from typing import Final

from app.contexts.funds.application.asked import ReceiveRequest
from app.contexts.funds.application.books import Reference
from app.contexts.funds.domain.ids import TransferId
from app.contexts.funds.domain.transfer import CompletedTransfer
from app.kernel.ids import UserId
from app.kernel.money import Currency, Money
from app.kernel.principal import TenantId
from app.platform.postgres.pipeline import Call, Row, Statement, columns

# Behind the wallets' locks, which whoever pays in takes: none that is under way is missed.
_FUNDED: Final = Statement("""
    SELECT t.user_id, t.currency, t.reference, t.id, t.amount, t.created_at
    FROM unnest(%b::uuid[], %b::text[], %b::text[]) AS r (user_id, currency, reference)
    JOIN transactions t ON t.user_id = r.user_id AND t.currency = r.currency AND t.reference = r.reference
""")


def lookup(references: Sequence[Reference]) -> Call:
    """The statement that reads what was paid in; `fundings_of` reads its rows."""
    return _FUNDED, columns([*dict.fromkeys(references)])


def fundings_of(rows: Sequence[Row], requests: Sequence[ReceiveRequest]) -> Mapping[Reference, CompletedTransfer]:
    """What was paid in, by reference; for the tenant of whoever asks, as no funding has noted its own."""
    tenants: Mapping[UserId, TenantId] = {request.recipient: request.tenant_id for request in requests}
    return {
        (user_id, code, reference): CompletedTransfer(
            TransferId(made), tenants[user_id], None, UserId(user_id), Money(amount, Currency(code)), created_at
        )
        for user_id, code, reference, made, amount, created_at in rows
    }
