"""A request as the pages see it: who asks, and what is in the query and in the form, read strictly."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import parse_qs
from uuid import UUID

from litestar import Request

from app.platform.console.errors import Rejected
from app.platform.console.sessions import Session

MOST_FIELDS: Final = 250

Form = Mapping[str, Sequence[str]]


@dataclass(slots=True)
class Visit:
    """A request. `secret` is that of the session's cookie; `address` is the other end of the connection."""

    path: str
    address: str
    secret: str = ""
    session: Session | None = None
    form: Form = field(default_factory=dict)

    @property
    def operator(self) -> str:
        """Who asks. Pages that anyone may see do not call it."""
        assert self.session is not None
        return self.session.operator

    def value(self, name: str) -> str:
        """The form's one value of that name, without blanks around it; empty when there is none.

        Raises:
            Rejected: there are several, or one that is not printable.
        """
        values = self.form.get(name, ("",))
        text = values[0].strip()
        if len(values) > 1 or not text.isprintable():
            raise Rejected(400, f"{name} must be there once, and printable")
        return text

    def values(self, name: str) -> Sequence[str]:
        """The form's values of that name.

        Raises:
            Rejected: there is none, or one that is not printable.
        """
        texts = self.form.get(name, ())
        if not texts or not all(text.isprintable() for text in texts):
            raise Rejected(400, f"{name} must be there, and printable")
        return texts


def visit_of(request: Request[Any, Any, Any]) -> Visit:
    """The request's visit."""
    visit = request.scope["state"]["visit"]
    assert isinstance(visit, Visit)
    return visit


def form_of(body: bytes) -> Form:
    """The fields of a form's body.

    Raises:
        Rejected: it is none, or too long.
    """
    try:
        return parse_qs(
            body.decode("ascii"), keep_blank_values=True, strict_parsing=bool(body), errors="strict",
            max_num_fields=MOST_FIELDS,
        )  # fmt: skip
    except ValueError:
        raise Rejected(400, f"the form must be URL-encoded UTF-8 with at most {MOST_FIELDS} fields") from None


def uuid_of(text: str, what: str) -> UUID:
    """The text as a UUID.

    Raises:
        Rejected: it is none; the message names `what` it was to be.
    """
    try:
        return UUID(text.strip())
    except ValueError:
        raise Rejected(400, f"{what} must be a UUID, like 0190c7a0-0000-7000-8000-000000000001") from None


def time_of(text: str, what: str) -> datetime:
    """The text as a time, in UTC unless it has an offset.

    Raises:
        Rejected: it is none; the message names `what` it was to be.
    """
    try:
        at = datetime.fromisoformat(text)
        return at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        raise Rejected(400, f"{what} must be a time, like 2026-01-31T12:00:00") from None


def integer_of(text: str, what: str, least: int, most: int) -> int:
    """The text as an integer within bounds.

    Raises:
        Rejected: it is none; the message names `what` it was to be.
    """
    if not (text.isascii() and text.isdigit() and len(text) <= 19 and least <= int(text) <= most):
        raise Rejected(400, f"{what} must be an integer from {least:,} to {most:,}")
    return int(text)


def one_of(text: str, what: str, known: Sequence[str]) -> str:
    """The text, which is one of those that are known.

    Raises:
        Rejected: it is none of them; the message names `what` it was to be.
    """
    if text not in known:
        raise Rejected(400, f"{what} must be one of {', '.join(known)}")
    return text
