"""GET /chain and /chain/{request}: where the chain stands, and what was signed for one request."""

from collections.abc import Sequence
from typing import Any, Final

from litestar import Request, get
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath
from litestar.types import ASGIApp

from app.contexts.chain.adapters.operations.look import MintSeen, one_mint, request_of, the_chain
from app.contexts.chain.settings import ChainSettings
from app.kernel.moments import Moment
from app.platform.console.desk import Desk
from app.platform.console.visit import uuid_of, visit_of
from app.platform.http import queries

_HASH_LENGTH: Final = 66
_NOTHING: Final = frozenset[str]()


class NothingSigned(Exception):  # noqa: N818 -- it says what is not there
    """The adapter was never asked for it."""


def chain(url: str, settings: ChainSettings, desk: Desk) -> Sequence[HTTPRouteHandler]:
    """The chain as it is, and one mint on it."""

    @get("/chain")
    async def everything(request: Request[Any, Any, Any]) -> ASGIApp:
        queries.parameters(request.scope["query_string"], _NOTHING)
        seen = await the_chain(url, settings)
        lag = seen.node.head.block - seen.contract.settled_block if seen.node.head and seen.contract else None
        return desk.pages.page(
            "chain.html", visit_of(request), seen=seen, lag=lag, confirmations=settings.chain_confirmations
        )

    @get("/chain/{request_id:str}")
    async def one(request: Request[Any, Any, Any], request_id: FromPath[str]) -> ASGIApp:
        wanted = uuid_of(request_id, "a request's id")
        seen = await one_mint(url, settings, wanted)
        if seen is None:
            raise NothingSigned(f"nothing was signed for a request {wanted}: the adapter was not asked for it yet")
        return desk.pages.page("chain_mint.html", visit_of(request), seen=seen, m=seen.mint, moments=moments_of(seen))

    return [everything, one]


def moments_of(seen: MintSeen) -> Sequence[Moment]:
    """What happened to a mint, the first first."""
    mint = seen.mint
    happened = [
        Moment(each.signed_at, "chain", f"signed, with nonce {each.nonce}", {"tx_hash": each.tx_hash})
        for each in seen.earlier
    ]
    if mint.signed_at:
        signed = {"tx_hash": mint.tx_hash, "max_fee_per_gas": mint.max_fee_per_gas}
        happened.append(Moment(mint.signed_at, "chain", f"signed, with nonce {mint.nonce}", signed))
    if mint.broadcast_at:
        happened.append(Moment(mint.broadcast_at, "chain", "sent to a node, the last time"))
    landed = {"tx_hash": mint.landed_hash, "block": mint.block_number, "failure": mint.failure}
    happened.append(Moment(mint.updated_at, "chain", mint.status, landed))
    return sorted(happened, key=lambda moment: moment.at)


async def page_of_a_transaction(url: str, text: str) -> str | None:
    """The path of the page of the mint that the transaction is of, if it is one. Raises Unavailable."""
    request_id = await request_of(url, text) if len(text) == _HASH_LENGTH else None
    return f"/chain/{request_id}" if request_id else None
