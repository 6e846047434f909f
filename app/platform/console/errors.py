"""The one table from errors to the page that says them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus

from litestar.exceptions import HTTPException

from app.kernel.errors import Unavailable
from app.platform.console.work import Busy
from app.platform.http.codes import RETRY_AFTER_S
from app.platform.http.errors import Problem, log_unexpected
from app.platform.messaging.replay import CannotReplay
from app.platform.operations.actions import NotRecorded


class Rejected(Exception):  # noqa: N818 -- it is an answer
    """A request that is answered with this status, and a page that says why."""

    def __init__(self, status: int, text: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(text)
        self.status = status
        self.headers = dict(headers or {})


@dataclass(frozen=True, slots=True)
class ErrorPage:
    """What an error is to the browser."""

    status: int
    text: str
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def title(self) -> str:
        """The status in words."""
        return HTTPStatus(self.status).phrase


def page_of(error: BaseException, not_found: tuple[type[Exception], ...] = ()) -> ErrorPage:
    """What the error is to the browser; one of `not_found` says what is not there. What nobody foresaw is logged, and
    tells nothing."""
    match error:
        case Rejected():
            return ErrorPage(error.status, str(error), error.headers)
        case _ if isinstance(error, not_found):
            return ErrorPage(404, str(error))
        case CannotReplay():
            return ErrorPage(400, str(error))
        case Busy():
            return ErrorPage(409, "other long work is under way: wait for its end, or cancel it")
        case NotRecorded():
            return ErrorPage(503, str(error), {"Retry-After": str(RETRY_AFTER_S)})
        case Unavailable():
            return ErrorPage(503, out_of_reach(error), {"Retry-After": str(RETRY_AFTER_S)})
        case Problem():
            details = "; ".join(f"{name} {why}" for name, why in error.details.items())
            return ErrorPage(error.status, f"{error.message}{': ' if details else ''}{details}", error.headers)
        case HTTPException(status_code=404):
            return ErrorPage(404, "there is no such page")
        case HTTPException(status_code=status) if status < 500:
            return ErrorPage(status, "the request is not one that this page takes")
        case _:
            log_unexpected(error)
            return ErrorPage(500, "something went wrong inside the console: its log has it")


def out_of_reach(error: Unavailable) -> str:
    """What is out of reach. Reads that the API shares tell only the class of what went wrong."""
    return str(error) if " " in str(error) else "the database cannot be reached, or does not answer in time"
