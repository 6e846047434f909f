"""Idempotency keys: whose they are, and what is known under one."""

from typing import Any, Generic, NamedTuple, TypeVar
from uuid import UUID

from app.kernel.ids import UserId
from app.platform.idempotency.refusals import KeyInProgress, KeyReused

T = TypeVar("T")

KeyScope = tuple[UserId, str]
"""What identifies a request: its user, and the key that the user gave it."""


class Answer(NamedTuple):
    """A final response as it was, and will be, sent: byte for byte."""

    status: int
    body: bytes


class Answered(NamedTuple):
    """The request has its final answer, stored under its key. `replayed`: another run of it stored that."""

    answer: Answer
    replayed: bool = False


class KeyRecord(NamedTuple, Generic[T]):
    """What is known under an idempotency key: what its request made, if it got that far, and its answer, once final."""

    fingerprint: bytes
    made: T | None
    answer: Answer | None


class KeyedRequest(NamedTuple):
    """What a request of `/v1` is known by: who asks, the key that they gave it, and the fingerprint of what is asked.

    Whoever asks, a user or a machine, is of one tenant, and no other has that id.
    """

    asker_id: UUID
    key: str
    fingerprint: bytes

    @property
    def scope(self) -> KeyScope:
        """What its key is unique within: one namespace over all routes of `/v1`."""
        return (UserId(self.asker_id), self.key)


def recorded(fingerprint: bytes, record: KeyRecord[Any]) -> Answered | KeyReused | KeyInProgress:
    """What a request gets whose key has a record."""
    if record.fingerprint != fingerprint:
        return KeyReused()
    return KeyInProgress() if record.answer is None else Answered(record.answer, replayed=True)
