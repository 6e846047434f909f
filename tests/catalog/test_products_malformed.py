"""Products that are malformed: each is refused by the member that is wrong."""

from typing import Any
from uuid import uuid4

import pytest

from tests.catalog.shop import Shop, refusal, said

PRODUCTS = "/v1/products"


@pytest.mark.parametrize(
    ("members", "member"),
    [
        ({"title": ""}, "title"),
        ({"title": "  "}, "title"),
        ({"title": "x" * 141}, "title"),
        ({"title": "two\nlines"}, "title"),
        ({"title": "nul\0"}, "title"),
        ({"title": "turned \u202e"}, "title"),
        ({"title": None}, "title"),
        ({"description": "x" * 10_001}, "description"),
        ({"description": "bell \a"}, "description"),
        ({"description": "a" + "\u0301" * 31}, "description"),
        ({"condition": "broken"}, "condition"),
        ({"condition": "New"}, "condition"),
        ({"price": 0}, "price"),
        ({"price": -1}, "price"),
        ({"price": 2**63}, "price"),
        ({"price": 1.0}, "price"),
        ({"price": "1"}, "price"),
        ({"price": True}, "price"),
        ({"currency": "usd"}, "currency"),
        ({"currency": "ZZZ"}, "currency"),
        ({"quantity": -1}, "quantity"),
        ({"quantity": 1_000_000_001}, "quantity"),
        ({"quantity": None}, "quantity"),
        ({"category_id": "bicycles"}, "category_id"),
        ({"category_id": str(uuid4())}, "category_id"),
        ({"images": ["http://images.example/1.jpg"]}, "images"),
        ({"images": ["https://images.example/"] * 13}, "images"),
        ({"images": "https://images.example/"}, "images"),
        ({"images": ["https://user:secret@images.example/"]}, "images"),
        ({"images": ["javascript:alert(1)"]}, "images"),
        ({"video_url": "https://"}, "video_url"),
        ({"video_url": "https://v.example/" + "x" * 2048}, "video_url"),
        ({"specifications": {"size": 1}}, "specifications"),
        ({"specifications": {"": "x"}}, "specifications"),
        ({"specifications": {"size": ""}}, "specifications"),
        ({"specifications": {"a": "1", " a": "2"}}, "specifications"),
        ({"specifications": {str(n): "x" for n in range(51)}}, "specifications"),
        ({"specifications": {"x" * 65: "x"}}, "specifications"),
        ({"specifications": {"x": "x" * 501}}, "specifications"),
        ({"specifications": []}, "specifications"),
        ({"shipping_info": {"a": {"b": {"c": {"d": {}}}}}}, "shipping_info"),
        ({"shipping_info": {"a": [1] * 101}}, "shipping_info"),
        ({"shipping_info": {"a": 2**60}}, "shipping_info"),
        ({"shipping_info": {"a": "nul \0"}}, "shipping_info"),
        ({"shipping_info": []}, "shipping_info"),
        ({"featured": "yes"}, "featured"),
        ({"is_active": 1}, "is_active"),
        ({"version": 1}, "version"),
        ({"seller_id": str(uuid4())}, "seller_id"),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)  # fmt: skip
async def test_what_is_malformed_is_refused_by_the_member_that_is_wrong(
    shop: Shop, members: dict[str, Any], member: str
) -> None:
    answer = await shop.send("POST", PRODUCTS, shop.seller, said(**members))
    assert set(refusal(answer, 400, "VALIDATION_ERROR")) == {member}
    product = await shop.product()
    target = f"{PRODUCTS}/{product['product_id']}"
    changed = await shop.send("PUT", target, shop.seller, said(**members), **{"If-Match": '"1"'})
    assert set(refusal(changed, 400, "VALIDATION_ERROR")) == {member}


@pytest.mark.parametrize("missing", ["title", "condition", "price", "currency", "quantity"])
async def test_what_is_needed_is_asked_for(shop: Shop, missing: str) -> None:
    body = {name: value for name, value in said().items() if name != missing}
    details = refusal(await shop.send("POST", PRODUCTS, shop.seller, body), 400, "VALIDATION_ERROR")
    assert details == {missing: "is required"}


@pytest.mark.parametrize("id", ["1", "x", "%00", "0193a5b2-7c4e-7d20-8f21-3b6a9c0e5d4", "a" * 300])
async def test_what_is_no_id_is_malformed(shop: Shop, id: str) -> None:
    assert set(refusal(await shop.get(f"{PRODUCTS}/{id}"), 400, "VALIDATION_ERROR")) == {"id"}
