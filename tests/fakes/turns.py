"""Giving way, under an event loop and by hand alike."""

from collections.abc import Generator
from types import coroutine
from typing import Any, TypeVar

T = TypeVar("T")


@coroutine
def turn() -> Generator[None, Any, Any]:
    """Let the others go on. An event loop resumes it with None; who drives it by hand may send in fates."""
    return (yield)


def fate_of(sent: object, kind: type[T]) -> T | None:
    """The fate of that kind among those sent in."""
    return next((fate for fate in sent if isinstance(fate, kind)), None) if isinstance(sent, tuple) else None
