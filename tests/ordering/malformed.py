"""Malformed requests for carts and orders, and what each is refused for."""

from typing import Final

PRODUCT: Final = "0193a5b2-7c4e-7d13-8e4f-1a2b3c4d5e6f"
ITEM: Final = "0193a5b2-7c4e-7d15-a6b7-2c3d4e5f6071"
ITEMS: Final = "/v1/cart/items"
ONE: Final = f"{ITEMS}/{ITEM}"

GOOD: Final[dict[tuple[str, str], dict[str, str]]] = {
    ("POST", ITEMS): {"product_id": f'"{PRODUCT}"', "qty": "2"},
    ("PUT", ONE): {"qty": "2"},
}


def body(of: tuple[str, str], **members: str) -> str:
    """The good body of a route, but for the JSON of these members."""
    return "{" + ",".join(f'"{name}":{text}' for name, text in (GOOD[of] | members).items()) + "}"


def _of_any(of: tuple[str, str]) -> dict[str, tuple[str | bytes, str]]:
    good, (first, *_) = body(of), GOOD[of]
    return {
        "nothing": ("", first),
        "white space": (" \n", "body"),
        "an array": ("[]", "body"),
        "null": ("null", "body"),
        "a string": ('"a"', "body"),
        "two objects": (good + good, "body"),
        "half an object": (good[:-1], "body"),
        "a comma too many": (good[:-1] + ",}", "body"),
        "a byte order mark": ("\ufeff" + good, "body"),
        "UTF-16": (good.encode("utf-16"), "body"),
        "a name that is not UTF-8": (b'{"\xff":1}', "body"),
        "deep arrays": ("[" * 60_000, "body"),
        "deep objects": ('{"a":' * 12_000, "body"),
        "deep in a member": (body(of, qty="[" * 30_000 + "]" * 30_000), "body"),
        "an empty object": ("{}", first),
        "a price of one's own": (good[:-1] + ',"price":1}', "price"),
        "a title of one's own": (good[:-1] + ',"title":"x"}', "title"),
        "a tenant of one's own": (good[:-1] + ',"tenant_id":"x"}', "tenant_id"),
        "somebody else": (good[:-1] + f',"user_id":"{ITEM}"}}', "user_id"),
        "a member in capitals": (good.replace("qty", "Qty"), "Qty"),
        "a member twice": (good[:-1] + ',"qty":2}', "qty"),
        "a member twice by escape": (good[:-1] + ',"\\u0071ty":2}', "qty"),
    }


_QTYS: Final = {
    "zero": "0", "minus zero": "-0", "negative": "-1", "one too many": "1001", "2^31": str(2**31), "2^63": str(2**63),
    "a text": '"2"', "a float": "2.0", "a half": "0.5", "an exponent": "1e2", "true": "true", "null": "null",
    "an array": "[2]", "an object": "{}",
}  # fmt: skip
_NO_JSON: Final = {
    "NaN": "NaN", "Infinity": "Infinity", "a zero before": "02", "a plus": "+2", "hex": "0x2",
    "60,000 digits": "9" * 60_000,
}  # fmt: skip
_IDS: Final = {
    "no UUID": '"x"', "empty": '""', "braces": f'"{{{PRODUCT}}}"', "a line feed": f'"{PRODUCT}\\n"', "NUL": '"\\u0000"',
    "half a pair": '"\\ud800"', "a number": "5", "null": "null", "a URN": f'"urn:uuid:{PRODUCT}"',
}  # fmt: skip

BODIES: Final[dict[str, tuple[tuple[str, str], str | bytes, str]]] = {
    **{f"{of[0]} {name}": (of, *what) for of in GOOD for name, what in _of_any(of).items()},
    **{f"{of[0]} qty: {name}": (of, body(of, qty=text), "qty") for of in GOOD for name, text in _QTYS.items()},
    **{f"{of[0]} qty: {name}": (of, body(of, qty=text), "body") for of in GOOD for name, text in _NO_JSON.items()},
    **{
        f"POST product_id: {name}": (("POST", ITEMS), body(("POST", ITEMS), product_id=text), "product_id")
        for name, text in _IDS.items()
    },
}
"""By name: method and route, the body, and the member that is wrong."""

PATH_IDS: Final = {
    "a word": "x", "a number": "5", "braces": f"%7B{ITEM}%7D", "a line feed": f"{ITEM}%0A", "too long": ITEM + "0",
    "too short": ITEM[:-1], "an injection": "%27%20OR%201%3D1", "NUL": "%00", "not UTF-8": "%ff",
}  # fmt: skip
"""What is no id, in a path."""

QUERIES: Final[dict[str, tuple[str, str]]] = {
    "an unknown parameter": ("a=1", "a"),
    "somebody else": (f"user_id={ITEM}", "user_id"),
    "a status": ("status=paid", "status"),
    "a parameter twice": ("as=buyer&as=buyer", "as"),
    "no value": ("limit", "query"),
    "not UTF-8": ("limit=%ff", "query"),
    "a thousand": ("&".join(["a=1"] * 500), "query"),
    "as nobody": ("as=", "as"),
    "as an admin": ("as=admin", "as"),
    "as a buyer in capitals": ("as=Buyer", "as"),
    "as both": ("as=buyer,seller", "as"),
    "limit 0": ("limit=0", "limit"),
    "limit 201": ("limit=201", "limit"),
    "limit -1": ("limit=-1", "limit"),
    "limit of many digits": (f"limit={'9' * 5000}", "limit"),
    "limit in foreign digits": ("limit=%D9%A1", "limit"),
    "a cursor that is none": ("cursor=x", "cursor"),
    "an empty cursor": ("cursor=", "cursor"),
    "a cursor of zeros": (f"cursor={'A' * 40}", "cursor"),
    "a cursor of quotes": ("cursor=%27%20OR%201%3D1", "cursor"),
}
"""Of the list of orders: the query, and what is wrong in it."""
