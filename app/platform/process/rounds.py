"""Work that goes on round after round, whatever a round of it meets."""

import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import structlog

from app.kernel.errors import Unavailable

LONGEST_WAIT_S: Final = 5.0

_log = structlog.get_logger(__name__)


class Rounds:
    """The rounds of a task that must not end: nobody else would do it, or notice.

    A neighbour that is away is told of once, and looked for as often as ever. Anything else is told of each time, as an
    error, with waits that grow up to `LONGEST_WAIT_S`: that is a missing grant, or a bug, and one of the next rounds
    finds it mended.
    """

    def __init__(self, task: str) -> None:
        self._task = task
        self._away: str | None = None
        self._failures = 0

    @contextmanager
    def survived(self) -> Iterator[None]:
        """A round: it ends well, or what ended it is told."""
        try:
            yield
        except Unavailable as error:
            if self._away != str(error):
                self._away = str(error)
                _log.warning("task_waits", task=self._task, reason=self._away)
        except Exception as error:
            self._failures += 1
            _log.error(
                "task_fails",
                task=self._task,
                failures=self._failures,
                error=f"{type(error).__module__}.{type(error).__qualname__}",
                sqlstate=getattr(error, "sqlstate", None),
                traceback="".join(traceback.format_tb(error.__traceback__)),
            )
        else:
            if self._failures or self._away is not None:
                _log.info("task_resumes", task=self._task, failures=self._failures)
            self._away, self._failures = None, 0

    def wait_s(self, usual_s: float) -> float:
        """How long the next round is waited for, which is `usual_s` unless it keeps failing."""
        return max(usual_s, min(LONGEST_WAIT_S, usual_s * 2.0 ** (min(self._failures, 30) - 1)))
