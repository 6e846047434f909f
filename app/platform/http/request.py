"""A request as the handler of its operation sees it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Generic, Literal, TypeVar, overload

from msgspec import Struct

from app.kernel.principal import Principal, TenantId
from app.platform.http.csv_body import CsvBody
from app.platform.http.forms import FormOrJsonBody, Malformed
from app.platform.http.headers import Head
from app.platform.http.json_body import JsonBody
from app.platform.http.limited import past
from app.platform.http.visitor import NOBODY, Visitor
from app.platform.limits.ports import LOGIN, LimitName, Limits
from app.platform.people import Credential

T = TypeVar("T")
S = TypeVar("S", bound=Struct)

Body = JsonBody[Any] | FormOrJsonBody[Any] | CsvBody


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Parameter(Generic[T]):
    """Something that a request says beside its body.

    `read` makes a value of it, or raises a Problem: of the segment's text in a path; of the text in a query, None where
    it is left out; of the whole head for a header. `key` is its name in the document, where all names are different.
    One of a query that `is_prefix` is all whose names begin with its own and a dot: `read` gets a mapping by what
    follows.
    """

    name: str
    where: Literal["path", "query", "header"]
    read: Callable[[Any], T]
    description: str
    schema: Mapping[str, Any]
    required: bool = False
    example: Any = None
    key: str = ""
    is_prefix: bool = False


_NO_FIELDS: Final[Mapping[str, Any]] = {}


class Request:
    """A request as the handler of its operation sees it: `request[PARAMETER]` is that parameter's value.

    `error_code`, `is_replayed` and `log_fields` are for the handler to tell metrics and log. `visitor` is where the
    request comes from and goes to, as far as that is looked at: under /v1. `tenant_id` is whose people the request is
    about: the principal's tenant, or that of the host where nobody was let in.
    """

    __slots__ = (
        "_given",
        "_log_ins",
        "credential",
        "error_code",
        "head",
        "is_replayed",
        "limits",
        "log_fields",
        "principal",
        "query",
        "raw_body",
        "segments",
        "tenant_id",
        "visitor",
    )

    principal: Principal | None
    """Who asks, if somebody was let in."""
    tenant_id: TenantId

    def __init__(
        self,
        head: Head,
        segments: Sequence[str],
        query: bytes,
        raw_body: bytes = b"",
        visitor: Visitor = NOBODY,
        limits: Limits | None = None,
    ) -> None:
        self.head = head
        self.segments = segments
        self.query = query
        self.raw_body = raw_body
        self.visitor = visitor
        self.limits = limits
        self.error_code: str | None = None
        self.is_replayed = False
        self.log_fields = _NO_FIELDS
        self.principal = None
        self.credential: Credential | None = None
        """What let in who asks: a stream is over once it does no more."""
        self._given: dict[Parameter[Any] | Body, Any] = {}
        self._log_ins: list[str] = []

    @property
    def asker(self) -> Principal:
        """Who asks, on operations for those who are let in."""
        assert self.principal is not None, "the operation lets nobody in without a credential"
        return self.principal

    async def take(self, name: LimitName, key: str) -> None:
        """Take a token out of a bucket; without limits there is always one.

        Raises:
            Problem: there is none: 429.
        """
        if self.limits is None:
            return
        if refused := await self.limits.take(name, key):
            raise past(refused)
        if name == LOGIN:
            self._log_ins.append(key)

    async def take_log_in(self) -> None:
        """Take a token out of the address's bucket of log-ins, which operations with the bucket `login` do unasked.

        Raises:
            Problem: there is none: 429.
        """
        await self.take(LOGIN, f"ip:{self.visitor.address}")

    async def give_back_log_in(self) -> None:
        """Put back what this request took of log-ins: it was a success."""
        while self.limits is not None and self._log_ins:
            await self.limits.give_back(LOGIN, self._log_ins.pop())

    @overload
    def __getitem__(self, part: Parameter[T]) -> T: ...

    @overload
    def __getitem__(self, part: JsonBody[S]) -> S: ...

    @overload
    def __getitem__(self, part: FormOrJsonBody[S]) -> S | Malformed: ...

    @overload
    def __getitem__(self, part: CsvBody) -> bytes: ...

    def __getitem__(self, part: Parameter[Any] | Body) -> Any:
        """The value of a parameter, or of the body, that the operation declares."""
        return self._given[part]

    def __setitem__(self, part: Parameter[Any] | Body, value: object) -> None:
        """Note what was read."""
        self._given[part] = value
