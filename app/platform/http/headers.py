"""A request's head: each looked at once, single-valued ones taken as such, malformed ones told apart."""

import re
from collections.abc import Iterable, Sequence
from secrets import token_hex

from app.platform.http.codes import UNSUPPORTED_MEDIA_TYPE
from app.platform.http.errors import Problem, validation
from app.platform.http.limits import MAX_HEAD_BYTES, MAX_HEADERS

RawHeaders = Iterable[tuple[bytes, bytes]]

_REQUEST_ID = re.compile(rb"[\x21-\x7e]{1,128}")
_OF_AN_UPGRADE = (b"upgrade", b"http2-settings")
_KEY = re.compile(rb"[\x21-\x7e]{1,255}")
# A string of RFC 9651 (structured fields): printable ASCII, in which only the quote and the backslash are escaped.
_QUOTED = re.compile(rb'"((?:[\x20\x21\x23-\x5b\x5d-\x7e]|\\["\\])*)"')
_ESCAPED = re.compile(rb"\\(.)")
_TRACEPARENT = re.compile(rb"00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")
# RFC 9110's media type: parameters, each a token with a token or a quoted string. Of them only the charset counts.
_TOKEN = rb"[!#$%&'*+.^_`|~0-9a-z-]+"
_TEXT = rb'"(?:[\t \x21\x23-\x5b\x5d-\x7e\x80-\xff]|\\[\t \x21-\x7e\x80-\xff])*+"'
_PARAMETER = rb'charset=(?:utf-8|"utf-8")|(?!charset=)%b=(?:%b|%b)' % (_TOKEN, _TOKEN, _TEXT)
_PARAMETERS = rb"(?:[ \t]*+;[ \t]*+(?:%b)?+)*+[ \t]*+" % _PARAMETER
_JSON = re.compile(rb"application/json" + _PARAMETERS, re.IGNORECASE)
_CSV = re.compile(rb"text/csv" + _PARAMETERS, re.IGNORECASE)
_FORM = re.compile(rb"application/x-www-form-urlencoded" + _PARAMETERS, re.IGNORECASE)


class Head:
    """A request's headers by lower-case name. `size` is what they took on the wire, in bytes."""

    __slots__ = ("_headers", "count", "first", "repeated", "size")

    def __init__(self, headers: RawHeaders) -> None:
        first: dict[bytes, bytes] = {}
        repeated: set[bytes] = set()
        size = count = 0
        for name, value in headers:
            count += 1
            size += len(name) + len(value) + 4
            if name in first:
                repeated.add(name)
            else:
                first[name] = value.strip(b" \t")
        self._headers = headers
        self.first = first
        self.repeated = repeated
        self.size = size
        self.count = count

    @property
    def is_too_large(self) -> bool:
        """Whether the headers are more than the service reads."""
        return self.size > MAX_HEAD_BYTES or self.count > MAX_HEADERS

    def one(self, name: bytes) -> bytes | None:
        """The header's value, if it was sent exactly once."""
        return None if name in self.repeated else self.first.get(name)

    def every(self, name: bytes) -> Sequence[bytes]:
        """The values of all headers of the name, in their order."""
        if name in self.repeated:
            return [value.strip(b" \t") for each, value in self._headers if each == name]
        return [self.first[name]] if name in self.first else []


def request_id(head: Head) -> str:
    """The client's X-Request-ID when it is one and well-formed, else a fresh one."""
    given = head.one(b"x-request-id")
    return given.decode("ascii") if given and _REQUEST_ID.fullmatch(given) else token_hex(16)


def wants_a_page(head: Head) -> bool:
    """Whether the client names HTML among what it takes, as browsers do; one that takes anything does not."""
    ranges = (head.one(b"accept") or b"").lower().split(b",")
    return any(one.partition(b";")[0].strip() == b"text/html" for one in ranges)


def idempotency_key(head: Head) -> str:
    """The request's Idempotency-Key, unquoted.

    Raises:
        Problem: it is missing, malformed or there twice.
    """
    value = head.one(b"idempotency-key")
    if value is None:
        why = "must be sent once, not several times" if b"idempotency-key" in head.repeated else "is required"
        raise validation({"Idempotency-Key": why})
    if value.startswith(b'"'):
        quoted = _QUOTED.fullmatch(value)
        value = _ESCAPED.sub(rb"\1", quoted[1]) if quoted else b""
    if not _KEY.fullmatch(value):
        raise validation({"Idempotency-Key": "must be 1 to 255 visible ASCII characters, quoted or not"})
    return value.decode("ascii")


def traceparent(head: Head) -> str | None:
    """The W3C trace context that the request continues, if it is well-formed."""
    value = head.one(b"traceparent")
    return value.decode("ascii") if value and _TRACEPARENT.fullmatch(value) else None


def is_form(head: Head) -> bool:
    """Whether the body says it is a form."""
    return _FORM.fullmatch(head.one(b"content-type") or b"") is not None


def check_csv(head: Head) -> None:
    """See to it that the body says it is CSV.

    Raises:
        Problem: it says something else, or nothing, or is compressed.
    """
    if not _CSV.fullmatch(head.one(b"content-type") or b""):
        raise Problem(UNSUPPORTED_MEDIA_TYPE, "the body must be text/csv", {"Content-Type": "text/csv"})
    _check_encoding(head)


def check_media_type(head: Head, *, or_form: bool = False) -> None:
    """See to it that the body says it is plain JSON, or, where it may be one, a form.

    Raises:
        Problem: it says something else, or nothing, or is compressed.
    """
    given = head.one(b"content-type")
    if (given is None or not _JSON.fullmatch(given)) and not (or_form and is_form(head)):
        raise Problem(UNSUPPORTED_MEDIA_TYPE, details={"Content-Type": "application/json"})
    _check_encoding(head)


def _check_encoding(head: Head) -> None:
    if b"content-encoding" in head.first:
        raise Problem(UNSUPPORTED_MEDIA_TYPE, "the body must not be encoded", {"Content-Encoding": "is not supported"})


def without_upgrade(method: bytes, target: bytes, headers: RawHeaders) -> bytes:
    """The head of the same request, as one that is content with HTTP/1.1."""
    lines = [b"%s %s HTTP/1.1" % (method, target)]
    for name, value in headers:
        if name == b"connection":
            options = [option.strip(b" \t") for option in value.split(b",")]
            value = b", ".join(option for option in options if option.lower() not in _OF_AN_UPGRADE)  # noqa: PLW2901
        if name not in _OF_AN_UPGRADE:
            lines.append(b"%s: %s" % (name, value))
    return b"\r\n".join([*lines, b"", b""])


def unfit(version: str, method: bytes, target: bytes, headers: RawHeaders, *, upgrades: bool) -> Problem | None:
    """What is wrong with a head that parses. `upgrades`: it asks for another protocol."""
    if version not in ("1.0", "1.1"):
        return validation({"request": "must be HTTP/1.1 or HTTP/1.0"})
    if method == b"CONNECT" or not (target.startswith((b"/", b"http://", b"https://")) or target == b"*"):
        return validation({"request": "its target must be a path"})
    if b"#" in target:
        return validation({"request": "its target must not have a fragment"})
    hosts = 0
    for name, value in headers:
        if name == b"host":
            hosts += 1
        elif name == b"transfer-encoding" and (value.strip(b" \t").lower() != b"chunked" or version == "1.0"):
            return validation({"Transfer-Encoding": "must be chunked, in HTTP/1.1"})
        elif upgrades and name == b"upgrade" and value.strip(b" \t").lower() == b"websocket":
            # Going on in HTTP/1.1, which is how any other upgrade is declined, is of no use to this one.
            return validation({"Upgrade": "is not supported"})
    if hosts > 1 or (hosts == 0 and version == "1.1"):
        return validation({"Host": "must be sent once"})
    return None
