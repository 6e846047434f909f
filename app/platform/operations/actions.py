"""What operators do is recorded: before it begins, and how it ended."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


class NotRecorded(Exception):  # noqa: N818 -- the message says what to do
    """An action could not be written into `audit.actions`; the message says whether it was done all the same."""


class Actions(Protocol):
    """The record of what operators do. It can only be added to."""

    async def record(self, action: str, details: Mapping[str, object]) -> int:
        """Add an action; the number of its row.

        Raises:
            NotRecorded: it could not be written.
        """
        ...


@dataclass(frozen=True, slots=True)
class RecordedAction:
    """A row of `audit.actions`, with its number."""

    number: int
    at: datetime
    operator: str
    action: str
    details: Mapping[str, object]


class ActionLog(Protocol):
    """What operators did, to be read."""

    async def newest(self, before: int | None, most: int) -> Sequence[RecordedAction]:
        """Up to `most` actions, newest first, of those with smaller numbers than `before`.

        Raises:
            Unavailable: the record is out of reach.
        """
        ...


@asynccontextmanager
async def recorded(actions: Actions, action: str, details: Mapping[str, object]) -> AsyncIterator[dict[str, object]]:
    """Record the action before it begins, and at its end what the block has put into the yielded dict.

    The dict has the number of the first row as `began_as`. An action that was killed has its first row only.

    Raises:
        NotRecorded: nothing was done, as it could not be recorded; or its end could not be.
    """
    try:
        began = await actions.record(action, {**details, "phase": "begins"})
    except NotRecorded as error:
        raise NotRecorded(f"nothing was done: {error}") from error
    outcome: dict[str, object] = {"began_as": began}
    try:
        yield outcome
    except BaseException as error:
        with suppress(NotRecorded):  # what went wrong before matters more
            await actions.record(action, {"phase": "failed", **outcome, "error": type(error).__name__})
        raise
    try:
        await actions.record(action, {"phase": "ended", **outcome})
    except NotRecorded as error:
        raise NotRecorded(f"done, but {error}; its beginning is action {began}") from error
