"""The client whose calls answer: what it does when a conversation asks for it. It decides nothing."""

import threading
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack
from typing import TypeVar, cast

import httpx

from strongbox_client.calls import Answer, Call
from strongbox_client.conversation import converse
from strongbox_client.credentials import Credential
from strongbox_client.errors import NoAnswer, StrongboxError
from strongbox_client.live import watch
from strongbox_client.operation import Blocking
from strongbox_client.operations.auctions import LiveEvent
from strongbox_client.pages import Page, Pages
from strongbox_client.shared import IN_VAIN, AnyClient, in_time, next_of, no_answer, request
from strongbox_client.terms import Alone, Give, Open, Patience, Read, Send, Step, Talk, Terms, Wait

T = TypeVar("T")


class Client(AnyClient[Blocking], AbstractContextManager["Client"]):
    """A client of the service at `base_url`, as `credential` under `/v1`, with `api_key` under `/wallets`.

    Any number of threads may use it. `http` is an httpx client of your own, for its TLS, proxies or limits.
    """

    def __init__(
        self,
        base_url: str,
        credential: Credential | None = None,
        *,
        api_key: str | None = None,
        patience: Patience = Patience(),  # noqa: B008 -- it is frozen
        http: httpx.Client | None = None,
    ) -> None:
        super().__init__(Terms(base_url.rstrip("/"), credential, api_key, patience), threading.Lock)
        self._http = http or httpx.Client()

    def call(self, call: Call[T]) -> T:
        """What the call answers."""
        return self._have(converse(call, self._terms))

    def pages(self, call: Call[Page[T]]) -> Pages[T]:
        """What is on its pages."""
        return Pages(self.call, call)

    def stream(self, call: Call[LiveEvent]) -> Iterator[LiveEvent]:
        """What it goes on telling."""
        talk = watch(call, self._terms)
        heard: Answer | bytes | StrongboxError | None = None
        with ExitStack() as opened:
            pieces: Iterator[bytes] = iter(())
            while (step := next_of(talk, heard)) is not None:
                heard = None
                match step:
                    case Open():
                        opened.close()
                        heard, pieces = self._open(step, opened)
                    case Read():
                        heard = _piece(pieces)
                    case Give(event):
                        yield event
                    case _:
                        heard = self._do(step)

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def __exit__(self, *_: object) -> None:
        self.close()

    def _have(self, talk: Talk[T]) -> T:
        heard: Answer | StrongboxError | None = None
        while True:
            try:
                step = talk.send(heard)
            except StopIteration as end:
                return cast("T", end.value)
            heard = self._do(step)

    def _do(self, step: Step) -> Answer | StrongboxError | None:
        match step:
            case Send():
                return self._send(step)
            case Wait(seconds):
                time.sleep(seconds)
            case Alone(talk):
                try:
                    with self._lock:
                        self._have(talk)
                except StrongboxError as error:
                    return error
        return None

    def _open(self, step: Open, opened: ExitStack) -> tuple[Answer | NoAnswer, Iterator[bytes]]:
        try:
            response = opened.enter_context(self._http.stream(**request(step.send, step.silence_s)))
            body = b"" if response.is_success else response.read()
        except IN_VAIN as error:
            return no_answer(error), iter(())
        return Answer(response.status_code, response.headers, body), response.iter_bytes()

    def _send(self, send: Send) -> Answer | NoAnswer:
        received = bytearray()
        try:
            with self._http.stream(**request(send)) as response:
                for chunk in response.iter_bytes():
                    received += chunk
                    in_time(send, self._terms)
                return Answer(response.status_code, response.headers, bytes(received))
        except IN_VAIN as error:
            return no_answer(error)


def _piece(pieces: Iterator[bytes]) -> bytes | NoAnswer:
    try:
        return next(pieces, b"")
    except IN_VAIN as error:
        return no_answer(error)
