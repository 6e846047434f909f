"""Processes that die at a call of another context, or of their own database: before it, or behind it."""

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

T = TypeVar("T")


class Death(BaseException):
    """The process dies here."""


class Fate:
    """When the process dies: before the call of that number, or behind it, once its effect is there.

    A process that is to die at no call goes on to its end, and `calls` says which calls that takes.
    """

    def __init__(self, at: int | None = None, *, behind: bool = False) -> None:
        self._at = at
        self._behind = behind
        self.calls: list[str] = []

    async def call(self, name: str, calling: Callable[[], Awaitable[T]]) -> T:
        """The call, unless the process dies before it; its result, unless it dies behind it."""
        number = len(self.calls)
        self.calls.append(name)
        if number == self._at and not self._behind:
            raise Death
        result = await calling()
        if number == self._at:
            raise Death
        return result

    def of(self, name: str, function: Callable[..., Awaitable[T]]) -> Callable[..., Awaitable[T]]:
        """The function, whose calls count."""

        async def counted(*arguments: Any, **named: Any) -> T:
            return await self.call(name, lambda: function(*arguments, **named))

        return counted


class Mortal:
    """A port, each of whose calls counts."""

    def __init__(self, port: Any, fate: Fate) -> None:
        self._port = port
        self._fate = fate

    def __getattr__(self, name: str) -> Any:
        return self._fate.of(name, getattr(self._port, name))
