"""GET /v1/cashback and /v1/cashback/balance."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from msgspec import json

from app.contexts.rewards.adapters.http.examples import LINE
from app.contexts.rewards.adapters.http.purchases import TAG
from app.contexts.rewards.adapters.http.views import BalanceView, LinesView, balance_view, line_view
from app.contexts.rewards.application.ports import Place
from app.contexts.rewards.application.read_cashback import ReadCashback
from app.kernel.ids import UserId
from app.platform.context import Http
from app.platform.http import codes, queries
from app.platform.http.operations import BEARER, Operation, Request, Success
from app.platform.http.parameters import CURSOR, LIMIT
from app.platform.http.replies import Reply

_LIST, _BALANCE = "/v1/cashback", "/v1/cashback/balance"

_encode = json.Encoder().encode


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnCashback:
    """The handlers, with what they need."""

    read: ReadCashback
    http: Http

    def operations(self) -> Sequence[Operation]:
        """What HTTP offers of one's own cashback."""
        several = Operation(
            method="GET",
            template=_LIST,
            name="listCashback",
            tag=TAG,
            summary="Read the ledger of one's cashback",
            who=BEARER,
            handler=self.list_cashback,
            parameters=(LIMIT, CURSOR),
            successes=(_PAGE,),
            refusals=(codes.UNAVAILABLE,),
        )
        balance = Operation(
            method="GET",
            template=_BALANCE,
            name="getCashbackBalance",
            tag=TAG,
            summary="Read where one's cashback is",
            description="What is accrued waits for an address; a debt is paid out of what is earned next.",
            who=BEARER,
            handler=self.get_balance,
            successes=(_STANDING,),
            refusals=(codes.UNAVAILABLE,),
        )
        return [several, balance]

    async def list_cashback(self, request: Request) -> Reply:
        """A page of the ledger."""
        asker, cursor = request.asker, request[CURSOR]
        before = None if cursor is None else Place(*queries.position_of(asker.id, cursor, _LIST))
        reading = self.read.lines(asker.tenant_id, UserId(asker.id), before, request[LIMIT])
        page = await self.http.in_flight.read(reading, self.http.timeout_s)
        following = None if page.next is None else queries.to_cursor(asker.id, page.next, _LIST)
        return Reply(200, _encode(LinesView([*map(line_view, page.lines)], following)))

    async def get_balance(self, request: Request) -> Reply:
        """Where one stands."""
        reading = self.read.balance(request.asker.tenant_id, UserId(request.asker.id))
        return Reply(200, _encode(balance_view(await self.http.in_flight.read(reading, self.http.timeout_s))))


_PAGE: Final = Success(
    status=200,
    description="A page, newest first.",
    type=LinesView,
    example={"lines": [LINE], "next_cursor": None},
)
_STANDING: Final = Success(
    status=200,
    description="Where it is, in base units.",
    type=BalanceView,
    example={"accrued": "0", "minting": "250000", "minted": "1750000", "debt": "0", "on_chain": "1750000"},
)
