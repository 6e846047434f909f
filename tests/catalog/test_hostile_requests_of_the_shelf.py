"""Malformed requests for products and categories: each is refused in the envelope, and nothing comes of it."""

import json
from typing import Any
from uuid import uuid4

import pytest

from tests.catalog.shop import Shop, refusal, said

JSON = {"Content-Type": "application/json"}
TARGETS = [
    ("POST", "/v1/products"),
    ("PUT", f"/v1/products/{uuid4()}"),
    ("POST", "/v1/categories"),
    ("PUT", f"/v1/categories/{uuid4()}"),
]
NAMES = ["post-product", "put-product", "post-category", "put-category"]


async def sent(shop: Shop, method: str, target: str, raw: bytes, headers: dict[str, str]) -> Any:
    return await shop.client.request(method, target, content=raw, headers=shop.admin.bearer | headers)


@pytest.mark.parametrize(("method", "target"), TARGETS, ids=NAMES)
@pytest.mark.parametrize(
    "raw",
    [
        b"", b"{", b"[]", b"null", b'"x"', b"1", b"\xff", b'{"title": "\xff"}', b"{}" * 2, b"\xef\xbb\xbf{}",
        b'{"title": "a", "title": "b"}', b'{"name": NaN}', b"[" * 5_000, b'{"a":' * 5_000,
        b'{"shipping_info": {"a": 1, "a": 2}}', b'{"title": "\\ud800"}', b'{"__proto__": {}}',
    ],
    ids=range(17),
)  # fmt: skip
async def test_a_body_that_is_none_is_refused(shop: Shop, method: str, target: str, raw: bytes) -> None:
    assert refusal(await sent(shop, method, target, raw, JSON), 400, "VALIDATION_ERROR")


@pytest.mark.parametrize(("method", "target"), TARGETS, ids=NAMES)
@pytest.mark.parametrize(
    "headers",
    [
        {"Content-Type": "text/plain"},
        {"Content-Type": "application/x-www-form-urlencoded"},
        {"Content-Type": "application/json; charset=latin-1"},
        JSON | {"Content-Encoding": "gzip"},
    ],
    ids=str,
)
async def test_what_is_not_plain_json_is_refused(shop: Shop, method: str, target: str, headers: dict[str, str]) -> None:
    refusal(await sent(shop, method, target, b"{}", headers), 415, "UNSUPPORTED_MEDIA_TYPE")


@pytest.mark.parametrize(("method", "target"), TARGETS, ids=NAMES)
async def test_a_body_that_is_too_large_is_refused(shop: Shop, method: str, target: str) -> None:
    raw = json.dumps({"title": "x" * 70_000}).encode()
    refusal(await sent(shop, method, target, raw, JSON), 413, "PAYLOAD_TOO_LARGE")


@pytest.mark.parametrize("value", [True, False, 0, -1, 1.5, "", "x", [], [[]], {}, {"a": {}}, "\u0000", 2**70, 1e308])
@pytest.mark.parametrize("member", [*said(), "description", "images", "video_url", "specifications", "shipping_info"])
async def test_nothing_that_a_member_may_be_given_is_a_fault_of_ours(shop: Shop, member: str, value: Any) -> None:
    answer = await shop.send("POST", "/v1/products", shop.admin, said(**{member: value}))
    assert answer.status_code in (201, 400), answer.text
    if answer.status_code == 400:
        assert set(answer.json()["error"]["details"]) == {member}
    else:
        assert (await shop.get(f"/v1/products/{answer.json()['product_id']}")).json() == answer.json()


async def test_numbers_that_json_can_write_and_nobody_can_keep_are_refused(shop: Shop) -> None:
    for number in (b"1e400", b"-1e400", b"1" * 400, b"9007199254740993"):
        raw = json.dumps(said(shipping_info={"n": 0})).encode().replace(b'"n": 0', b'"n": ' + number)
        details = refusal(await sent(shop, "POST", "/v1/products", raw, JSON), 400, "VALIDATION_ERROR")
        assert set(details) <= {"shipping_info", "body"}


@pytest.mark.parametrize("header", ["If-Match", "If-None-Match"])
@pytest.mark.parametrize("value", ['"' * 5_000, ", " * 2_000, '"a",' * 1_000, "W/" * 2_000, "*" * 1_000, '"\xff"'])
async def test_conditions_without_end_are_read_quickly(shop: Shop, header: str, value: str) -> None:
    product = await shop.product()
    headers = {**shop.seller.bearer, header: value.encode("latin-1")}
    method, body = ("PUT", said()) if header == "If-Match" else ("GET", None)
    target = f"/v1/products/{product['product_id']}"
    answer = await shop.client.request(method, target, json=body, headers=headers)  # type: ignore[arg-type] # bytes
    assert answer.status_code in (200, 400, 412)


async def test_statements_in_texts_are_texts(shop: Shop) -> None:
    title = "'; DROP TABLE catalog.products; -- \\' %s %b {} $1"
    product = await shop.product(title=title, description=title, specifications={title[:60]: title})
    assert (product["title"], product["description"]) == (title, title)
    for text in ("'", "\\", "'' OR 1=1 --", "drop table", "<->", "!!", "a:*", "(", ") | (", "'a' & 'b'", "%s", "$1"):
        answer = await shop.client.get("/v1/products", params={"q": text})
        assert answer.status_code == 200, text
