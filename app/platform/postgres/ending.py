"""An end to looks at databases that may take long, on the signals that ask for one."""

import asyncio
import signal
from typing import Any, Self

import click
from psycopg import AsyncConnection

from app.platform.postgres.pool import hang_up


class EndedBySignals:
    """SIGTERM and SIGINT end what is done meanwhile, at once, whatever it is that fails then, with `Abort`.

    Once there are connections we hang up: a query that is cancelled before its server has begun it would be waited for
    to its end.
    """

    def __init__(self) -> None:
        self.connections: list[AsyncConnection[Any]] = []
        self._came = False

    def __enter__(self) -> Self:
        task, loop = asyncio.current_task(), asyncio.get_running_loop()
        assert task is not None
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._come, task)
        return self

    def __exit__(self, _: object, error: BaseException | None, __: object) -> None:
        if self._came:
            raise click.Abort from error

    def _come(self, task: asyncio.Task[Any]) -> None:
        self._came = True
        for connection in self.connections:
            hang_up(connection)
        if not self.connections:
            task.cancel()
