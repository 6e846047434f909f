"""What a request shows to be let in: a token of its own, or the cookie that a browser sends along."""

import re
from typing import Final

from app.platform.http.challenges import not_let_in
from app.platform.http.errors import validation
from app.platform.http.headers import Head
from app.platform.people import Credential, NotLetIn

# RFC 6750's, and what a cookie of ours holds.
_TOKEN = re.compile(rb"[A-Za-z0-9._~+/-]+=*")
_BEARER: Final = b"bearer "


def credential_of(head: Head, cookie: bytes, host: str) -> Credential | None:
    """What the request shows, if anything: with `Authorization` the cookie is not looked at.

    Raises:
        Problem: there are two `Authorization`, or it is another scheme's.
        NotLetIn: it cannot be good.
    """
    check_one(head)
    given = head.first.get(b"authorization")
    if given is not None:
        if given[:7].lower() != _BEARER:
            raise not_let_in()  # another scheme's
        return Credential(_checked(given[7:].strip(b" ")), is_cookie=False, host=host)
    token = cookie_of(head, cookie)
    return Credential(_checked(token), is_cookie=True, host=host) if token else None


def check_one(head: Head) -> None:
    """See to it that there are no two `Authorization`.

    Raises:
        Problem: there are, and nobody knows which counts.
    """
    if b"authorization" in head.repeated:
        raise validation({"Authorization": "must be sent once, not several times"})


def cookie_of(head: Head, name: bytes) -> bytes | None:
    """The value of the cookie of that name, None where there is none.

    Of several one was set by somebody else, perhaps by a page of a neighbouring host, and which is first tells nothing:
    that is a value that cannot be good.
    """
    if b"cookie" not in head.first:
        return None
    found = None
    for field in head.every(b"cookie"):
        for pair in field.split(b";"):
            given, _, value = pair.strip(b" \t").partition(b"=")
            if given == name:
                if found is not None:
                    return b'"'
                found = value
    return found


def _checked(token: bytes) -> str:
    if not _TOKEN.fullmatch(token):
        raise NotLetIn
    return token.decode("ascii")
