"""The client whose calls are awaited: what it does when a conversation asks for it. It decides nothing."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from typing import TypeVar, cast

import httpx

from strongbox_client.calls import Answer, Call
from strongbox_client.conversation import converse
from strongbox_client.credentials import Credential
from strongbox_client.errors import NoAnswer, StrongboxError
from strongbox_client.live import watch
from strongbox_client.operation import Awaiting
from strongbox_client.operations.auctions import LiveEvent
from strongbox_client.pages import AsyncPages, Page
from strongbox_client.shared import IN_VAIN, AnyClient, in_time, next_of, no_answer, request
from strongbox_client.terms import Alone, Give, Open, Patience, Read, Send, Step, Talk, Terms, Wait

T = TypeVar("T")


class AsyncClient(AnyClient[Awaiting], AbstractAsyncContextManager["AsyncClient"]):
    """The same for asyncio: each call is awaited, each list iterated by `async for`."""

    def __init__(
        self,
        base_url: str,
        credential: Credential | None = None,
        *,
        api_key: str | None = None,
        patience: Patience = Patience(),  # noqa: B008 -- it is frozen
        http: httpx.AsyncClient | None = None,
    ) -> None:
        super().__init__(Terms(base_url.rstrip("/"), credential, api_key, patience), asyncio.Lock)
        self._http = http or httpx.AsyncClient()

    async def call(self, call: Call[T]) -> T:
        """What the call answers."""
        return await self._have(converse(call, self._terms))

    def pages(self, call: Call[Page[T]]) -> AsyncPages[T]:
        """What is on its pages."""
        return AsyncPages(self.call, call)

    async def stream(self, call: Call[LiveEvent]) -> AsyncIterator[LiveEvent]:
        """What it goes on telling."""
        talk = watch(call, self._terms)
        heard: Answer | bytes | StrongboxError | None = None
        async with AsyncExitStack() as opened:
            pieces: AsyncIterator[bytes] | None = None
            while (step := next_of(talk, heard)) is not None:
                heard = None
                match step:
                    case Open():
                        await opened.aclose()
                        heard, pieces = await self._open(step, opened)
                    case Read():
                        heard = await _piece(pieces)
                    case Give(event):
                        yield event
                    case _:
                        heard = await self._do(step)

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def _have(self, talk: Talk[T]) -> T:
        heard: Answer | StrongboxError | None = None
        while True:
            try:
                step = talk.send(heard)
            except StopIteration as end:
                return cast("T", end.value)
            heard = await self._do(step)

    async def _do(self, step: Step) -> Answer | StrongboxError | None:
        match step:
            case Send():
                return await self._send(step)
            case Wait(seconds):
                await asyncio.sleep(seconds)
            case Alone(talk):
                try:
                    async with self._lock:
                        await self._have(talk)
                except StrongboxError as error:
                    return error
        return None

    async def _open(self, step: Open, opened: AsyncExitStack) -> tuple[Answer | NoAnswer, AsyncIterator[bytes] | None]:
        try:
            response = await opened.enter_async_context(self._http.stream(**request(step.send, step.silence_s)))
            body = b"" if response.is_success else await response.aread()
        except IN_VAIN as error:
            return no_answer(error), None
        return Answer(response.status_code, response.headers, body), response.aiter_bytes()

    async def _send(self, send: Send) -> Answer | NoAnswer:
        received = bytearray()
        try:
            async with self._http.stream(**request(send)) as response:
                async for chunk in response.aiter_bytes():
                    received += chunk
                    in_time(send, self._terms)
                return Answer(response.status_code, response.headers, bytes(received))
        except IN_VAIN as error:
            return no_answer(error)


async def _piece(pieces: AsyncIterator[bytes] | None) -> bytes | NoAnswer:
    try:
        return await anext(pieces, b"") if pieces else b""
    except IN_VAIN as error:
        return no_answer(error)
