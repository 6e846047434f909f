"""A server to ask, with what stands behind it in the test's hands."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import grpc
import pytest

from app.contexts.chain.adapters.grpc.chain_pb2_grpc import ChainStub
from app.contexts.chain.adapters.grpc.client import GrpcChain
from app.contexts.chain.adapters.grpc.server import Served, serving
from app.contexts.chain.adapters.grpc.service import ChainService
from app.contexts.chain.public import Mint, MintOrder, MintStatus
from app.contexts.chain.settings import Endpoint
from app.platform.process.processes import free_port
from tests.chain.adapter import CALL_S

TOKEN = "a-token-of-the-tests"
HASH = "0x" + "ab" * 32
SECRET = "what nobody outside may read"
GOOD: dict[str, Any] = {"request_id": str(uuid4()), "to": "0x" + "5b" * 20, "amount": b"\x01"}


class Minting:
    """What stands behind the service: it does as it is told."""

    def __init__(self) -> None:
        self.raises: Exception | None = None
        self.raises_for: MintOrder | None = None
        self.waits_for = asyncio.Event()
        self.waits_for.set()
        self.has_begun, self.has_done = asyncio.Event(), asyncio.Event()
        self.done: list[MintOrder] = []
        self.deadlines: list[float] = []

    async def mint(self, asked: MintOrder, deadline: float) -> Mint:
        self.deadlines.append(deadline - asyncio.get_running_loop().time())
        self.has_begun.set()
        await self.waits_for.wait()
        if self.raises and self.raises_for in (None, asked):
            raise self.raises
        self.done.append(asked)
        self.has_done.set()
        return Mint(asked, MintStatus.BROADCAST, HASH)

    async def find(self, request_id: UUID) -> Mint | None:
        if self.raises:
            raise self.raises
        return next((Mint(each, MintStatus.MINED, HASH) for each in self.done if each.request_id == request_id), None)

    async def balance(self, _: str) -> int:
        if self.raises:
            raise self.raises
        return 2**255


class Place:
    """A server, and what stands behind it."""

    def __init__(self, minting: Minting, served: Served, port: int) -> None:
        self.minting, self.served, self.port = minting, served, port

    @asynccontextmanager
    async def stub(self, **metadata: str) -> AsyncIterator[Any]:
        """The generated client, with metadata."""
        async with grpc.aio.insecure_channel(f"127.0.0.1:{self.port}") as channel:
            given = tuple((metadata or {"authorization": f"Bearer {TOKEN}"}).items())
            stub: Any = ChainStub(channel)  # type: ignore[no-untyped-call]
            yield lambda method, message, **more: getattr(stub, method)(
                message, metadata=given, **({"timeout": CALL_S} | more)
            )

    @asynccontextmanager
    async def client(self, token: str = TOKEN) -> AsyncIterator[GrpcChain]:
        """What other contexts ask by."""
        client = GrpcChain(Endpoint(f"127.0.0.1:{self.port}", is_tls=False), token, "")
        async with client.opened():
            yield client


@asynccontextmanager
async def place_of(tls: tuple[Path, Path] | None = None, grace_s: float = 5.0) -> AsyncIterator[Place]:
    """A server."""
    minting, port = Minting(), free_port()
    service = ChainService(minting.mint, minting.find, minting.balance)
    async with serving(service, f"127.0.0.1:{port}", TOKEN, tls, grace_s) as served:
        yield Place(minting, served, port)


async def code_of(call: Any) -> tuple[grpc.StatusCode, str]:
    """The code and the words that a call is refused with."""
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await call
    return refused.value.code(), refused.value.details() or ""
