"""Whatever stands in the headers that the front door reads: it is answered, and never with a fault of ours."""

import random
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import replace

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from app.platform.http.credentials import cookie_of, credential_of
from app.platform.http.errors import Problem
from app.platform.http.forms import Malformed
from app.platform.http.forwarded import MOST_ENTRIES, forwarded_for, x_forwarded_for
from app.platform.http.headers import Head
from app.platform.http.origins import Origins
from app.platform.http.sender import accepts_gzip
from app.platform.http.visitor import Visitors
from app.platform.people import NotLetIn
from tests.api_answers import exchange
from tests.platform.doorman import COOKIE
from tests.platform.made_up_market import GRANT, OPTIONS, Market, market

READ = (
    b"Authorization",
    b"Cookie",
    b"Origin",
    b"Sec-Fetch-Site",
    b"Access-Control-Request-Method",
    b"X-Forwarded-For",
    b"X-Forwarded-Host",
    b"Accept-Encoding",
    b"Content-Type",
    b"Content-Encoding",
)
PIECES = (
    b"Bearer ",
    b"customer",
    COOKIE.encode() + b"=",
    b"null",
    b"http://",
    b"127.0.0.1",
    b"[::1]",
    b"::ffff:",
    b"for=",
    b'"',
    b"\\",
    b";",
    b",",
    b"=",
    b" ",
    b"\t",
    b":",
    b"%",
    b"gzip;q=",
    b"0" * 400,
    b"\xff\xfe",
    b"\x80",
    b"\xc3\xa9",
    b"x" * 3000,
    b"application/x-www-form-urlencoded",
)
REQUESTS = (b"GET /v1/wares", b"GET /v1/mine", b"POST /v1/auth/login", b"POST /v1/auth/token", b"OPTIONS /v1/mine")


@pytest.fixture(scope="module")
def house() -> Iterator[Market]:
    with market(replace(OPTIONS, trusted_proxies=("127.0.0.0/8", "::/0"))) as served:
        yield served


@pytest.mark.parametrize("seed", range(150))
def test_headers_of_any_make_are_answered_and_never_with_a_fault_of_ours(house: Market, seed: int) -> None:
    chance = random.Random(seed)
    for request in REQUESTS:
        lines = [request + b" HTTP/1.1", b"Host: " + chance.choice((b"a", b"", b"[::1", b"\xff", b"a:99999", b"a b"))]
        for _ in range(chance.randint(1, 6)):
            value = b"".join(chance.choices(PIECES, k=chance.randint(0, 5)))
            lines.append(chance.choice(READ) + b": " + value)
        body = b"".join(chance.choices((b"grant_type=", b"a", b"&", b"%", b"{", b'"', b"\xff"), k=chance.randint(0, 6)))
        lines.append(b"Content-Length: %d" % len(body))
        answer = exchange(house.port, b"\r\n".join(lines) + b"\r\n\r\n" + body)
        assert 200 <= answer.status < 500, lines


@given(st.lists(st.binary(max_size=80), max_size=4), st.lists(st.binary(max_size=80), max_size=3))
@example([b"bearer "], [])
@example([], [COOKIE.encode() + b'="'])
def test_a_credential_is_one_or_is_refused(authorizations: list[bytes], cookies: list[bytes]) -> None:
    given_ = [(b"authorization", each) for each in authorizations] + [(b"cookie", each) for each in cookies]
    try:
        credential = credential_of(Head(given_), COOKIE.encode(), "a")
    except (Problem, NotLetIn):
        return
    if credential:
        assert credential.token.isascii()
        assert credential.token.isprintable()
        assert " " not in credential.token
        assert credential.is_cookie == (not authorizations)


@given(st.lists(st.sampled_from([b"a=b", b"s=1", b"s=2", b" s = 3", b"s", b";", b"S=4", b"=s=5"]), max_size=6))
def test_a_cookie_is_found_where_it_is_there_once(pairs: list[bytes]) -> None:
    names = [pair.strip().partition(b"=")[0] for pair in pairs]
    found = cookie_of(Head([(b"cookie", b"; ".join(pairs))] if pairs else []), b"s")
    assert (found is None) == (b"s" not in names)
    if names.count(b"s") > 1:
        assert found == b'"'


@given(st.lists(st.binary(max_size=200), max_size=5))
@example([b'for="' * 3000])
@example([b"," * 16_000])
def test_whatever_a_proxy_says_there_is_a_visitor(fields: list[bytes]) -> None:
    for read in (x_forwarded_for, forwarded_for):
        assert len(read(fields)) <= MOST_ENTRIES
    scope = {"client": ("10.0.0.1", 1)}
    for header in ("x-forwarded-for", "forwarded"):
        heads = [(header.encode(), field) for field in fields] + [(b"x-forwarded-host", field) for field in fields]
        visitor = Visitors(("10.0.0.0/8",), header).of(scope, Head(heads))  # type: ignore[arg-type]
        assert visitor.address
        assert visitor.host == "" or visitor.authority.startswith(visitor.host)


@given(st.binary(max_size=300))
def test_whatever_is_accepted_it_is_known_whether_gzip_is(field: bytes) -> None:
    assert accepts_gzip(field) in (True, False)


@given(st.binary(max_size=60), st.from_regex("[a-z.]{0,9}", fullmatch=True))
@example(b"https://shop.example", "shop.example")
@example(b"http://", "")
def test_an_origin_is_ours_or_refused(origin: bytes, authority: str) -> None:
    is_ours = origin.strip(b" \t") in (b"http://" + authority.encode(), b"https://" + authority.encode())
    with nullcontext() if is_ours and authority else pytest.raises(Problem, match="ORIGIN_REFUSED"):
        Origins(()).check(Head([(b"origin", origin)]), authority)


@given(st.binary(max_size=200), st.booleans())
def test_a_form_or_an_object_is_read_or_malformed(raw: bytes, is_form: bool) -> None:
    found = GRANT.decode(raw, is_form=is_form)
    assert isinstance(found, Malformed | GRANT.type)
