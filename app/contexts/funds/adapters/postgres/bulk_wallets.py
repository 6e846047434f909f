"""Which wallets a bulk may move, and which of them are opened for it."""

from collections.abc import Iterator, Sequence

from app.contexts.funds.adapters.postgres.wallet_rows import Opening
from app.contexts.funds.application.asked import BulkRequest
from app.contexts.funds.domain.bulk import BulkMode
from app.contexts.funds.domain.wallet import WalletId
from app.kernel.money import MAX_MINOR


def wallets_of(requests: Sequence[BulkRequest]) -> tuple[Sequence[Opening], Sequence[WalletId], Sequence[WalletId]]:
    """Those that have to be there for it, those that money may go to, and those that it may leave."""
    into = [
        (payout.recipient, payout.money.currency)
        for request in requests
        for payout in request.payouts
        if payout.recipient is not None
    ]
    out = [(request.sender, currency) for request in requests for currency in request.totals_minor]
    return [opening for request in requests for opening in _openings(request)], into, out


def _openings(request: BulkRequest) -> Iterator[Opening]:
    """Wallets are opened for what seems possible: all of it together, or each by itself."""
    totals = request.totals_minor
    if request.mode is BulkMode.ALL and request.is_flawed:
        return
    for recipient, money, _ in request.payouts:
        if recipient in (None, request.sender):
            continue
        needed = totals[money.currency] if request.mode is BulkMode.ALL else money.amount_minor
        if needed <= MAX_MINOR:
            yield recipient, money.currency, request.sender, needed
