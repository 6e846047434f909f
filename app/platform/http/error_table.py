"""The one table from what may be raised to what HTTP answers. It follows from the operations."""

from collections.abc import Iterable

from litestar.exceptions import HTTPException

from app.kernel.errors import Unavailable
from app.kernel.refusals import Refusal
from app.platform.http.challenges import not_let_in
from app.platform.http.codes import INTERNAL, ErrorCode
from app.platform.http.errors import (
    Problem,
    log_malformed,
    log_unavailable,
    log_unexpected,
    unavailable,
    validation,
)
from app.platform.http.operations import Operation
from app.platform.people import NotLetIn

_NAMED = ("body", "query", "request", "Authorization", "Host", "Transfer-Encoding", "Upgrade")


class ErrorTable:
    """What each error is to the client, whichever of the operations met it."""

    def __init__(self, operations: Iterable[Operation]) -> None:
        self._kinds: dict[type[Refusal], ErrorCode] = {}
        named = {*_NAMED}
        for operation in operations:
            named.update(parameter.name for parameter in operation.parameters)
            named.update(operation.body.members if operation.body else ())
            for kind in operation.errors:
                self._kinds.update(dict.fromkeys(kind.refusals, kind))
        self._named = frozenset(named)
        """What may be wrong with a request and has a name of ours. Any other is the client's own word: never logged."""

    def problem_of(self, error: BaseException) -> Problem:
        """What the error is to the client. What is malformed is logged, and why nothing can be told for now, and what
        nobody foresaw: of those two the client is told nothing."""
        problem = self._problem_of(error)
        self.log_malformed(problem)
        return problem

    def log_malformed(self, problem: Problem) -> None:
        """Log what is wrong with a request that is malformed, if it is."""
        log_malformed(problem, self._named)

    def _problem_of(self, error: BaseException) -> Problem:
        match error:
            case Problem():
                return error
            case Unavailable():
                log_unavailable(error)
                return unavailable()
            case NotLetIn():
                return not_let_in()
            case Refusal() if type(error) in self._kinds:
                return _refused(error, self._kinds[type(error)])
            case HTTPException(status_code=status) if status < 500:
                # Litestar looks at a few things of its own, such as the form of Host.
                return validation({"request": "is not well-formed"})
            case _:
                log_unexpected(error)
                return Problem(INTERNAL)


def _refused(refusal: Refusal, kind: ErrorCode) -> Problem:
    retry = {} if kind.retry_after_s is None else {"Retry-After": str(kind.retry_after_s(refusal))}
    return Problem(kind, str(refusal), kind.details_of(refusal), retry)
