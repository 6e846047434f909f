"""Malformed requests, down to bytes that are not HTTP, and what each is refused for."""

from tests.api_harness import KEY
from tests.fakes.api import PROVIDER, USER

NAMED = "from-the-test"
GOOD = f'{{"provider_id":"{PROVIDER}","external_reference":"a","amount":5,"currency":"USD"}}'
HOST = b"Host: a\r\n"
OURS = HOST + f"X-Request-ID: {NAMED}\r\n".encode()
OPEN = OURS + f"X-API-Key: {KEY}\r\n".encode()
H2C = b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n"
JSON = b"Content-Type: application/json\r\n"
ONCE = b"Idempotency-Key: a\r\n"
PAY = f"POST /wallets/{USER}/payments HTTP/1.1\r\n".encode()


def request(body: bytes | str, headers: bytes = OPEN + JSON + ONCE, start: bytes = PAY) -> bytes:
    """A payment request with this body."""
    raw = body.encode("utf-8", "surrogatepass") if isinstance(body, str) else body
    return start + headers + b"Content-Length: %d\r\n\r\n" % len(raw) + raw


def member(name: str, value: str) -> str:
    """The good body, but for one member's JSON."""
    good = {"provider_id": f'"{PROVIDER}"', "external_reference": '"a"', "amount": "5", "currency": '"USD"'}
    return "{" + ",".join(f'"{key}":{text}' for key, text in (good | {name: value}).items()) + "}"


def get(target: str, headers: bytes = OPEN, method: str = "GET") -> bytes:
    """A request without a body."""
    return f"{method} {target} HTTP/1.1\r\n".encode() + headers + b"\r\n"


BODIES: dict[str, tuple[str | bytes, str]] = {
    "nothing": ("", "body"),
    "white space": ("  \n", "body"),
    "an array": ("[]", "body"),
    "null": ("null", "body"),
    "a number": ("5", "body"),
    "a string": ('"a"', "body"),
    "two objects": (GOOD + GOOD, "body"),
    "garbage behind": (GOOD + "x", "body"),
    "half an object": (GOOD[:-1], "body"),
    "a comma too many": (GOOD[:-1] + ",}", "body"),
    "single quotes": (GOOD.replace('"', "'"), "body"),
    "a comment": ("/**/" + GOOD, "body"),
    "a byte order mark": ("\ufeff" + GOOD, "body"),
    "UTF-16": (GOOD.encode("utf-16"), "body"),
    "not UTF-8": (member("external_reference", '"\udc80"').encode("utf-8", "surrogateescape"), "body"),
    "overlong UTF-8": (GOOD.encode().replace(b'"a"', b'"\xc0\x80"'), "body"),
    "a surrogate in UTF-8": (member("external_reference", '"\ud800"'), "body"),
    "a name that is not UTF-8": (b'{"\xff":1}', "body"),
    "deep arrays": ("[" * 60_000, "body"),
    "deep objects": ('{"a":' * 12_000, "body"),
    "deep in a member": (member("amount", "[" * 30_000 + "]" * 30_000), "body"),
    "an unknown member": (GOOD[:-1] + ',"note":1}', "note"),
    "a member in capitals": (GOOD.replace("amount", "Amount"), "Amount"),
    "an empty name": (GOOD[:-1] + ',"":1}', ""),
    "a member twice": (GOOD[:-1] + ',"amount":5}', "amount"),
    "a member twice by escape": (GOOD[:-1] + ',"\\u0061mount":5}', "amount"),
    "a member twice with null": ('{"amount":null,' + GOOD[1:], "amount"),
    "an empty object": ("{}", "provider_id"),
    "no reference": (GOOD.replace('"external_reference":"a",', ""), "external_reference"),
    "amount zero": (member("amount", "0"), "amount"),
    "amount minus zero": (member("amount", "-0"), "amount"),
    "amount negative": (member("amount", "-5"), "amount"),
    "amount a text": (member("amount", '"5"'), "amount"),
    "amount a float": (member("amount", "5.0"), "amount"),
    "amount with exponent": (member("amount", "1e2"), "amount"),
    "amount true": (member("amount", "true"), "amount"),
    "amount null": (member("amount", "null"), "amount"),
    "amount an array": (member("amount", "[5]"), "amount"),
    "amount 2^63": (member("amount", str(2**63)), "amount"),
    "amount 2^64": (member("amount", str(2**64)), "amount"),
    "amount of 60,000 digits": (member("amount", "9" * 60_000), "body"),
    "amount NaN": (member("amount", "NaN"), "body"),
    "amount Infinity": (member("amount", "-Infinity"), "body"),
    "amount with a zero before": (member("amount", "05"), "body"),
    "amount with a plus": (member("amount", "+5"), "body"),
    "amount in hex": (member("amount", "0x5"), "body"),
    "reference empty": (member("external_reference", '""'), "external_reference"),
    "reference of 141": (member("external_reference", f'"{"é" * 141}"'), "external_reference"),
    "reference null": (member("external_reference", "null"), "external_reference"),
    "reference a number": (member("external_reference", "5"), "external_reference"),
    "reference with NUL": (member("external_reference", '"a\\u0000"'), "external_reference"),
    "reference with a line feed": (member("external_reference", '"a\\n"'), "external_reference"),
    "reference with a raw tab": (member("external_reference", '"a\t"'), "body"),
    "reference with DEL": (member("external_reference", '"a\x7f"'), "external_reference"),
    "reference with C1": (member("external_reference", '"\x85"'), "external_reference"),
    "reference with a separator": (member("external_reference", '"\u2028"'), "external_reference"),
    "reference with half a pair": (member("external_reference", '"\\ud800"'), "external_reference"),
    "reference with the other half": (member("external_reference", '"\\udc00x"'), "external_reference"),
    "currency in small letters": (member("currency", '"usd"'), "currency"),
    "currency with a line feed": (member("currency", '"USD\\n"'), "currency"),
    "currency with a blank": (member("currency", '" USD"'), "currency"),
    "currency too long": (member("currency", '"USDUSD"'), "currency"),
    "currency in Cyrillic": (member("currency", '"UЅD"'), "currency"),
    "currency null": (member("currency", "null"), "currency"),
    "provider not a UUID": (member("provider_id", '"x"'), "provider_id"),
    "provider in braces": (member("provider_id", f'"{{{PROVIDER}}}"'), "provider_id"),
    "provider with a line feed": (member("provider_id", f'"{PROVIDER}\\n"'), "provider_id"),
    "provider with half a pair": (member("provider_id", '"\\ud800"'), "provider_id"),
    "provider a number": (member("provider_id", "5"), "provider_id"),
}

HEADERS: dict[str, tuple[bytes, int, str | None]] = {
    "no key": (OPEN + JSON, 400, "Idempotency-Key"),
    "an empty key": (OPEN + JSON + b"Idempotency-Key:\r\n", 400, "Idempotency-Key"),
    "two keys": (OPEN + JSON + ONCE + ONCE, 400, "Idempotency-Key"),
    "a key of 256": (OPEN + JSON + b"Idempotency-Key: " + b"a" * 256 + b"\r\n", 400, "Idempotency-Key"),
    "a key with a blank": (OPEN + JSON + b"Idempotency-Key: a b\r\n", 400, "Idempotency-Key"),
    "a key that is not ASCII": (OPEN + JSON + b"Idempotency-Key: \xc3\xa9\r\n", 400, "Idempotency-Key"),
    "a key half quoted": (OPEN + JSON + b'Idempotency-Key: "a\r\n', 400, "Idempotency-Key"),
    "a key quoted and empty": (OPEN + JSON + b'Idempotency-Key: ""\r\n', 400, "Idempotency-Key"),
    "a key badly escaped": (OPEN + JSON + b'Idempotency-Key: "a\\b"\r\n', 400, "Idempotency-Key"),
    "a key with parameters": (OPEN + JSON + b'Idempotency-Key: "a";b=1\r\n', 400, "Idempotency-Key"),
    "a key that is a list": (OPEN + JSON + b'Idempotency-Key: "a", "b"\r\n', 400, "Idempotency-Key"),
    "no API key": (OURS + JSON + ONCE, 401, None),
    "an empty API key": (OURS + b"X-API-Key:\r\n" + JSON + ONCE, 401, None),
    "a wrong API key": (OURS + b"X-API-Key: nope\r\n" + JSON + ONCE, 401, None),
    "an API key but for its last letter": (OURS + f"X-API-Key: {KEY[:-1]}\r\n".encode() + JSON + ONCE, 401, None),
    "two API keys": (OPEN + f"X-API-Key: {KEY}\r\n".encode() + JSON + ONCE, 401, None),
    "an API key that is not ASCII": (OURS + b"X-API-Key: \xff\r\n" + JSON + ONCE, 401, None),
    "no type": (OPEN + ONCE, 415, None),
    "two types": (OPEN + JSON + JSON + ONCE, 415, None),
    "text": (OPEN + ONCE + b"Content-Type: text/plain\r\n", 415, None),
    "a form": (OPEN + ONCE + b"Content-Type: application/x-www-form-urlencoded\r\n", 415, None),
    "JSON with a suffix": (OPEN + ONCE + b"Content-Type: application/json-patch+json\r\n", 415, None),
    "JSON in two charsets": (OPEN + ONCE + b"Content-Type: application/json;charset=utf-8;Charset=a\r\n", 415, None),
    "JSON in no charset": (OPEN + ONCE + b"Content-Type: application/json; charset=\r\n", 415, None),
    "JSON with half a parameter": (OPEN + ONCE + b"Content-Type: application/json; a\r\n", 415, None),
    "JSON with half a text": (OPEN + ONCE + b'Content-Type: application/json; a="b\r\n', 415, None),
    "JSON with a parameter and garbage": (OPEN + ONCE + b"Content-Type: application/json; a=b c\r\n", 415, None),
    "JSON with many blanks": (OPEN + ONCE + b"Content-Type: application/json" + b"; \t " * 3_000 + b"/\r\n", 415, None),
    "JSON in Latin 1": (OPEN + ONCE + b"Content-Type: application/json; charset=latin-1\r\n", 415, None),
    "compressed": (OPEN + JSON + ONCE + b"Content-Encoding: gzip\r\n", 415, None),
    "identity": (OPEN + JSON + ONCE + b"Content-Encoding: identity\r\n", 415, None),
    "101 headers": (OPEN + JSON + ONCE + b"X: a\r\n" * 96, 431, None),
    "17 KiB in one header": (OPEN + JSON + ONCE + b"X: " + b"a" * 17_000 + b"\r\n", 431, None),
}

TARGETS: dict[str, tuple[bytes, int, str | None]] = {
    "unknown": (get("/nope"), 404, None),
    "the root": (get("/"), 404, None),
    "a slash too many": (get("/healthz/"), 404, None),
    "two slashes": (get("//healthz"), 404, None),
    "dots": (get(f"/wallets/{USER}/../{USER}/balance"), 404, None),
    "dots, encoded": (get(f"/wallets/{USER}/%2e%2e/{USER}/balance"), 404, None),
    "dots to the outside": (get("/../../etc/passwd"), 404, None),
    "dots behind": (get(f"/wallets/{USER}/balance/."), 404, None),
    "a parameter of a segment": (get(f"/wallets/{USER}/balance;a=1"), 404, None),
    "a backslash": (get(f"/wallets\\{USER}\\balance"), 404, None),
    "an encoded route": (get(f"/wallets/{USER}%2Fbalance"), 404, None),
    "an overlong slash": (get(f"/wallets/{USER}%c0%afbalance"), 404, None),
    "an encoded question mark": (get(f"/wallets/{USER}/balance%3Fcurrency=USD"), 404, None),
    "a blank behind": (get(f"/wallets/{USER}/balance%20"), 404, None),
    "all of it": (get("*"), 404, None),
    "a route on another host": (get("http://elsewhere/nope"), 404, None),
    "no user": (get("/wallets//balance"), 404, None),
    "an encoded slash": (get(f"/wallets/a%2F{USER}/balance"), 404, None),
    "capitals": (get("/HEALTHZ"), 404, None),
    "an unknown target before a key": (get("/wallets/x/nope", OURS), 404, None),
    "a method too many": (get("/healthz", method="DELETE"), 405, None),
    "OPTIONS": (get(f"/wallets/{USER}/balance", OURS, "OPTIONS"), 405, None),
    "TRACE": (get("/healthz", method="TRACE"), 405, None),
    "GET where POST belongs": (get(f"/wallets/{USER}/payments"), 405, None),
    "HEAD where POST belongs": (get(f"/wallets/{USER}/payments", method="HEAD"), 405, None),
    "an odd method": (get("/healthz", method="PURGE"), 405, None),
    "a user who is none": (get("/wallets/x/balance"), 400, "user_id"),
    "a user in braces": (get(f"/wallets/%7B{USER}%7D/balance"), 400, "user_id"),
    "a user with NUL": (get(f"/wallets/{USER}%00/balance"), 400, "user_id"),
    "a user with a line feed": (get(f"/wallets/{USER}%0A/balance"), 400, "user_id"),
    "a user in foreign digits": (get("/wallets/" + "%D9%A1" * 32 + "/balance"), 400, "user_id"),
    "a user that is not UTF-8": (get("/wallets/%ff/balance"), 400, "user_id"),
    "a user encoded twice": (get(f"/wallets/%25{USER}/balance"), 400, "user_id"),
    "a user with a broken escape": (get(f"/wallets/{USER}%zz/balance"), 400, "user_id"),
    "an unknown parameter": (get(f"/wallets/{USER}/balance?a=1"), 400, "a"),
    "a parameter of the other route": (get(f"/wallets/{USER}/balance?limit=1"), 400, "limit"),
    "a parameter twice": (get(f"/wallets/{USER}/balance?currency=USD&currency=USD"), 400, "currency"),
    "a parameter without a value": (get(f"/wallets/{USER}/balance?currency"), 400, "query"),
    "an empty parameter": (get(f"/wallets/{USER}/balance?currency="), 400, "currency"),
    "a currency in small letters": (get(f"/wallets/{USER}/balance?currency=usd"), 400, "currency"),
    "a currency with a line feed": (get(f"/wallets/{USER}/balance?currency=USD%0A"), 400, "currency"),
    "a query that is not UTF-8": (get(f"/wallets/{USER}/balance?currency=%ff"), 400, "query"),
    "a thousand parameters": (get(f"/wallets/{USER}/balance?{'&'.join(['a=1'] * 1000)}"), 400, "query"),
    "limit 0": (get(f"/wallets/{USER}/transactions?limit=0"), 400, "limit"),
    "limit 201": (get(f"/wallets/{USER}/transactions?limit=201"), 400, "limit"),
    "limit -1": (get(f"/wallets/{USER}/transactions?limit=-1"), 400, "limit"),
    "limit 1.0": (get(f"/wallets/{USER}/transactions?limit=1.0"), 400, "limit"),
    "limit +1": (get(f"/wallets/{USER}/transactions?limit=%2B1"), 400, "limit"),
    "limit 01": (get(f"/wallets/{USER}/transactions?limit=01"), 400, "limit"),
    "limit of many digits": (get(f"/wallets/{USER}/transactions?limit={'9' * 5000}"), 400, "limit"),
    "limit in foreign digits": (get(f"/wallets/{USER}/transactions?limit=%D9%A1"), 400, "limit"),
    "a cursor that is none": (get(f"/wallets/{USER}/transactions?cursor=x"), 400, "cursor"),
    "an empty cursor": (get(f"/wallets/{USER}/transactions?cursor="), 400, "cursor"),
    "a cursor of zeros": (get(f"/wallets/{USER}/transactions?cursor={'A' * 40}"), 400, "cursor"),
    "a payment with a parameter": (request(GOOD, start=PAY.replace(b" HTTP", b"?a=1 HTTP")), 400, "a"),
    "a payment for no UUID": (request(GOOD, start=b"POST /wallets/x/payments HTTP/1.1\r\n"), 400, "user_id"),
    "a target of 9 KiB": (get("/" + "a" * 9000), 414, None),
    "a query of 9 KiB": (get("/healthz?" + "a" * 9000), 414, None),
    "a target and headers too large": (get("/" + "a" * 9000, OPEN + b"X: a\r\n" * 101), 414, None),
    "a body announced as too large": (PAY + OPEN + JSON + ONCE + b"Content-Length: 65537\r\n\r\n", 413, None),
    "a body that is too large": (request("a" * 70_000), 413, None),
    "a chunked body too large": (
        PAY
        + OPEN
        + JSON
        + ONCE
        + b"Transfer-Encoding: chunked\r\n\r\n"
        + b"ffff\r\n"
        + b"a" * 65535
        + b"\r\n2\r\naa\r\n",
        413,
        None,
    ),
    "GET with a body too large": (get("/healthz", OPEN + b"Content-Length: 99999999\r\n"), 413, None),
}
