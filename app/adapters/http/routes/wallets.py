"""GET /wallets/{user_id}/balance and …/transactions."""

from collections.abc import Sequence
from typing import Any

from litestar import Request, get
from litestar.handlers import HTTPRouteHandler
from litestar.types import ASGIApp
from msgspec import json

from app.adapters.http import queries
from app.adapters.http.inflight import InFlight
from app.adapters.http.replies import Reply
from app.adapters.http.routing import BALANCE, TRANSACTIONS, inside
from app.adapters.http.services import HttpOptions, Services
from app.adapters.http.views import balances_shape, transactions_shape
from app.application.wallets.read_balance import read_balance
from app.application.wallets.read_transactions import read_transactions
from app.domain.refusals import UserNotFound, WalletNotFound

_encode = json.Encoder().encode
_BALANCE = frozenset(("currency",))
_TRANSACTIONS = frozenset(("limit", "cursor", "currency"))


def wallets(services: Services, options: HttpOptions, in_flight: InFlight) -> Sequence[HTTPRouteHandler]:
    """The handlers that read wallets."""
    known, timeout_s = options.known_currencies, options.request_timeout_s

    @get(inside(BALANCE))
    async def get_balance(request: Request[Any, Any, Any]) -> ASGIApp:
        user_id = queries.user_id(request.scope["state"]["user"])
        given = queries.parameters(request.scope["query_string"], _BALANCE)
        currency = queries.currency(given)
        try:
            balances = await in_flight.read(read_balance(services.reader, user_id, currency), timeout_s)
        except (UserNotFound, WalletNotFound) as refusal:
            raise queries.no_wallet(refusal, currency, known) from None
        return Reply(200, _encode(balances_shape(user_id, balances)))

    @get(inside(TRANSACTIONS))
    async def list_transactions(request: Request[Any, Any, Any]) -> ASGIApp:
        user_id = queries.user_id(request.scope["state"]["user"])
        given = queries.parameters(request.scope["query_string"], _TRANSACTIONS)
        limit, currency = queries.limit(given), queries.currency(given)
        after = queries.from_cursor(user_id, given)
        try:
            page = await in_flight.read(read_transactions(services.reader, user_id, currency, after, limit), timeout_s)
        except (UserNotFound, WalletNotFound) as refusal:
            raise queries.no_wallet(refusal, currency, known) from None
        return Reply(200, _encode(transactions_shape(user_id, page)))

    return [get_balance, list_transactions]
