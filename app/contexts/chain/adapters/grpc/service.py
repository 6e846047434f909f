"""The service, as callers see it. It refuses with a code and words of its own: no exception's text leaves."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Final, TypeAlias, TypeVar
from uuid import UUID

import grpc

from app.contexts.chain.adapters.grpc import chain_pb2 as pb
from app.contexts.chain.adapters.grpc.guard import BUG, log_bug
from app.contexts.chain.adapters.grpc.messages import (
    NOTHING_SIGNED,
    address_of,
    order_of,
    request_id_of,
    status_of,
    word,
)
from app.contexts.chain.domain.mint import Mint, MintOrder
from app.contexts.chain.domain.refusals import ChainAway, InvalidMint, RequestReused, UnknownAnswer
from app.kernel.errors import Unavailable

T = TypeVar("T")

LONGEST_S: Final = 60.0
"""For a caller who gives no deadline, or a later one."""
NOBODY_KNOWS: Final = "nobody knows whether it was signed: ask GetMint"

MOST_AT_ONCE: Final = 1_000

Context: TypeAlias = "grpc.aio.ServicerContext[object, object]"


Minting = Callable[[MintOrder, float], Coroutine[object, object, Mint]]
"""Mints, by a deadline of the running loop."""


class _RefusedError(Exception):
    """What a call is refused with: words of our own."""

    def __init__(self, code: grpc.StatusCode, why: str) -> None:
        super().__init__(why)
        self.code = code
        self.why = why


class ChainService:
    """It implements the service `Chain`."""

    def __init__(
        self,
        mint: Minting,
        find: Callable[[UUID], Awaitable[Mint | None]],
        balance: Callable[[str], Awaitable[int]],
    ) -> None:
        self._mint = mint
        self._find = find
        self._balance = balance
        self._begun: set[asyncio.Task[Mint]] = set()

    async def MintToken(self, request: pb.MintTokenRequest, context: Context) -> pb.MintTokenResponse:  # noqa: N802 -- the service's name for it
        """Have tokens minted. What was begun goes on to its end, also if the caller goes."""
        return await _or_abort(context, self._minted(request, _deadline(context)))

    async def MintTokens(self, request: pb.MintTokensRequest, context: Context) -> pb.MintTokensResponse:  # noqa: N802 -- as above
        """The same for several."""
        await _see_how_many(context, len(request.mints))
        deadline = _deadline(context)
        outcomes = await asyncio.gather(*(_settled(self._minted(each, deadline)) for each in request.mints))
        told = [pb.MintTokensResponse.Outcome(code=code, why=why, mint=mint) for code, why, mint in outcomes]
        return pb.MintTokensResponse(outcomes=told)

    async def GetMint(self, request: pb.GetMintRequest, context: Context) -> pb.GetMintResponse:  # noqa: N802 -- as above
        """How far a mint is."""
        return await _or_abort(context, self._found(request.request_id))

    async def GetMints(self, request: pb.GetMintsRequest, context: Context) -> pb.GetMintsResponse:  # noqa: N802 -- as above
        """The same for several."""
        await _see_how_many(context, len(request.request_ids))
        outcomes = await asyncio.gather(*(_settled(self._found(each)) for each in request.request_ids))
        told = [pb.GetMintsResponse.Outcome(code=code, why=why, mint=mint) for code, why, mint in outcomes]
        return pb.GetMintsResponse(outcomes=told)

    async def GetBalance(self, request: pb.GetBalanceRequest, context: Context) -> pb.GetBalanceResponse:  # noqa: N802 -- as above
        """How much an address has."""
        return await _or_abort(context, self._held(request.address))

    async def drain(self) -> None:
        """Wait until all that was begun has ended."""
        if self._begun:
            await asyncio.wait(self._begun)

    async def _minted(self, request: pb.MintTokenRequest, deadline: float) -> pb.MintTokenResponse:
        try:
            order = order_of(request)
        except InvalidMint as error:
            raise _RefusedError(grpc.StatusCode.INVALID_ARGUMENT, str(error)) from None
        task = asyncio.ensure_future(self._mint(order, deadline))
        self._begun.add(task)
        task.add_done_callback(self._ended)
        try:
            mint = await asyncio.shield(task)
        except RequestReused as error:
            raise _RefusedError(grpc.StatusCode.ALREADY_EXISTS, str(error)) from None
        except ChainAway:
            raise _RefusedError(grpc.StatusCode.UNAVAILABLE, NOTHING_SIGNED) from None
        except UnknownAnswer:
            raise _RefusedError(grpc.StatusCode.UNKNOWN, NOBODY_KNOWS) from None
        return pb.MintTokenResponse(tx_hash=mint.tx_hash or "", status=status_of(mint))

    async def _found(self, request_id: str) -> pb.GetMintResponse:
        try:
            mint = await self._find(request_id_of(request_id))
        except InvalidMint as error:
            raise _RefusedError(grpc.StatusCode.INVALID_ARGUMENT, str(error)) from None
        except Unavailable:
            raise _RefusedError(grpc.StatusCode.UNAVAILABLE, "the database takes no work for now") from None
        if mint is None:
            raise _RefusedError(grpc.StatusCode.NOT_FOUND, "nothing was signed for this request id")
        return pb.GetMintResponse(
            tx_hash=mint.tx_hash or "",
            status=status_of(mint),
            to=mint.order.to,
            amount=word(mint.order.amount),
            failure=mint.failure or "",
        )

    async def _held(self, address: str) -> pb.GetBalanceResponse:
        try:
            return pb.GetBalanceResponse(amount=word(await self._balance(address_of("address", address))))
        except InvalidMint as error:
            raise _RefusedError(grpc.StatusCode.INVALID_ARGUMENT, str(error)) from None
        except Unavailable:
            raise _RefusedError(grpc.StatusCode.UNAVAILABLE, "the chain does not answer for now") from None

    def _ended(self, task: asyncio.Task[Mint]) -> None:
        self._begun.discard(task)
        if not task.cancelled():
            task.exception()  # its caller has it, or nobody has any more


def _deadline(context: Context) -> float:
    left_s = context.time_remaining()
    return asyncio.get_running_loop().time() + min(LONGEST_S if left_s is None else left_s, LONGEST_S)


async def _or_abort(context: Context, answer: Coroutine[object, object, T]) -> T:
    try:
        return await answer
    except _RefusedError as refused:
        await context.abort(refused.code, refused.why)
    raise AssertionError("it has ended the call")


async def _settled(answer: Coroutine[object, object, T]) -> tuple[int, str, T | None]:
    """The answer with its code, whatever that is: what is wrong with one of several is not the others' fault."""
    try:
        return _number(grpc.StatusCode.OK), "", await answer
    except _RefusedError as refused:
        return _number(refused.code), refused.why, None
    except Exception as error:
        log_bug("one of several", error)
        return _number(grpc.StatusCode.INTERNAL), BUG, None


async def _see_how_many(context: Context, count: int) -> None:
    if count > MOST_AT_ONCE:
        await context.abort(grpc.StatusCode.INVALID_ARGUMENT, f"more than {MOST_AT_ONCE} at once")


def _number(code: grpc.StatusCode) -> int:
    number: int = code.value[0]
    return number
