"""GET /v1/wallet, …/transactions and …/holds: one's own money."""

from collections.abc import Collection, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from typing import Any, Final
from uuid import UUID

from msgspec import json

from app.contexts.funds.adapters.http.bodies import ALICE, BOB
from app.contexts.funds.adapters.http.own_views import (
    HoldsShape,
    OwnTransactionsShape,
    WalletShape,
    hold_shape,
    own_transaction,
    wallet_shape,
)
from app.contexts.funds.application.read_holds import HoldReader, read_holds
from app.contexts.funds.application.read_transactions import Page, page_of
from app.contexts.funds.application.wallet_reader import TransactionLine, WalletReader
from app.kernel.ids import UserId
from app.kernel.principal import Principal
from app.platform.http import codes, queries
from app.platform.http.inflight import InFlight
from app.platform.http.operations import BEARER, Handler, Operation, Parameter, Request, Success
from app.platform.http.parameters import CURRENCY, CURSOR, LIMIT
from app.platform.http.replies import Reply
from app.platform.people import Directory, Person

TAG: Final = "wallet"
_WALLET, _TRANSACTIONS, _HOLDS = "/v1/wallet", "/v1/wallet/transactions", "/v1/wallet/holds"
_PAGED = (
    replace(codes.VALIDATION_ERROR, details={"limit": "must be an integer between 1 and 200"}),
    codes.UNAVAILABLE,
)
_AT = "2026-01-31T12:00:00.000000Z"

_encode = json.Encoder().encode


def own_operations(
    wallets: WalletReader,
    holds: HoldReader,
    directory: Directory,
    in_flight: InFlight,
    known: AbstractSet[str],
    timeout_s: float,
) -> Sequence[Operation]:
    """What HTTP offers of one's own wallet. `known` are the currencies; what takes longer than the time is a 503."""
    own = _OwnWallet(wallets, holds, directory, in_flight, known, timeout_s)
    paged = (LIMIT, CURSOR)
    return [
        _reading(_WALLET, "getOwnWallet", "Read one's own balances", own.get_wallet, _BALANCES),
        _reading(
            _TRANSACTIONS, "listOwnTransactions", "Read one's own transactions", own.list_transactions, _LINES,
            *paged, CURRENCY,
        ),
        _reading(_HOLDS, "listOwnHolds", "Read what is set aside of one's own money", own.list_holds, _ASIDE, *paged),
    ]  # fmt: skip


def _reading(
    template: str, name: str, summary: str, handler: Handler, success: Success, *parameters: Parameter[Any]
) -> Operation:
    return Operation(
        method="GET",
        template=template,
        name=name,
        tag=TAG,
        summary=summary,
        who=BEARER,
        handler=handler,
        parameters=parameters,
        successes=(success,),
        refusals=_PAGED if parameters else (codes.UNAVAILABLE,),
    )


_BALANCES = Success(
    status=200,
    description="One's own balances, by currency.",
    type=WalletShape,
    example={
        "user_id": ALICE,
        "balances": [{"currency": "USD", "current_balance": 8750, "held": 2000, "updated_at": _AT}],
    },
)
_LINES = Success(
    status=200,
    description="A page, newest first.",
    type=OwnTransactionsShape,
    example={
        "transactions": [
            {
                "transaction_id": "0193a5b2-7c4e-7d11-a1b2-5e8d7c6b4a31",
                "kind": "TRANSFER_OUT",
                "direction": "DEBIT",
                "amount": 1250,
                "currency": "USD",
                "status": "COMPLETED",
                "balance_after": 8750,
                "payment_id": None,
                "provider_id": None,
                "external_reference": None,
                "created_at": _AT,
                "account": "wallet",
                "counterparty": {"user_id": BOB, "username": "bob"},
                "note": "for the concert",
                "business_id": None,
            }
        ],
        "next_cursor": None,
    },
)
_ASIDE = Success(
    status=200,
    description="A page, newest first.",
    type=HoldsShape,
    example={
        "holds": [
            {
                "hold_id": "0193a5b2-7c4e-7d13-8e4f-7a6b5c4d3e2f",
                "context": "auctions",
                "business_id": "0193a5b2-7c4e-7d14-b5a6-1f2e3d4c5b6a",
                "amount": 2000,
                "captured": 0,
                "released": 0,
                "currency": "USD",
                "status": "OPEN",
                "created_at": _AT,
                "expires_at": None,
            }
        ],
        "next_cursor": None,
    },
)


@dataclass(frozen=True, slots=True)
class _OwnWallet:
    """The handlers, with what they need."""

    wallets: WalletReader
    holds: HoldReader
    directory: Directory
    in_flight: InFlight
    known: AbstractSet[str]
    timeout_s: float

    async def get_wallet(self, request: Request) -> Reply:
        user_id = UserId(request.asker.id)
        balances = await self.in_flight.read(self.wallets.balances(user_id), self.timeout_s)
        return Reply(200, _encode(wallet_shape(user_id, balances)))

    async def list_transactions(self, request: Request) -> Reply:
        user_id, currency = UserId(request.asker.id), request[CURRENCY]
        of = (_TRANSACTIONS, currency or "")
        after = _after(request, of)
        page, people = await self.in_flight.read(self._history(request, after), self.timeout_s)
        if not page.lines and (problem := queries.unknown_currency(currency, self.known)):
            raise problem
        lines = [own_transaction(line, people) for line in page.lines]
        return Reply(200, _encode(OwnTransactionsShape(lines, _next(user_id, page.next, of))))

    async def _history(self, request: Request, after: queries.Position | None) -> tuple[Page, Mapping[UUID, Person]]:
        asker = request.asker
        user_id, currency, limit = UserId(asker.id), request[CURRENCY], request[LIMIT]
        page = page_of(await self.wallets.transactions(user_id, currency, after, limit + 1), limit)
        return page, await self._named(asker, page.lines)

    async def _named(self, asker: Principal, lines: Collection[TransactionLine]) -> Mapping[UUID, Person]:
        others = {line.counterparty for line in lines if line.counterparty}
        return await self.directory.names(asker.tenant_id, others) if others else {}

    async def list_holds(self, request: Request) -> Reply:
        user_id, of = UserId(request.asker.id), (_HOLDS,)
        reading = read_holds(self.holds, user_id, _after(request, of), request[LIMIT])
        page = await self.in_flight.read(reading, self.timeout_s)
        return Reply(200, _encode(HoldsShape([*map(hold_shape, page.holds)], _next(user_id, page.next, of))))


def _after(request: Request, of: Sequence[str]) -> queries.Position | None:
    """Where the page starts that is asked for, of the list with these filters."""
    cursor = request[CURSOR]
    return None if cursor is None else queries.position_of(request.asker.id, cursor, *of)


def _next(user_id: UserId, position: queries.Position | None, of: Sequence[str]) -> str | None:
    return None if position is None else queries.to_cursor(user_id, position, *of)
