"""Malformed requests to send, to pay in and to look, and what each is refused for."""

import json
from typing import Final

BOB: Final = "0193a5b2-7c4e-7d12-9c3d-6f5e4d3c2b1a"
SEND: Final = "/v1/wallet/send"
RECEIVE: Final = "/v1/wallet/receive"
LISTS: Final = ("/v1/wallet/transactions", "/v1/wallet/holds")

GOOD: Final[dict[str, dict[str, str]]] = {
    SEND: {"to": '"bob"', "amount": "5", "currency": '"USD"', "note": '"a"'},
    RECEIVE: {"user_id": f'"{BOB}"', "amount": "5", "currency": '"USD"', "reference": '"a"'},
}


def body(path: str, **members: str) -> str:
    """The good body of a route, but for the JSON of these members."""
    return "{" + ",".join(f'"{name}":{text}' for name, text in (GOOD[path] | members).items()) + "}"


def _of_any(path: str) -> dict[str, tuple[str | bytes, str]]:
    good, (first, *_) = body(path), GOOD[path]
    return {
        "nothing": ("", first),
        "white space": (" \n", "body"),
        "an array": ("[]", "body"),
        "null": ("null", "body"),
        "a number": ("5", "body"),
        "a string": ('"a"', "body"),
        "two objects": (good + good, "body"),
        "garbage behind": (good + "x", "body"),
        "half an object": (good[:-1], "body"),
        "a comma too many": (good[:-1] + ",}", "body"),
        "single quotes": (good.replace('"', "'"), "body"),
        "a comment": ("/**/" + good, "body"),
        "a byte order mark": ("\ufeff" + good, "body"),
        "UTF-16": (good.encode("utf-16"), "body"),
        "overlong UTF-8": (good.encode().replace(b'"a"', b'"\xc0\x80"'), "body"),
        "half a UTF-8 letter": (good.encode().replace(b'"a"', b'"\xc3"'), "body"),
        "a name that is not UTF-8": (b'{"\xff":1}', "body"),
        "deep arrays": ("[" * 60_000, "body"),
        "deep objects": ('{"a":' * 12_000, "body"),
        "deep in a member": (body(path, amount="[" * 30_000 + "]" * 30_000), "body"),
        "an empty object": ("{}", first),
        "an unknown member": (good[:-1] + ',"from":"x"}', "from"),
        "a status of one's own": (good[:-1] + ',"status":"COMPLETED"}', "status"),
        "a tenant of one's own": (good[:-1] + ',"tenant_id":"x"}', "tenant_id"),
        "a member in capitals": (good.replace("amount", "Amount"), "Amount"),
        "a member twice": (good[:-1] + ',"amount":5}', "amount"),
        "a member twice by escape": (good[:-1] + ',"\\u0061mount":5}', "amount"),
        "a prototype": (good[:-1] + ',"__proto__":{}}', "__proto__"),
    }


_AMOUNTS: Final = {
    "zero": "0", "minus zero": "-0", "negative": "-5", "a text": '"5"', "a float": "5.0", "an exponent": "1e2",
    "true": "true", "null": "null", "an array": "[5]", "an object": "{}", "2^63": str(2**63), "2^64": str(2**64),
    "-2^63": str(-(2**63)),
}  # fmt: skip
_NO_JSON: Final = {
    "NaN": "NaN", "Infinity": "-Infinity", "a zero before": "05", "a plus": "+5", "hex": "0x5",
    "60,000 digits": "9" * 60_000, "blanks inside": "5 0",
}  # fmt: skip
_CURRENCIES: Final = {
    "small letters": '"usd"', "a line feed": '"USD\\n"', "a blank": '" USD"', "six letters": '"USDUSD"', "two": '"US"',
    "Cyrillic": '"U\u0405D"', "null": "null", "a number": "5", "empty": '""', "NUL": '"USD\\u0000"',
}  # fmt: skip
_TEXTS: Final = {
    "empty": '""', "too long": f'"{"é" * 141}"', "null": "null", "a number": "5", "an object": '{"a":1}',
    "NUL": '"a\\u0000"', "a line feed": '"a\\n"', "DEL": '"a\x7f"', "C1": '"\x85"', "a separator": '"\u2028"',
    "half a pair": '"\\ud800"', "the other half": '"\\udc00x"',
}  # fmt: skip
_IDS: Final = {
    "no UUID": '"x"', "braces": f'"{{{BOB}}}"', "a line feed": f'"{BOB}\\n"', "half a pair": '"\\ud800"',
    "a number": "5", "null": "null", "a username": '"bob"',
}  # fmt: skip
_OF_MEMBERS: Final = {
    SEND: {"amount": _AMOUNTS, "currency": _CURRENCIES, "note": _TEXTS, "to": _TEXTS},
    RECEIVE: {"amount": _AMOUNTS, "currency": _CURRENCIES, "reference": _TEXTS, "user_id": _IDS},
}

BODIES: Final[dict[str, tuple[str, str | bytes, str]]] = {
    **{f"{path} {name}": (path, *what) for path in GOOD for name, what in _of_any(path).items()},
    **{
        f"{path} {member}: {name}": (path, body(path, **{member: text}), member)
        for path, members in _OF_MEMBERS.items()
        for member, texts in members.items()
        for name, text in texts.items()
    },
    **{
        f"{path} amount: {name}": (path, body(path, amount=text), "body")
        for path in GOOD
        for name, text in _NO_JSON.items()
    },
    **{
        f"{path} without {name}": (path, json.dumps({k: json.loads(v) for k, v in good.items() if k != name}), name)
        for path, good in GOOD.items()
        for name in good
        if name != "note"
    },
}
"""By name: the route, the body, and the member that is wrong."""

KEYS: Final[dict[str, list[bytes]]] = {
    "none": [],
    "empty": [b""],
    "two": [b"a", b"a"],
    "256 letters": [b"a" * 256],
    "a blank": [b"a b"],
    "not ASCII": [b"\xc3\xa9"],
    "half quoted": [b'"a'],
    "quoted and empty": [b'""'],
    "badly escaped": [b'"a\\b"'],
    "parameters": [b'"a";b=1'],
    "a list": [b'"a", "b"'],
}

QUERIES: Final[dict[str, tuple[str, str]]] = {
    "an unknown parameter": ("a=1", "a"),
    "somebody else": (f"user_id={BOB}", "user_id"),
    "a parameter twice": ("limit=1&limit=1", "limit"),
    "no value": ("limit", "query"),
    "not UTF-8": ("limit=%ff", "query"),
    "a thousand": ("&".join(["a=1"] * 500), "query"),
    "limit 0": ("limit=0", "limit"),
    "limit 201": ("limit=201", "limit"),
    "limit -1": ("limit=-1", "limit"),
    "limit 1.0": ("limit=1.0", "limit"),
    "limit +1": ("limit=%2B1", "limit"),
    "limit 01": ("limit=01", "limit"),
    "limit of many digits": (f"limit={'9' * 5000}", "limit"),
    "limit in foreign digits": ("limit=%D9%A1", "limit"),
    "an empty limit": ("limit=", "limit"),
    "a cursor that is none": ("cursor=x", "cursor"),
    "an empty cursor": ("cursor=", "cursor"),
    "a cursor of zeros": (f"cursor={'A' * 40}", "cursor"),
    "a cursor of quotes": ("cursor=%27%20OR%201%3D1", "cursor"),
}
