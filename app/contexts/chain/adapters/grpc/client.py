"""The chain, as other contexts see it: through the adapter, over gRPC.

What is asked in one moment goes in one call. An adapter that knows no such calls is asked one by one.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final, TypeVar
from uuid import UUID

import grpc

from app.contexts.chain.adapters.grpc import chain_pb2 as pb
from app.contexts.chain.adapters.grpc.chain_pb2_grpc import ChainStub
from app.contexts.chain.adapters.grpc.channels import channel_to
from app.contexts.chain.adapters.grpc.messages import NOTHING_SIGNED, known_status, mint_of, word
from app.contexts.chain.adapters.grpc.together import Together
from app.contexts.chain.adapters.grpc.tokens import carried
from app.contexts.chain.domain.mint import Mint, MintOrder
from app.contexts.chain.domain.refusals import ChainAway, InvalidMint, RequestReused, UnknownAnswer
from app.contexts.chain.settings import Endpoint

T = TypeVar("T")

AT_ONCE: Final = 256


class GrpcChain:
    """It implements `Chain`. It works while it is open."""

    def __init__(self, endpoint: Endpoint, token: str, authority: str) -> None:
        self._endpoint = endpoint
        self._metadata = carried(token)
        self._authority = authority
        self._stub: Any = None
        self._minting = Together(self._mint_all, AT_ONCE)
        self._finding = Together(self._find_all, AT_ONCE)
        self._takes_several = True

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[None]:
        """Open meanwhile. The adapter need not be there yet."""
        async with channel_to(self._endpoint, self._authority) as channel:
            self._stub = ChainStub(channel)  # type: ignore[no-untyped-call]  # generated
            yield

    async def mint(self, order: MintOrder, timeout_s: float) -> Mint:
        """See `Chain.mint`."""
        request = pb.MintTokenRequest(request_id=str(order.request_id), to=order.to, amount=word(order.amount))
        answer = await self._minting.submit(request, timeout_s)
        try:
            return Mint(order, known_status(answer.status), answer.tx_hash or None)
        except ValueError:
            raise UnknownAnswer("the adapter answers with a status that is not known here") from None

    async def get_mint(self, request_id: UUID, timeout_s: float) -> Mint | None:
        """See `Chain.get_mint`."""
        try:
            answer = await self._finding.submit(pb.GetMintRequest(request_id=str(request_id)), timeout_s)
        except _NotFoundError:
            return None
        try:
            return mint_of(answer, request_id)
        except ValueError:
            raise UnknownAnswer("the adapter answers with a status that is not known here") from None

    async def balance(self, address: str, timeout_s: float) -> int:
        """See `Chain.balance`."""
        answer = await self._call(self._stub.GetBalance, pb.GetBalanceRequest(address=address), timeout_s)
        return int.from_bytes(answer.amount, "big")

    async def _mint_all(
        self, requests: Sequence[pb.MintTokenRequest], timeout_s: float
    ) -> Sequence[pb.MintTokenResponse | Exception]:
        def several() -> Awaitable[pb.MintTokensResponse]:
            return self._call(self._stub.MintTokens, pb.MintTokensRequest(mints=requests), timeout_s)

        return await self._ask_all(requests, several, self._stub.MintToken, timeout_s)

    async def _find_all(
        self, requests: Sequence[pb.GetMintRequest], timeout_s: float
    ) -> Sequence[pb.GetMintResponse | Exception]:
        def several() -> Awaitable[pb.GetMintsResponse]:
            ids = [each.request_id for each in requests]
            return self._call(self._stub.GetMints, pb.GetMintsRequest(request_ids=ids), timeout_s)

        return await self._ask_all(requests, several, self._stub.GetMint, timeout_s)

    async def _ask_all(
        self, requests: Sequence[Any], several: Callable[[], Awaitable[Any]], one: Any, timeout_s: float
    ) -> Sequence[Any]:
        """What each is answered, or what that means: by one call, or one for each."""
        until = asyncio.get_running_loop().time() + timeout_s
        if self._takes_several and len(requests) > 1:
            try:
                outcomes = (await several()).outcomes
            except _UnknownMethodError:
                self._takes_several = False
            else:
                if len(outcomes) != len(requests):
                    raise UnknownAnswer("the adapter answers something else")
                return [each.mint if not each.code else _meaning(_code(each.code), each.why) for each in outcomes]
        left_s = until - asyncio.get_running_loop().time()
        calls = (self._call(one, each, left_s) for each in requests)
        return await asyncio.gather(*calls, return_exceptions=True)

    async def _call(self, method: Callable[..., Awaitable[T]], request: object, timeout_s: float) -> T:
        try:
            return await method(request, timeout=timeout_s, metadata=self._metadata)
        except grpc.aio.AioRpcError as error:
            raise _meaning(error.code(), error.details()) from None


class _NotFoundError(Exception):
    """There is no such mint."""


class _UnknownMethodError(UnknownAnswer):
    """The adapter is an older one, or somebody else's."""


def _code(number: int) -> grpc.StatusCode:
    """The code with this number; UNKNOWN where there is none."""
    return next((code for code in grpc.StatusCode if code.value[0] == number), grpc.StatusCode.UNKNOWN)


def _meaning(code: grpc.StatusCode, why: str | None) -> Exception:
    """What a status means. UNAVAILABLE does not tell "never sent" from "killed while it was handled": only the words of
    the adapter's own say that nothing was signed. The words of others are not passed on."""
    match code:
        case grpc.StatusCode.NOT_FOUND:
            return _NotFoundError()
        case grpc.StatusCode.INVALID_ARGUMENT:
            return InvalidMint(why or "the adapter refuses it")
        case grpc.StatusCode.ALREADY_EXISTS:
            return RequestReused()
        case grpc.StatusCode.UNAUTHENTICATED:
            return ChainAway("the adapter refuses CHAIN_TOKEN")
        case grpc.StatusCode.UNIMPLEMENTED:
            return _UnknownMethodError("the adapter does not know what it was asked")
        case grpc.StatusCode.UNAVAILABLE if why == NOTHING_SIGNED:
            return ChainAway("the adapter has no chain to work with")
        case _:
            return UnknownAnswer(f"the adapter does not answer: {code.name}")
