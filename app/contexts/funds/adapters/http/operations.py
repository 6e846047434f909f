"""GET /wallets/{user_id}/balance and …/transactions."""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace

from msgspec import json

from app.contexts.funds.adapters.http.views import BalancesShape, TransactionsShape, balances_shape, transactions_shape
from app.contexts.funds.application.read_balance import read_balance
from app.contexts.funds.application.read_transactions import read_transactions
from app.contexts.funds.application.wallet_reader import WalletReader
from app.contexts.funds.domain.refusals import UserNotFound, WalletNotFound
from app.platform.http import codes, queries
from app.platform.http.inflight import InFlight
from app.platform.http.operations import API_KEY, Operation, Parameter, Request, Success
from app.platform.http.parameters import CURRENCY, LIMIT, USER_ID
from app.platform.http.replies import Reply

CURSOR: Parameter[str | None] = Parameter(
    name="cursor",
    where="query",
    read=lambda text: text,  # it is the user's, and read with the user
    description="The `next_cursor` of an earlier answer for the same user.",
    schema={"type": "string", "pattern": queries.CURSOR_PATTERN},
)
READING = (
    replace(codes.VALIDATION_ERROR, details={"user_id": "must be a UUID"}),
    replace(
        codes.NOT_FOUND,
        when="There is no such user or wallet.",
        message="there is no such user",
        refusals=(UserNotFound, WalletNotFound),
    ),
    codes.UNAVAILABLE,
)

_encode = json.Encoder().encode
_AT = "2026-01-31T12:00:00.000000Z"


def operations(
    reader: WalletReader, in_flight: InFlight, known: AbstractSet[str], timeout_s: float
) -> Sequence[Operation]:
    """What HTTP offers of wallets. `known` are the currencies; an answer that takes longer than the time is a 503."""
    wallets = _Wallets(reader, in_flight, known, timeout_s)
    get_balance = Operation(
        method="GET",
        template="/wallets/{user_id}/balance",
        name="getBalance",
        tag="wallets",
        summary="Read a user's balances",
        who=API_KEY,
        handler=wallets.get_balance,
        parameters=(USER_ID, CURRENCY),
        successes=(_BALANCES,),
        refusals=READING,
    )
    list_transactions = Operation(
        method="GET",
        template="/wallets/{user_id}/transactions",
        name="listTransactions",
        tag="wallets",
        summary="Read a user's transactions",
        who=API_KEY,
        handler=wallets.list_transactions,
        parameters=(USER_ID, LIMIT, CURSOR, CURRENCY),
        successes=(_PAGE,),
        refusals=READING,
    )
    return [get_balance, list_transactions]


_BALANCES = Success(
    status=200,
    description="The user's balances, by currency.",
    type=BalancesShape,
    example={
        "user_id": USER_ID.example,
        "balances": [{"currency": "USD", "current_balance": 8750, "updated_at": _AT}],
    },
)
_PAGE = Success(
    status=200,
    description="A page, newest first.",
    type=TransactionsShape,
    example={
        "transactions": [
            {
                "transaction_id": "0193a5b2-7c4e-7d11-a1b2-5e8d7c6b4a31",
                "kind": "PAYMENT",
                "direction": "DEBIT",
                "amount": 1250,
                "currency": "USD",
                "status": "APPROVED",
                "balance_after": 8750,
                "payment_id": "0193a5b2-7c4e-7d10-8f21-3b6a9c0e5d42",
                "provider_id": "2b1d9a34-5c6e-4f70-8a9b-1c2d3e4f5a60",
                "external_reference": "invoice 2026-0131",
                "created_at": _AT,
            }
        ],
        "next_cursor": None,
    },
)


@dataclass(frozen=True, slots=True)
class _Wallets:
    """The handlers, with what they need."""

    reader: WalletReader
    in_flight: InFlight
    known: AbstractSet[str]
    timeout_s: float

    async def get_balance(self, request: Request) -> Reply:
        user_id, currency = request[USER_ID], request[CURRENCY]
        try:
            balances = await self.in_flight.read(read_balance(self.reader, user_id, currency), self.timeout_s)
        except (UserNotFound, WalletNotFound) as refusal:
            raise queries.unknown_currency(currency, self.known) or refusal from None
        return Reply(200, _encode(balances_shape(user_id, balances)))

    async def list_transactions(self, request: Request) -> Reply:
        user_id, limit, cursor, currency = request[USER_ID], request[LIMIT], request[CURSOR], request[CURRENCY]
        after = None if cursor is None else queries.position_of(user_id, cursor)
        try:
            lines = read_transactions(self.reader, user_id, currency, after, limit)
            page = await self.in_flight.read(lines, self.timeout_s)
        except (UserNotFound, WalletNotFound) as refusal:
            raise queries.unknown_currency(currency, self.known) or refusal from None
        return Reply(200, _encode(transactions_shape(user_id, page)))
