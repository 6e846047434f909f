"""Products over HTTP: offered, read, changed and taken away by whom it behoves."""

import unicodedata
from typing import Any
from uuid import UUID, uuid4

from app.kernel.principal import Role
from tests.catalog.shop import ELSEWHERE, Shop, refusal, said

MEMBERS = {
    "product_id", "seller_id", "category_id", "title", "description", "condition", "price", "currency", "quantity",
    "available", "images", "video_url", "specifications", "shipping_info", "featured", "is_active", "view_count",
    "version", "created_at", "updated_at",
}  # fmt: skip
PRODUCTS = "/v1/products"


def at(product: dict[str, Any]) -> str:
    return f"{PRODUCTS}/{product['product_id']}"


async def test_CreateProduct_SellerOwnsProduct(shop: Shop) -> None:  # noqa: N802 -- the page names it so
    answer = await shop.send("POST", PRODUCTS, shop.seller, said(title=" A bicycle ", quantity=3))
    assert answer.status_code == 201
    product = answer.json()
    assert set(product) == MEMBERS
    assert product["seller_id"] == str(shop.seller.id)
    assert (product["title"], product["quantity"], product["available"]) == ("A bicycle", 3, 3)
    assert (product["version"], product["view_count"], product["featured"]) == (1, 0, False)
    assert answer.headers["etag"] == '"1"'
    read = await shop.get(at(product))
    assert (read.status_code, read.json()) == (200, product)
    stranger = shop.people.user(role=Role.SELLER)
    assert (await shop.replace(product, stranger, title="Mine")).status_code == 404
    assert (await shop.send("DELETE", at(product), stranger)).status_code == 404
    assert (await shop.replace(product, title="Another")).status_code == 200


async def test_what_is_left_out_has_its_usual_value_and_what_is_said_is_kept(shop: Shop) -> None:
    category = await shop.category()
    bare = await shop.product()
    assert (bare["description"], bare["category_id"], bare["images"], bare["video_url"]) == ("", None, [], None)
    assert (bare["specifications"], bare["shipping_info"], bare["is_active"]) == ({}, {}, True)
    told = {
        "description": "Line one\r\nline two",
        "category_id": category["category_id"],
        "images": ["https://images.example/1.jpg", "https://images.example/2.jpg"],
        "video_url": "https://video.example/1",
        "specifications": {" size ": " M ", "colour": "gru\u0308n"},
        "shipping_info": {"days": 3, "fee": 4.5, "to": ["DE", {"not": None}], "insured": True},
        "is_active": False,
    }
    full = await shop.product(**told)
    assert full["description"] == "Line one\nline two"
    assert full["specifications"] == {"size": "M", "colour": "gr\u00fcn"}
    for name in ("category_id", "images", "video_url", "shipping_info", "is_active"):
        assert full[name] == told[name]
    assert full["available"] == 0
    assert (await shop.get(at(full))).json() == full


async def test_the_longest_texts_fit_however_they_are_written(shop: Shop) -> None:
    title, description = "\u00e9" * 140, "\u00e9\n" * 5_000
    product = await shop.product(
        title=unicodedata.normalize("NFD", title), description=unicodedata.normalize("NFD", description)
    )
    assert (product["title"], product["description"]) == (title, description.strip())


async def test_who_has_the_version_that_there_is_gets_it_no_second_time(shop: Shop) -> None:
    product = await shop.product()
    for known, status in (
        ('"1"', 304), ('W/"1"', 304), ("*", 304), ('"0", "1"', 304), ('"a,b" ,W/"1",', 304),
        ('"2"', 200), ('"11"', 200), ('W/"0"', 200), ('""', 200),
    ):  # fmt: skip
        answer = await shop.get(at(product), None, **{"If-None-Match": known})
        assert answer.status_code == status, known
        assert answer.headers["etag"] == '"1"'
        assert answer.headers["cache-control"] == "no-cache"
        assert "Origin" in answer.headers["vary"]
        assert answer.content == b"" or status == 200
        assert ("content-type" in answer.headers) == (status == 200)
    for malformed in ("1", '"1', "W/1", '"1" "2"', "*, *", '"1";', ""):
        details = refusal(await shop.get(at(product), None, **{"If-None-Match": malformed}), 400, "VALIDATION_ERROR")
        assert set(details) == {"If-None-Match"}
    gone = await shop.get(f"{PRODUCTS}/{uuid4()}", None, **{"If-None-Match": "*"})
    refusal(gone, 404, "NOT_FOUND")
    head = await shop.client.head(at(product), headers={"If-None-Match": '"1"'})
    assert (head.status_code, head.headers["etag"]) == (304, '"1"')


async def test_a_change_says_of_which_version_it_is(shop: Shop) -> None:
    product = await shop.product()
    body = said(title="Changed")
    refusal(await shop.send("PUT", at(product), shop.seller, body), 428, "PRECONDITION_REQUIRED")
    for other in ('"2"', 'W/"1"', '"0", "3"'):
        answer = await shop.send("PUT", at(product), shop.seller, body, **{"If-Match": other})
        assert refusal(answer, 412, "PRECONDITION_FAILED") == {"version": 1}
    malformed = await shop.send("PUT", at(product), shop.seller, body, **{"If-Match": "1"})
    assert set(refusal(malformed, 400, "VALIDATION_ERROR")) == {"If-Match"}
    for version, given in ((2, '"1"'), (3, '"7", "2"'), (4, "*")):
        answer = await shop.send("PUT", at(product), shop.seller, body, **{"If-Match": given})
        assert (answer.status_code, answer.json()["version"]) == (200, version)
        assert answer.headers["etag"] == f'"{version}"'
    assert (await shop.get(at(product))).json()["title"] == "Changed"


async def test_what_is_wrong_with_the_product_is_named_before_its_version_is_asked_for(shop: Shop) -> None:
    product = await shop.product()
    wrong: list[tuple[dict[str, Any], int, str]] = [
        ({"category_id": str(uuid4())}, 400, "category_id"),
        ({"currency": "XYZ"}, 400, "currency"),
        ({"featured": True}, 403, "featured"),
    ]
    for members, status, named in wrong:
        for given in ({}, {"If-Match": '"7"'}):
            answer = await shop.send("PUT", at(product), shop.seller, said(**members), **given)
            assert [*refusal(answer, status, "VALIDATION_ERROR" if status == 400 else "FORBIDDEN")] == [named]
    assert (await shop.get(at(product))).json()["version"] == 1


async def test_what_is_not_there_or_anothers_is_404_before_a_version_is_asked_for(shop: Shop) -> None:
    product = await shop.product()
    stranger = shop.people.user(role=Role.SELLER)
    answers = [
        await shop.send("PUT", at(product), stranger, said()),
        await shop.send("PUT", at(product), stranger, said(), **{"If-Match": '"7"'}),
        await shop.send("PUT", f"{PRODUCTS}/{uuid4()}", shop.seller, said()),
        await shop.send("DELETE", at(product), stranger),
        await shop.send("DELETE", f"{PRODUCTS}/{uuid4()}", shop.admin),
    ]
    assert {(answer.status_code, answer.content) for answer in answers} == {(404, answers[0].content)}
    unfit = await shop.send("PUT", f"{PRODUCTS}/{uuid4()}", shop.seller, said(category_id=str(uuid4())))
    assert [*refusal(unfit, 400, "VALIDATION_ERROR")] == ["category_id"], "what is wrong with a request comes first"


async def test_a_change_replaces_all_that_a_seller_says(shop: Shop) -> None:
    product = await shop.product(description="old", images=["https://i.example/"], specifications={"a": "b"})
    answer = await shop.send("PUT", at(product), shop.seller, said(price=7, currency="EUR"), **{"If-Match": '"1"'})
    changed = answer.json()
    assert (changed["description"], changed["images"], changed["specifications"]) == ("", [], {})
    assert (changed["price"], changed["currency"], changed["created_at"]) == (7, "EUR", product["created_at"])
    assert changed["updated_at"] > product["updated_at"]
    assert shop.events(product["product_id"]) == [("product.created", 1), ("product.updated", 2)]


async def test_whether_it_is_featured_is_for_admins_to_say(shop: Shop) -> None:
    for tried in (
        await shop.send("POST", PRODUCTS, shop.seller, said(featured=True)),
        await shop.replace(await shop.product(), featured=True),
    ):
        assert refusal(tried, 403, "FORBIDDEN") == {"featured": "is for admins to say"}
    product = await shop.product(featured=False)
    featured = (await shop.replace(product, shop.admin, featured=True)).json()
    assert featured["featured"] is True
    assert featured["seller_id"] == str(shop.seller.id)
    for said_so in ({}, {"featured": True}):
        featured = (await shop.replace(featured, None, **said_so)).json()
        assert featured["featured"] is True
    refusal(await shop.replace(featured, featured=False), 403, "FORBIDDEN")
    assert (await shop.replace(featured, shop.admin)).json()["featured"] is False
    assert (await shop.product(shop.admin, featured=True))["featured"] is True


async def test_events_do_not_run_out_of_numbers(shop: Shop) -> None:
    product = await shop.product()
    shop.rows("UPDATE catalog.products SET edits = 32765 WHERE id = %s", product["product_id"])
    product = (await shop.replace(product)).json()
    refusal(await shop.replace(product), 409, "TOO_MANY_EDITS")
    gone = await shop.send("DELETE", at(product), shop.seller)
    assert gone.status_code == 204, gone.text
    assert [number for _, number in shop.events(product["product_id"])] == [1, 32766, 32767]


async def test_what_is_put_in_moves_with_what_its_seller_says_is_left(shop: Shop) -> None:
    product = await shop.product(quantity=10)
    shop.rows("UPDATE catalog.products SET reserved = 3, sold = 4, put_in = 14 WHERE id = %s", product["product_id"])
    assert refusal(await shop.replace(product, quantity=2), 409, "STOCK_RESERVED") == {"reserved": 3}
    for quantity in (3, 20):
        product = (await shop.replace(product, quantity=quantity)).json()
        assert (product["quantity"], product["available"]) == (quantity, quantity - 3)
        query = "SELECT quantity, reserved, sold, put_in FROM catalog.products WHERE id = %s"
        assert shop.rows(query, product["product_id"]) == [(quantity, 3, 4, quantity + 4)]


async def test_a_product_that_is_taken_away_is_gone(shop: Shop) -> None:
    product = await shop.product()
    await shop.get(at(product))
    answer = await shop.send("DELETE", at(product), shop.seller)
    assert (answer.status_code, answer.content) == (204, b"")
    refusal(await shop.get(at(product)), 404, "NOT_FOUND")
    refusal(await shop.replace(product), 404, "NOT_FOUND")
    refusal(await shop.send("DELETE", at(product), shop.seller), 404, "NOT_FOUND")
    assert shop.events(product["product_id"]) == [("product.created", 1), ("product.deleted", 2)]
    assert shop.rows("SELECT 1 FROM catalog.product_lexemes WHERE product_id = %s", product["product_id"]) == []
    others = await shop.product()
    assert (await shop.send("DELETE", at(others), shop.admin)).status_code == 204


async def test_a_product_of_which_a_piece_is_auctioned_stays_until_that_is_over(shop: Shop) -> None:
    product = await shop.product(quantity=2)
    reservation = (UUID(product["product_id"]).int & 15, shop.people.tenant, product["product_id"])
    for pinned in (False, True):
        shop.rows(
            "INSERT INTO catalog.reservations (bucket, tenant_id, business_id, context, name, fingerprint, forbidden,"
            " pinned, created_at) VALUES (%s, %s, %s, 'auctions', %s, '', false, %s, now())",
            *reservation, f"pinned {pinned}", pinned,
        )  # fmt: skip
        shop.rows(
            "INSERT INTO catalog.reservation_lines (bucket, tenant_id, business_id, context, name, product_id, qty,"
            " seller_id, title, price, currency, status) SELECT r.bucket, r.tenant_id, r.business_id, r.context,"
            " r.name, r.business_id, 1, gen_random_uuid(), 'a lamp', 1, 'USD', 'RESERVED' FROM catalog.reservations r"
            " WHERE r.business_id = %s AND r.pinned = %s",
            product["product_id"], pinned,
        )  # fmt: skip
    for who in (shop.seller, shop.admin):
        refusal(await shop.send("DELETE", at(product), who), 409, "PRODUCT_IN_AUCTION")
    assert (await shop.get(at(product))).status_code == 200
    shop.rows("UPDATE catalog.reservation_lines SET status = 'RETURNED' WHERE name = 'pinned True'")
    assert (await shop.send("DELETE", at(product), shop.seller)).status_code == 204, "what is only reserved is not held"


async def test_only_sellers_and_admins_offer_anything(shop: Shop) -> None:
    machine = shop.people.machine("wallet:receive")
    product = await shop.product()
    for method, target, body in (
        ("POST", PRODUCTS, said()),
        ("PUT", at(product), said()),
        ("DELETE", at(product), None),
    ):
        refusal(await shop.send(method, target, shop.buyer, body), 403, "FORBIDDEN")
        refusal(await shop.send(method, target, machine, body), 403, "FORBIDDEN")
        refusal(await shop.send(method, target, None, body), 401, "UNAUTHORIZED")
    assert (await shop.get(at(product), machine)).status_code == 200
    wrong = await shop.client.get(at(product), headers={"Authorization": "Bearer nobody"})
    refusal(wrong, 401, "UNAUTHORIZED")


async def test_products_of_another_tenant_are_none_of_ours(shop: Shop) -> None:
    product = await shop.product()
    foreign_admin = shop.people.user(role=Role.ADMIN, tenant=shop.people.other_tenant)
    for answer in (
        await shop.get(f"{ELSEWHERE}{at(product)}"),
        await shop.get(f"{ELSEWHERE}{at(product)}", foreign_admin),
        await shop.replace(product, foreign_admin),
        await shop.send("DELETE", at(product), foreign_admin),
    ):
        refusal(answer, 404, "NOT_FOUND")
