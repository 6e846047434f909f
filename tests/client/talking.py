"""Conversations of the client's with a service that is a script, by a clock that waits for nobody."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

import msgspec

from strongbox_client.calls import Answer, Call
from strongbox_client.conversation import converse
from strongbox_client.credentials import Credential
from strongbox_client.errors import NoAnswer, StrongboxError
from strongbox_client.terms import Alone, Patience, Send, Talk, Terms, Wait

T = TypeVar("T")

USER, ID, AT = "6f0d5c1e-8a3b-4f39-9a52-0c1b7e2d4a10", "0193a5b2-7c4e-7d10-8f21-3b6a9c0e5d42", "2026-01-31T12:00:00Z"
TRANSFER = {
    "transfer_id": ID, "from": USER, "to": ID, "amount": 5, "currency": "USD", "note": None, "status": "COMPLETED",
    "created_at": AT,
}  # fmt: skip


def ok(said: Any, status: int = 200) -> Answer:
    """A success."""
    return Answer(status, {}, msgspec.json.encode(said))


def no(status: int, code: str, details: Mapping[str, Any] = {}, **headers: str) -> Answer:
    """A refusal."""
    said = {"error": {"code": code, "message": "no", "details": details}}
    return Answer(status, {name.replace("_", "-"): value for name, value in headers.items()}, msgspec.json.encode(said))


def silence() -> NoAnswer:
    """A time-out."""
    return NoAnswer("it took too long", was_sent=True)


def unreachable() -> NoAnswer:
    """A connection that was refused."""
    return NoAnswer("nobody listens", was_sent=False)


@dataclass
class Script:
    """Answers in their order; the last one goes on for ever. What was sent, and how long was waited, is noted."""

    answers: Sequence[Answer | NoAnswer]
    takes_s: float = 0.01
    """An answer."""
    now: float = 1000.0
    sent: list[Send] = field(default_factory=list)
    waited: list[float] = field(default_factory=list)
    alone: int = 0

    def terms(self, credential: Credential | None = None, **patience: float) -> Terms:
        return Terms(
            "https://strongbox.example",
            credential,
            "the-key",
            Patience(**patience),
            clock=lambda: self.now,
            wall_clock=lambda: 1_800_000_000.0,
            chance=lambda: 1.0,
        )

    def run(self, call: Call[T], credential: Credential | None = None, **patience: float) -> T:
        """Have the conversation."""
        return self.have(converse(call, self.terms(credential, **patience)))

    def have(self, talk: Talk[T]) -> T:
        heard: Answer | StrongboxError | None = None
        while True:
            try:
                step = talk.send(heard)
            except StopIteration as end:
                result: T = end.value
                return result
            heard = None
            match step:
                case Send():
                    heard = self._answer(step)
                case Wait(seconds):
                    self.waited.append(seconds)
                    self.now += seconds
                case Alone(inner):
                    self.alone += 1
                    try:
                        self.have(inner)
                    except StrongboxError as error:
                        heard = error

    def _answer(self, send: Send) -> Answer | NoAnswer:
        self.sent.append(send)
        answer = self.answers[min(len(self.sent), len(self.answers)) - 1]
        self.now += send.timeout_s if isinstance(answer, NoAnswer) and answer.was_sent else self.takes_s
        return answer

    def keys(self) -> set[str]:
        """The keys that were shown."""
        return {dict(each.headers)["Idempotency-Key"] for each in self.sent}
