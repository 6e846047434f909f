"""Malformed requests for cashback, and what each is refused for."""

from typing import Final

USER: Final = "0193a5b2-7c4e-7d12-9c3d-6f5e4d3c2b1a"
BUY, REFUND, RULES = "/v1/purchases", f"/v1/purchases/{USER}/refund", "/v1/rewards/rules"
ONE_RULE: Final = f"{RULES}/{USER}"

GOOD: Final[dict[tuple[str, str], dict[str, str]]] = {
    ("POST", BUY): {
        "user_id": f'"{USER}"', "merchant": '"lamps"', "external_reference": '"r"', "amount": "100",
        "currency": '"USD"',
    },
    ("POST", REFUND): {"reference": '"r"', "amount": "1"},
    ("POST", RULES): {"basis_points": "100", "currency": '"USD"'},
    ("PATCH", ONE_RULE): {"basis_points": "100"},
}  # fmt: skip


def body(of: tuple[str, str], **members: str) -> str:
    """The good body of a route, but for the JSON of these members."""
    named = {name.rstrip("_"): text for name, text in members.items()}
    return "{" + ",".join(f'"{name}":{text}' for name, text in (GOOD[of] | named).items()) + "}"


def _of_any(of: tuple[str, str]) -> dict[str, tuple[str | bytes, str]]:
    good, first = body(of), next(iter(GOOD[of]))
    return {
        "white space": (" \n", "body"),
        "an array": ("[]", "body"),
        "null": ("null", "body"),
        "two objects": (good + good, "body"),
        "half an object": (good[:-1], "body"),
        "a comma too many": (good[:-1] + ",}", "body"),
        "UTF-16": (good.encode("utf-16"), "body"),
        "deep arrays": ("[" * 60_000, "body"),
        "a tenant of one's own": (good[:-1] + ',"tenant_id":"x"}', "tenant_id"),
        "a cashback of one's own": (good[:-1] + ',"cashback":"1"}', "cashback"),
        "a member in capitals": (good.replace(first, first.upper()), first.upper()),
        "a member twice": (good[:-1] + f',"{first}":{GOOD[of][first]}}}', first),
        "a member twice by escape": (good[:-1] + f',"\\u00{ord(first[0]):02x}{first[1:]}":{GOOD[of][first]}}}', first),
    }


AMOUNTS: Final = {
    "zero": "0", "minus zero": "-0", "negative": "-1", "2^63": str(2**63), "2^64": str(2**64), "a text": '"100"',
    "a float": "100.0", "a half": "0.5", "an exponent": "1e2", "true": "true", "an array": "[1]", "an object": "{}",
}  # fmt: skip
NO_JSON: Final = {"NaN": "NaN", "Infinity": "Infinity", "a zero before": "02", "hex": "0x2", "digits": "9" * 60_000}
LINES: Final = {
    "empty": '""', "a number": "5", "too long": '"' + "x" * 141 + '"', "NUL": '"\\u0000"', "a line feed": '"a\\nb"',
    "DEL": '"\\u007f"', "a line separator": '"\\u2028"', "half a pair": '"\\ud800"', "an array": '["a"]',
}  # fmt: skip
UNITS: Final = {
    "a number": "5", "negative": '"-1"', "a sign": '"+1"', "a fraction": '"1.5"', "an exponent": '"1e2"', "empty": '""',
    "a zero before": '"01"', "white space": '" 1"', "2^256": f'"{2**256}"', "10^78": f'"{10**78}"', "hex": '"0x1"',
    "foreign digits": '"١"', "a line feed": '"1\\n"', "NaN": '"NaN"', "true": "true",
}  # fmt: skip
CODES: Final = {"small": '"usd"', "long": '"DOLLAR"', "unknown": '"ABC"', "null": "null", "a number": "5"}
TIMES: Final = {
    "a date": '"2026-01-31"', "no zone": '"2026-01-31T12:00:00"', "a number": "5", "a word": '"today"', "empty": '""',
    "no such day": '"2026-02-30T00:00:00Z"', "no such year": '"0000-01-01T00:00:00Z"', "true": "true",
    "before all": '"0001-01-01T00:00:00+14:00"', "behind all": '"9999-12-31T23:59:59-14:00"',
}  # fmt: skip

BODIES: Final[dict[str, tuple[tuple[str, str], str | bytes, str]]] = {
    **{f"{' '.join(of)} {name}": (of, *what) for of in GOOD for name, what in _of_any(of).items()},
    **{
        f"amount: {name}": (("POST", BUY), body(("POST", BUY), amount=text), "amount")
        for name, text in AMOUNTS.items()
    },
    **{
        f"refunded: {name}": (("POST", REFUND), body(("POST", REFUND), amount=text), "amount")
        for name, text in (AMOUNTS | {"null": "null"}).items()
    },
    **{
        f"no JSON: {name}": (("POST", BUY), body(("POST", BUY), amount=text), "body")
        for name, text in NO_JSON.items()
    },
    **{
        f"{member}: {name}": (("POST", BUY), body(("POST", BUY), **{member: text}), member)
        for member in ("merchant", "external_reference", "category")
        for name, text in LINES.items()
    },
    **{f"reference: {name}": (("POST", REFUND), body(("POST", REFUND), reference=text), "reference")
       for name, text in LINES.items()},
    **{
        f"currency: {name}": (("POST", route), body(("POST", route), currency=text), "currency")
        for route in (BUY, RULES)
        for name, text in CODES.items()
    },
    **{
        f"user_id: {name}": (("POST", BUY), body(("POST", BUY), user_id=text), "user_id")
        for name, text in {"a word": '"x"', "braces": f'"{{{USER}}}"', "null": "null", "a number": "5"}.items()
    },
    **{
        f"{of[0]} basis_points: {name}": (of, body(of, basis_points=text), "basis_points")
        for of in (("POST", RULES), ("PATCH", ONE_RULE))
        for name, text in (AMOUNTS | {"too many": "10001", "null": "null"}).items()
    },
    **{
        f"{of[0]} cap: {name}": (of, body(of, cap_per_user_month=text), "cap_per_user_month")
        for of in (("POST", RULES), ("PATCH", ONE_RULE))
        for name, text in UNITS.items()
    },
    **{
        f"{of[0]} {member}: {name}": (of, body(of, **{member: text}), member.rstrip("_"))
        for of in (("POST", RULES), ("PATCH", ONE_RULE))
        for member in ("from_", "until")
        for name, text in TIMES.items()
    },
    **{
        f"min_amount: {name}": (("POST", RULES), body(("POST", RULES), min_amount=text), "min_amount")
        for name, text in AMOUNTS.items()
    },
    **{
        f"PATCH is_active: {name}": (("PATCH", ONE_RULE), body(("PATCH", ONE_RULE), is_active=text), "is_active")
        for name, text in {"null": "null", "a number": "1", "a text": '"true"'}.items()
    },
}  # fmt: skip
"""By name: method and route, the body, and the member that is wrong."""

PATH_IDS: Final = {
    "a word": "x", "a number": "5", "braces": f"%7B{USER}%7D", "a line feed": f"{USER}%0A", "too long": USER + "0",
    "an injection": "%27%20OR%201%3D1", "NUL": "%00", "not UTF-8": "%ff",
}  # fmt: skip
QUERIES: Final[dict[str, tuple[str, str]]] = {
    "an unknown parameter": ("a=1", "a"),
    "somebody else": (f"user_id={USER}", "user_id"),
    "a parameter twice": ("limit=1&limit=1", "limit"),
    "no value": ("limit", "query"),
    "not UTF-8": ("limit=%ff", "query"),
    "limit 0": ("limit=0", "limit"),
    "limit 201": ("limit=201", "limit"),
    "limit in foreign digits": ("limit=%D9%A1", "limit"),
    "a cursor that is none": ("cursor=x", "cursor"),
    "an empty cursor": ("cursor=", "cursor"),
    "a cursor of zeros": (f"cursor={'A' * 40}", "cursor"),
}
"""Of the list of lines: the query, and what is wrong in it."""
