"""Pages of other sites: which may read answers, and which may not even ask."""

from collections.abc import Iterator

import httpx
import pytest

from tests.api_answers import exchange
from tests.api_harness import error
from tests.platform.doorman import COOKIE
from tests.platform.made_up_market import LISTED, Market, market

COOKIES = {"Cookie": f"{COOKIE}=customer"}
TOKEN = {"Authorization": "Bearer customer"}
EXPOSED = "X-Request-ID, Idempotent-Replayed, Retry-After, RateLimit, RateLimit-Policy, ETag, WWW-Authenticate"
ALLOWED = (
    "Authorization, Content-Type, Idempotency-Key, If-Match, If-None-Match, Last-Event-ID, X-Request-ID, traceparent"
)
OTHERS = ("https://elsewhere.example", "null", "", "http://pages.example", f"{LISTED}:444", f"{LISTED}.evil", "*")


@pytest.fixture(scope="module")
def house() -> Iterator[Market]:
    with market() as served:
        yield served


@pytest.fixture
def client(house: Market) -> Iterator[httpx.Client]:
    house.counter.empty = set()
    house.doorman.is_away = False
    with house.client() as client:
        yield client


def control(answer: httpx.Response) -> dict[str, str]:
    """What the answer tells a browser of who may read it."""
    prefix = "access-control-"
    return {name.removeprefix(prefix): value for name, value in answer.headers.items() if name.startswith(prefix)}


MAY_READ = {"allow-origin": LISTED, "allow-credentials": "true", "expose-headers": EXPOSED}


def test_a_listed_origin_may_read_every_answer_errors_as_well(house: Market, client: httpx.Client) -> None:
    asked = {"Origin": LISTED}
    answers = [
        client.get("/v1/wares", headers=asked),
        client.get("/v1/mine", headers=asked),
        client.get("/v1/people", headers=asked | TOKEN),
        client.get("/v1/nowhere", headers=asked),
        client.put("/v1/mine", headers=asked),
        client.get("/v1/wares?more=1", headers=asked),
        client.get("/v1/bug", headers=asked),
        client.get("/v1/wares", headers=asked | {"X-More": "x" * 17_000}),
        client.post("/v1/mine/close", headers=asked | TOKEN),
        client.post("/v1/wares", headers=asked | TOKEN | {"Content-Type": "text/plain"}, content=b"a"),
    ]
    house.counter.empty = {"ip"}
    answers.append(client.get("/v1/wares", headers=asked))
    house.counter.empty, house.doorman.is_away = set(), True
    answers.append(client.get("/v1/wares", headers=asked))
    assert [answer.status_code for answer in answers] == [200, 401, 403, 404, 405, 400, 500, 431, 204, 415, 429, 503]
    for answer in answers:
        assert control(answer) == MAY_READ
        assert answer.headers.get_list("vary") == ["Origin"]


@pytest.mark.parametrize("origin", OTHERS)
def test_any_other_is_told_nothing_but_that_it_depends(client: httpx.Client, origin: str) -> None:
    for path in ("/v1/wares", "/v1/mine", "/v1/nowhere"):
        answer = client.get(path, headers={"Origin": origin})
        assert control(answer) == {}
        assert answer.headers["vary"] == "Origin"


def test_two_origins_are_nobodys(client: httpx.Client) -> None:
    twice = [("Origin", LISTED), ("Origin", LISTED)]
    assert control(client.get("/v1/wares", headers=twice)) == {}
    error(client.post("/v1/auth/login", json={}, headers=twice), 403, "ORIGIN_REFUSED")


def test_what_is_not_behind_the_door_says_nothing_of_origins(client: httpx.Client) -> None:
    for path in ("/shop", "/healthz", "/nowhere", "/v1", "/v2/wares"):
        answer = client.get(path, headers={"Origin": LISTED, "X-API-Key": "the-key-of-the-shop"})
        assert control(answer) == {}
        assert "vary" not in answer.headers
    asked = {"Origin": LISTED, "Access-Control-Request-Method": "GET"}
    error(client.options("/shop", headers=asked), 405, "METHOD_NOT_ALLOWED")


@pytest.mark.parametrize("headers", [{}, TOKEN | {"Authorization": "Bearer nobody"}, {"X-API-Key": "a"}])
def test_a_preflight_of_a_listed_origin_is_told_what_it_may(client: httpx.Client, headers: dict[str, str]) -> None:
    asked = {
        "Origin": LISTED,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "content-type",
    }
    answer = client.options("/v1/wares", headers=asked | headers)
    assert (answer.status_code, answer.content) == (204, b"")
    told = {"allow-methods": "GET, HEAD, POST", "allow-headers": ALLOWED, "max-age": "600"}
    assert control(answer) == MAY_READ | told
    assert answer.headers["vary"] == "Origin"
    assert not {"content-type", "content-length", "transfer-encoding"} & answer.headers.keys()


@pytest.mark.parametrize("origin", OTHERS)
def test_a_preflight_of_another_is_answered_without_a_word(client: httpx.Client, origin: str) -> None:
    for method in ("GET", "PUT", "nonsense"):
        answer = client.options("/v1/wares", headers={"Origin": origin, "Access-Control-Request-Method": method})
        assert (answer.status_code, control(answer), answer.headers["vary"]) == (204, {}, "Origin")


def test_a_preflight_takes_no_token_of_a_limit_and_looks_for_nobody(house: Market, client: httpx.Client) -> None:
    house.counter.empty, house.doorman.is_away = {"ip"}, True
    house.counter.taken.clear()
    asked = {"Origin": LISTED, "Access-Control-Request-Method": "POST"}
    assert client.options("/v1/wares", headers=asked).status_code == 204
    assert house.counter.taken == []


def test_options_without_a_question_is_a_method_like_another(client: httpx.Client) -> None:
    for headers in ({}, {"Origin": LISTED}, {"Access-Control-Request-Method": "GET"}):
        assert error(client.options("/v1/wares", headers=headers), 405, "METHOD_NOT_ALLOWED") == {
            "allow": "GET, HEAD, POST"
        }


def test_a_connection_goes_on_behind_a_preflight_with_a_body(house: Market) -> None:
    raw = (
        b"OPTIONS /v1/wares HTTP/1.1\r\nHost: a\r\nOrigin: https://a.example\r\nAccess-Control-Request-Method: GET\r\n"
        b"%b\r\n\r\n%b"
    )
    in_chunks = (b"Transfer-Encoding: chunked", b"0\r\n\r\n", True)
    for head, body, closes in ((b"Content-Length: 2", b"{}", False), in_chunks):
        answer = exchange(house.port, raw % (head, body))
        assert (answer.status, answer.is_closed) == (204, closes)


# Who may ask

OURS = [{"Origin": "http://127.0.0.1"}, {"Origin": "https://127.0.0.1"}, {"Origin": LISTED}]
"""With `Host: 127.0.0.1`."""
FROM_HERE = [*OURS, {"Sec-Fetch-Site": "same-origin"}, {"Sec-Fetch-Site": "none"}, {}]
FROM_ELSEWHERE = [
    *({"Origin": origin} for origin in OTHERS),
    {"Origin": "http://127.0.0.1:81"},
    {"Origin": "ftp://127.0.0.1"},
    {"Origin": "http://127.0.0.1/"},
    {"Origin": "http://"},
    {"Origin": "127.0.0.1"},
    {"Origin": "http://127.0.0.1.evil.example"},
    {"Origin": "http://evil.example", "Sec-Fetch-Site": "same-origin"},
    {"Sec-Fetch-Site": "same-site"},
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": ""},
    {"Sec-Fetch-Site": "None"},
]
HOST = {"Host": "127.0.0.1"}
UNSAFE = [("POST", "/v1/mine/close"), ("DELETE", "/v1/mine")]


@pytest.mark.parametrize("page", FROM_HERE)
def test_a_page_of_ours_may_change_something_by_the_cookie(client: httpx.Client, page: dict[str, str]) -> None:
    for method, path in UNSAFE:
        assert client.request(method, path, headers=HOST | COOKIES | page).is_success
    assert client.post("/v1/auth/login", headers=HOST | page).is_success


@pytest.mark.parametrize("page", FROM_ELSEWHERE)
def test_a_page_of_another_site_may_not(client: httpx.Client, page: dict[str, str]) -> None:
    for method, path in UNSAFE:
        error(client.request(method, path, headers=HOST | COOKIES | page), 403, "ORIGIN_REFUSED")
    error(client.post("/v1/auth/login", headers=HOST | page), 403, "ORIGIN_REFUSED")


def test_a_host_on_a_port_is_another_than_the_host(client: httpx.Client) -> None:
    for host, origin, is_same in (
        ("shop.example:8443", "https://shop.example:8443", True),
        ("SHOP.example", "https://shop.example", True),
        ("shop.example:443", "https://shop.example", True),
        ("shop.example:80", "http://shop.example", True),
        ("shop.example:443", "http://shop.example", False),
        ("shop.example:8443", "https://shop.example", False),
        ("shop.example", "https://shop.example:8443", False),
        ("[::1]:8080", "http://[::1]:8080", True),
    ):
        answer = client.delete("/v1/mine", headers=COOKIES | {"Host": host, "Origin": origin})
        assert answer.is_success == is_same, (host, origin)


@pytest.mark.parametrize("page", FROM_ELSEWHERE)
def test_to_read_or_with_a_token_any_page_may(client: httpx.Client, page: dict[str, str]) -> None:
    assert client.get("/v1/mine", headers=HOST | COOKIES | page).status_code == 200
    assert client.head("/v1/mine", headers=HOST | COOKIES | page).status_code == 200
    assert client.post("/v1/mine/close", headers=HOST | TOKEN | page).status_code == 204


def test_to_be_let_in_none_may_whatever_it_shows(client: httpx.Client) -> None:
    page = {"Origin": "https://evil.example"}
    for shown in (TOKEN, COOKIES, {}):
        error(client.post("/v1/auth/login", headers=HOST | shown | page), 403, "ORIGIN_REFUSED")
