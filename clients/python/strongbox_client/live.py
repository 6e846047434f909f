"""Streams that go on over connections that end: server-sent events, each of them once."""

import re
from collections.abc import Generator, Iterator
from dataclasses import replace
from typing import Any, Final

from strongbox_client import verdicts
from strongbox_client.calls import UNREADABLE, Answer, Call, error_of
from strongbox_client.conversation import is_outdated, sending, token_of
from strongbox_client.errors import NoAnswer, StrongboxError, UnexpectedAnswer
from strongbox_client.operations.auctions import LAST_EVENT_ID, AuctionView, LiveEvent, LiveKind
from strongbox_client.terms import Give, Open, Read, StreamTalk, Terms, Wait
from strongbox_client.values import decoded

SILENCE_S: Final = 45.0
"""A stream that says nothing for so long is dead: there is a comment every 15 s."""
_NO_MORE: Final = 204
_LAST: Final = (LiveKind.ENDED, LiveKind.CANCELLED)
_RETRY: Final = re.compile(r"[0-9]{1,6}")


class Lines:
    """What has come of a stream, as its events."""

    def __init__(self) -> None:
        self.retry_s = 1.0
        self._rest = b""
        self._fields: dict[str, str] = {}

    def begin(self) -> None:
        """A new connection: what was begun on the last one is told anew."""
        self._rest, self._fields = b"", {}

    def take(self, piece: bytes) -> Iterator[LiveEvent]:
        """The events that are whole by this.

        Raises:
            UnexpectedAnswer: it is no stream of the service's.
        """
        *lines, self._rest = (self._rest + piece).split(b"\n")
        for line in lines:
            try:
                text = line.removesuffix(b"\r").decode()
                event = None if text else self._event()
            except (*UNREADABLE, ValueError) as error:
                raise UnexpectedAnswer(200, f"it is no stream of events: {error}") from None
            if event:
                yield event
            name, _, value = text.partition(":")
            self._note(name, value.removeprefix(" "))

    def _note(self, name: str, value: str) -> None:
        if name == "retry" and _RETRY.fullmatch(value):
            self.retry_s = int(value) / 1000
        before = self._fields.get(name)
        self._fields[name] = f"{before}\n{value}" if name == "data" and before is not None else value

    def _event(self) -> LiveEvent | None:
        fields, self._fields = self._fields, {}
        if "data" not in fields or "id" not in fields:
            return None
        kind = LiveKind(fields.get("event", "message"))
        return LiveEvent(int(fields["id"]), kind, decoded(fields["data"].encode(), AuctionView))


def watch(call: Call[LiveEvent], terms: Terms) -> StreamTalk:
    """Give every event, over as many connections as it takes, up to the last one.

    Raises:
        StrongboxError: it says no, or there was nothing to be heard until the deadline.
    """
    return _Watch(call, terms).talk()


class _Watch:
    def __init__(self, call: Call[LiveEvent], terms: Terms) -> None:
        self._call = call
        self._terms = terms
        self._lines = Lines()
        self._hears()

    def _hears(self) -> None:
        self._until = self._terms.clock() + self._terms.patience.deadline_s
        self._refused: str | None = None

    def talk(self) -> StreamTalk:
        while True:
            token = yield from token_of(self._call, self._terms, self._until, self._refused)
            heard = yield Open(sending(self._call, token, self._terms, self._until), SILENCE_S)
            failed: StrongboxError
            if isinstance(heard, NoAnswer):
                failed = heard
            elif not heard.is_success:
                failed = error_of(heard)
            elif heard.status == _NO_MORE or (yield from self._follow()):
                return
            else:
                failed = NoAnswer("the stream ended", was_sent=True)
            if self._refused is None and is_outdated(failed, token, self._terms):
                self._refused = token
            else:
                yield Wait(self._wait_s(failed, heard))

    def _follow(self) -> Generator[Read | Give, Any, bool]:
        """Give what comes; whether it was all."""
        self._lines.begin()
        while piece := (yield Read()):
            if isinstance(piece, NoAnswer):
                return False
            self._hears()
            for event in self._lines.take(piece):
                yield Give(event)
                self._call = _after(self._call, event.id)
                if event.type in _LAST:
                    return True
        return False

    def _wait_s(self, failed: StrongboxError, heard: Answer | NoAnswer) -> float:
        """How long to wait for the next connection.

        Raises:
            StrongboxError: there is no use in one.
        """
        if not isinstance(failed, (NoAnswer, *verdicts.NOTHING_DONE)) and not verdicts.may_pass(failed):
            raise failed
        told = verdicts.retry_after_s(heard, self._terms.wall_clock()) if isinstance(heard, Answer) else None
        wait_s = max(self._lines.retry_s, told or 0.0)
        if self._terms.clock() + wait_s >= self._until:
            raise failed
        return wait_s


def _after(call: Call[LiveEvent], event_id: int) -> Call[LiveEvent]:
    """The same from behind that event on."""
    rest = tuple(header for header in call.headers if header[0] != LAST_EVENT_ID)
    return replace(call, headers=(*rest, (LAST_EVENT_ID, str(event_id))))
