"""Bodies behind the front door: none, empty ones, forms beside JSON; and answers, packed or without one."""

import gzip
from collections.abc import Iterator

import httpx
import pytest

from app.platform.http.sender import accepts_gzip
from tests.api_answers import exchange, hold_to_its_document
from tests.api_harness import error
from tests.platform.doorman import COOKIE
from tests.platform.made_up_market import Market, market

TOKEN = {"Authorization": "Bearer customer"}
JSON = {"Content-Type": "application/json"}
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
TEXT = {"Content-Type": "text/plain"}
PACKED = {"Accept-Encoding": "gzip"}


@pytest.fixture(scope="module")
def house() -> Iterator[Market]:
    with market() as served:
        yield served


@pytest.fixture
def client(house: Market) -> Iterator[httpx.Client]:
    with house.client("customer") as client:
        hold_to_its_document(client)
        yield client


@pytest.mark.parametrize(
    "headers", [{}, TEXT, FORM, JSON, {"Content-Encoding": "gzip"}, TEXT | {"Content-Length": "0"}]
)
@pytest.mark.parametrize("path", ["/v1/mine/close", "/v1/auth/login"])
def test_without_a_body_nothing_is_said_of_its_kind(client: httpx.Client, headers: dict[str, str], path: str) -> None:
    assert client.post(path, headers=headers).is_success


@pytest.mark.parametrize("kind", [b"Content-Type: text/plain", b"A: b"])
def test_an_empty_body_in_chunks_is_none_either(house: Market, kind: bytes) -> None:
    head = b"POST /v1/auth/login HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n%b\r\n\r\n" % kind
    assert exchange(house.port, head + b"0\r\n\r\n").status == 200
    assert exchange(house.port, head, b"0\r\n", b"\r\n").status == 200
    assert exchange(house.port, head + b"2\r\n{}\r\n0\r\n\r\n").status == 415


def test_where_no_members_have_to_be_an_empty_body_and_an_empty_object_are_the_same(client: httpx.Client) -> None:
    for body in (b"", b"{}", b" {\n} "):
        assert client.post("/v1/auth/login", content=body, headers=JSON).json()["said"] is None
        assert client.post("/v1/mine/close", content=body, headers=JSON).status_code == 204
        assert client.request("DELETE", "/v1/mine", content=body, headers=JSON).status_code == 200


def test_where_there_are_no_members_a_body_is_looked_at_all_the_same(client: httpx.Client) -> None:
    for method, path in (("POST", "/v1/mine/close"), ("DELETE", "/v1/mine")):
        error(client.request(method, path, content=b"{}", headers=TEXT), 415, "UNSUPPORTED_MEDIA_TYPE")
        error(client.request(method, path, content=b"[" * 70_000, headers=JSON), 413, "PAYLOAD_TOO_LARGE")
        for body, told in ((b'{"a":1}', {"a"}), (b"[]", {"body"}), (b"\xff", {"body"})):
            answer = client.request(method, path, content=body, headers=JSON)
            assert error(answer, 400, "VALIDATION_ERROR").keys() == told


def test_where_members_have_to_be_no_body_lacks_them(client: httpx.Client) -> None:
    for body in (b"", b"{}"):
        details = error(client.post("/v1/wares", content=body, headers=JSON), 400, "VALIDATION_ERROR")
        assert details == {"name": "is required"}
    assert error(client.post("/v1/wares", headers=TEXT), 400, "VALIDATION_ERROR") == {"name": "is required"}


def test_to_read_a_body_is_passed_over(client: httpx.Client) -> None:
    assert client.request("GET", "/v1/mine", content=b"a", headers=TEXT).status_code == 200


def test_whether_a_body_has_to_be_is_documented(client: httpx.Client) -> None:
    paths = client.get("/openapi.json").json()["paths"]
    assert paths["/v1/wares"]["post"]["requestBody"]["required"] is True
    assert paths["/v1/auth/login"]["post"]["requestBody"]["required"] is False
    assert "requestBody" not in paths["/v1/mine/close"]["post"]
    assert "content" not in paths["/v1/mine/close"]["post"]["responses"]["204"]
    assert "415" in paths["/v1/mine/close"]["post"]["responses"]


# Answers


def raw(
    house: Market, path: str, headers: dict[str, str], method: str = "GET", host: str = "a"
) -> tuple[dict[str, str], bytes]:
    """Headers and body as they are on the wire."""
    head = "".join(f"{name}: {value}\r\n" for name, value in (TOKEN | headers).items())
    answer = exchange(house.port, f"{method} {path} HTTP/1.1\r\nHost: {host}\r\n{head}\r\n".encode(), method=method)
    assert answer.status == 200
    return dict(answer.headers), answer.body


def test_a_long_answer_is_packed_for_whoever_takes_it(house: Market) -> None:
    plain, body = raw(house, "/v1/wares?limit=200", {})
    packed, short = raw(house, "/v1/wares?limit=200", PACKED)
    assert gzip.decompress(short) == body
    assert (len(short) < len(body) // 10, packed["content-encoding"]) == (True, "gzip")
    assert int(packed["content-length"]) == len(short)
    assert {"content-encoding"} == packed.keys() - plain.keys()
    assert plain["vary"] == packed["vary"] == "Origin, Accept-Encoding"
    assert raw(house, "/v1/wares?limit=200", PACKED)[1] == short


def test_a_head_tells_what_get_would_answer(house: Market) -> None:
    for headers in ({}, PACKED):
        asked, _ = raw(house, "/v1/wares?limit=200", headers, "HEAD")
        got, _ = raw(house, "/v1/wares?limit=200", headers)
        for name in ("content-length", "content-encoding", "vary", "content-type"):
            assert asked.get(name) == got.get(name)


def test_from_1024_bytes_on(house: Market) -> None:
    seen = set()
    for host in ("a", "aa", "aaa", "a:1", "a:12", "aa:12"):  # the answer tells it, with its port and without
        for limit in (84, 86, 88):
            headers, body = raw(house, f"/v1/wares?limit={limit}", PACKED, host=host)
            is_packed = "content-encoding" in headers
            length = len(gzip.decompress(body)) if is_packed else len(body)
            assert (headers["vary"] == "Origin, Accept-Encoding") == is_packed == (length >= 1024)
            seen.add(length)
    assert {1023, 1024} <= seen, sorted(seen)


def test_an_error_is_packed_too(client: httpx.Client) -> None:
    members = b",".join(b'"%b%d":1' % (b"m" * 60, number) for number in range(30))
    answer = client.post("/v1/wares", content=b"{%b}" % members, headers=JSON | PACKED)
    error(answer, 400, "VALIDATION_ERROR")
    assert answer.headers["content-encoding"] == "gzip"


@pytest.mark.parametrize("path", ["/v1/auth/long?limit=200", "/openapi.json", "/docs"])
def test_what_is_secret_and_what_is_outside_is_never_packed(house: Market, path: str) -> None:
    headers, _ = raw(house, path, PACKED | {"Cookie": f"{COOKIE}=customer"})
    assert "content-encoding" not in headers
    assert headers.get("vary", "Origin") == "Origin"


@pytest.mark.parametrize(
    ("field", "accepted"),
    [
        (b"", False),
        (b"gzip", True),
        (b"GZIP", True),
        (b"x-gzip", True),
        (b"deflate, gzip;q=1.0, *;q=0.5", True),
        (b"gzip;q=0", False),
        (b"gzip ; q=0.000", False),
        (b"gzip;Q=0.", False),
        (b"gzip;q=0.001", True),
        (b"*", True),
        (b"*;q=0", False),
        (b"identity", False),
        (b"gzip;q=0, *", False),
        (b"*;q=0, gzip", True),
        (b"br, zstd", False),
        (b"gzipped", False),
        (b",;=,q", False),
        (b"gzip;q=", False),
        (b"gzip;q", False),
        (b"gzip;q=a", True),
        (b"\xff\x00gzip", False),
    ],
)
def test_whether_gzip_is_accepted(field: bytes, accepted: bool) -> None:
    assert accepts_gzip(field) is accepted


def test_of_several_fields_each_counts(house: Market) -> None:
    with house.client() as client:
        asked = [("Accept-Encoding", "br"), ("Accept-Encoding", "gzip")]
        assert client.get("/v1/wares?limit=200", headers=asked).headers["content-encoding"] == "gzip"


def test_an_answer_that_says_nothing_has_no_body_and_nothing_that_tells_of_one(house: Market) -> None:
    head = b"POST /v1/mine/close HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer customer\r\n\r\n"
    again = b"GET /v1/mine HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
    answer = exchange(house.port, head + again)
    assert (answer.status, answer.body) == (204, b"")
    assert not {"content-type", "content-length", "transfer-encoding", "connection"} & answer.headers.keys()
    assert answer.headers["set-cookie"] == "a=; Max-Age=0"
