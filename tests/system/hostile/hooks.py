"""What schemathesis cannot learn from the document, told to it before each request.

A user, a provider and a cursor have to be there, which no schema can say; else hardly a request would get past 404. And
three differences between JSON Schema and this API stand on purpose, each named where it is evened out.
"""

import itertools
import os
import re
from typing import Any

import schemathesis

from tests.system.hostile.business import (
    CURRENCY,
    FAR_AHEAD,
    LONG_AGO,
    TIME,
    as_books_are_kept,
    as_receivers_ask,
    as_reports_come,
    without_points,
)

USER, PROVIDER = os.environ["FUZZ_USER"], os.environ["FUZZ_PROVIDER"]
ASKER, OTHER, OTHER_NAME, PRODUCT = (os.environ[f"FUZZ_{name}"] for name in ("ASKER", "OTHER", "OTHER_NAME", "PRODUCT"))
UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
RULE, PURCHASE = os.environ["FUZZ_RULE"], os.environ["FUZZ_PURCHASE"]
OWN, AUCTION, OVER, ENDS_AT = (os.environ[f"FUZZ_{name}"] for name in ("OWN", "AUCTION", "OVER", "ENDS_AT"))
KEY = re.compile(r"[!#-~][!-~]{0,254}")
CURSOR = re.compile(r"[A-Za-z0-9_-]{40,}")
TAGS = re.compile(r'\*|(W/)?"[!#-~]*"(, *(W/)?"[!#-~]*")*')
MESSAGE = """shop.example wants you to sign in with your Ethereum account:
0x7E5F4552091A69125d5DfCb7b8C2659029395Bdf


URI: https://shop.example
Version: 1
Chain ID: 1
Nonce: 5f0c2ad1b86e43e7
Issued At: 2026-01-31T12:00:00Z"""
LONGEST = {
    "email": 254,
    "phone": 32,
    **dict.fromkeys(("password", "current_password", "title", "name", "description"), 10_000),
}
_numbers = itertools.count(1)


@schemathesis.serializer("text/csv")  # type: ignore[untyped-decorator] # it is installed elsewhere
def csv_as_it_is(_: Any, value: Any) -> bytes:
    """A report is its text."""
    return value if isinstance(value, bytes) else str(value).encode("utf-8", "replace")


@schemathesis.hook  # type: ignore[untyped-decorator] # it is installed elsewhere
def before_call(_: Any, case: Any, __: Any) -> None:
    """Bring a request that is well-formed to where something happens; leave any other as it is."""
    without_points(case.body)
    _where_there_is_a_wallet(case)
    _to_somebody(case)
    _as_people_write(case)
    _as_the_market_asks(case)
    _as_tills_ask(case)
    _at_auctions(case)
    as_receivers_ask(case)
    as_books_are_kept(case)
    as_reports_come(case)
    headers, query, body = case.headers or {}, case.query or {}, case.body
    if KEY.fullmatch(str(headers.get("Idempotency-Key", ""))):
        # A key names one request for ever: the next request with it, however valid, is answered 422.
        headers["Idempotency-Key"] = f"{headers['Idempotency-Key'][:200]}-{next(_numbers)}"
    if CURSOR.fullmatch(str(query.get("cursor", ""))):
        # A cursor carries a check of its own: one that was never handed out is refused with 400.
        del query["cursor"]
    for place in (query, body):
        if isinstance(place, dict) and CURRENCY.fullmatch(str(place.get("currency", ""))):
            # A code that is not known is refused with 400, but where there is a wallet in it.
            place["currency"] = "USD"


def _where_there_is_a_wallet(case: Any) -> None:
    """Half of all users are the one who has a wallet, in USD; every provider is the one that there is."""
    path, body = case.path_parameters or {}, case.body
    if not UUID.fullmatch(str(path.get("user_id", ""))) or path["user_id"][-1].lower() not in "02468ace":
        return
    path["user_id"] = USER
    if isinstance(body, dict) and UUID.fullmatch(str(body.get("provider_id", ""))):
        body["provider_id"] = PROVIDER


def _to_somebody(case: Any) -> None:
    """Half of those who get something are the one that there is; nobody's account is changed but theirs."""
    path, body = case.path_parameters or {}, case.body
    if "id" in path and (path["id"] == ASKER or _is_chosen(path["id"])):
        path["id"] = OTHER
    if not isinstance(body, dict):
        return
    if _is_chosen(body.get("user_id")):
        body["user_id"] = OTHER
    is_somebody = not case.path.startswith("/v1/webhooks")  # where it is a time
    if is_somebody and isinstance(body.get("to"), str) and 1 <= len(body["to"]) <= 64 and body["to"].isprintable():
        body["to"] = (OTHER, OTHER_NAME)[len(body["to"]) % 2]


def _as_people_write(case: Any) -> None:
    """What has a grammar of its own, which a schema tells in part, is of it: addresses, numbers, signed messages."""
    query, body, nth = case.query or {}, case.body, next(_numbers)
    if isinstance(query.get("q"), str) and not query["q"].isprintable():
        del query["q"]
    grammars = {
        "email": f"somebody-{nth}@example.com",
        "first_name": "Ada",
        "last_name": "Lovelace",
        "phone": "+41 44 000 00 00",
        "password": f"a password {nth} that nobody else has",
        "current_password": "not the password",
        "message": MESSAGE,
        "signature": f"0x{nth:0130x}",
        "grant_type": "client_credentials",
        "avatar_url": "https://example.com/face.png",
        "title": "A lamp",
        "name": "Lamps",
        "description": "It is bright.",
        "video_url": "https://example.com/lamp.mp4",
        "image_url": "https://example.com/lamp.png",
        "tracking": "a parcel",
        "reason": "it broke",
    }
    if case.path == "/v1/auth/token" and (isinstance(body, dict) or type(body).__name__ == "NotSet"):
        # Left out it is refused, and in the words of another protocol.
        # And who asks stands in a header already: in the body as well it would be malformed.
        given = body if isinstance(body, dict) else {}
        case.body = body = {"grant_type": "client_credentials"} | {
            name: value for name, value in given.items() if name not in ("client_id", "client_secret")
        }
    if isinstance(body, dict):
        if case.method == "PATCH":
            _of_oneself(body)
        for name, written in grammars.items():
            if isinstance(body.get(name), str) and len(body[name]) <= LONGEST.get(name, 256):
                body[name] = written


def _as_the_market_asks(case: Any) -> None:
    """Half of the products are the one that there is, of which a cart has room for a piece more; no category is one;
    of two members that exclude each other there is one, and what a change needs beside its body it has.
    """
    query, body = case.query or {}, case.body
    if query.get("recommended") in (True, "true"):
        for name in query.keys() - {"recommended", "limit"}:
            del query[name]
    if case.path == "/v1/products" and query.keys() & {"min_price", "max_price", "sort"}:
        query.setdefault("currency", "USD")
        if "min_price" in query:
            query.pop("max_price", None)
    if case.path == "/v1/products/{id}" and case.method == "PUT":
        # Without it is 428, and of another version 412, which JSON Schema cannot say of a header.
        case.headers = case.headers or {}
        if TAGS.fullmatch(str(case.headers.get("If-Match", "*"))):
            case.headers["If-Match"] = "*"
    if (case.headers or {}).get("If-None-Match") == "0":
        case.headers["If-None-Match"] = '"0"'  # a number is taken for a text that the pattern allows
    if isinstance(body, dict):
        _of_the_market(case.path, body)


def _as_tills_ask(case: Any) -> None:
    """Half of the purchases and of the rules are those that there are; each thing bought or given back is another one,
    of so little that there is always enough; a rule does not end before it begins, and gives what can be counted.
    """
    path, body = case.path_parameters or {}, case.body
    there = {"/v1/purchases/{id}/refund": PURCHASE, "/v1/rewards/rules/{id}": RULE}.get(case.path)
    if there and path.get("id") == OTHER:
        path["id"] = there
    if not isinstance(body, dict) or not case.path.startswith(("/v1/purchases", "/v1/rewards")):
        return
    for name in ("external_reference", "reference"):
        if isinstance(body.get(name), str) and 1 <= len(body[name]) <= 140 and body[name].isprintable():
            body[name] = f"{body[name][:100]}-{next(_numbers)}"
    if case.path.endswith("/refund") and (type(body.get("amount")) is int and 1 <= body["amount"] < 2**63):
        body["amount"] = 1
    if re.fullmatch("[1-9][0-9]{77}", str(body.get("cap_per_user_month"))):
        body["cap_per_user_month"] = "5000000"
    # By themselves, too: a rule that is changed has the other time from before.
    for name, then in (("from", LONG_AGO), ("until", FAR_AHEAD)):
        if TIME.fullmatch(str(body.get(name))):
            body[name] = then


def _at_auctions(case: Any) -> None:
    """Half of the auctions are the one that there is, half of those that are opened are of one's own product. Prices
    that have an order among them, which no schema can say, are in it; so are times, and a maximum and its amount.
    """
    path, body = case.path_parameters or {}, case.body
    if case.path.startswith("/v1/auctions/") and path.get("id") == OTHER:
        path["id"] = OVER if case.path.endswith("/live") else AUCTION  # of one that goes on there is no last piece
    if not isinstance(body, dict):
        return
    if case.path == "/v1/auctions":
        if body.get("product_id") == PRODUCT:
            body["product_id"] = OWN
        prices = [name for name in ("starting_price", "reserve_price", "buy_now_price") if _is_amount(body.get(name))]
        for name, price in zip(prices, sorted(body[name] for name in prices), strict=True):
            body[name] = price
        for name, instead in (("starts_at", None), ("ends_at", ENDS_AT)):
            if isinstance(body.get(name), str) and 1 <= len(body[name]) <= 64:
                body[name] = instead
    elif (
        case.path == "/v1/auctions/{id}/bids" and _is_amount(body.get("max_amount")) and _is_amount(body.get("amount"))
    ):
        body["amount"], body["max_amount"] = sorted((body["amount"], body["max_amount"]))


def _is_amount(value: Any) -> bool:
    return type(value) is int and 1 <= value < 2**63


def _of_the_market(path: str, body: dict[str, Any]) -> None:
    for name, instead in (("product_id", PRODUCT), ("parent_id", None), ("category_id", None)):
        if _is_chosen(body.get(name)) or (instead is None and UUID.fullmatch(str(body.get(name)))):
            body[name] = instead
    if type(body.get("qty")) is int and 1 <= body["qty"] <= 1_000:
        body["qty"] = 1
    if "keys" in body:
        body.pop("patterns", None)
    elif not body and path == "/internal/cache/invalidate":
        body["keys"] = ["categories:tree"]
    written = {"images": ["https://example.com/a.png"], "specifications": {"colour": "red"}, "shipping_info": {"by": 1}}
    for name, said in written.items():
        if isinstance(body.get(name), type(said)) and body[name]:
            body[name] = said


def _of_oneself(body: dict[str, Any]) -> None:
    """What needs another member, as no schema of one says, comes with it; an e-mail is set once, and there is one."""
    body.pop("email", None)
    for one, other in (("message", "signature"), ("password", "current_password")):
        if (one in body) != (other in body):
            body.pop(one, None)
            body.pop(other, None)


def _is_chosen(id: Any) -> bool:
    return bool(UUID.fullmatch(str(id))) and str(id)[-1].lower() in "02468ace"
