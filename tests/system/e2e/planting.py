"""Where a client can plant a canary: headers, targets, bodies, bytes."""

import json
from collections.abc import Iterator
from uuid import UUID

from tests.system.e2e.canaries import (
    CARD,
    SECRET,
)

HEADER_NAMES = [
    *("Accept", "Accept-Charset", "Accept-Encoding", "Accept-Language", "Authorization", "Cache-Control", "Cookie"),
    *("Content-Encoding", "Content-Language", "Content-Location", "Content-Type", "Content-Disposition", "Date"),
    *("Expect", "Forwarded", "From", "If-Match", "If-None-Match", "If-Modified-Since", "Keep-Alive", "Origin"),
    *("Pragma", "Prefer", "Proxy-Authorization", "Range", "Referer", "Sec-Fetch-Site", "Set-Cookie", "TE", "Trailer"),
    *("Transfer-Encoding", "Upgrade", "User-Agent", "Via", "Warning", "X-API-Key", "X-Auth-Token", "X-Forwarded-For"),
    *("X-Forwarded-Host", "X-Forwarded-Proto", "X-HTTP-Method-Override", "X-Real-IP", "tracestate", "baggage"),
    *("traceparent", "Host", "Connection", "Content-Length", SECRET.replace(".", "-")),
]
# A well-formed one is the caller's own to choose, see below: these are not.
MALFORMED_IDS = {"X-Request-ID": f"{SECRET} {SECRET}", "Idempotency-Key": f"{SECRET} {SECRET}"}

TARGETS = [
    f"/{SECRET}",
    f"/wallets/{SECRET}/balance",
    f"/wallets/{SECRET}/payments",
    f"/wallets/{SECRET}/transactions",
    f"/wallets/{{user}}/{SECRET}",
    f"/wallets/{{user}}%00{SECRET}/balance",
    f"/wallets/{{user}}/balance?currency={SECRET}",
    f"/wallets/{{user}}/balance?currency=%ff{SECRET}",
    f"/wallets/{{user}}/balance?{SECRET}",
    f"/wallets/{{user}}/transactions?limit={CARD}",
    f"/wallets/{{user}}/transactions?cursor={SECRET}",
    f"/wallets/{{user}}/transactions?cursor={CARD + 24 * 'A'}",
    f"/healthz?api_key={SECRET}",
    f"/metrics?{SECRET}={SECRET}",
    f"/docs/{SECRET}#{SECRET}",
    f"http://{SECRET}/healthz",
    f"//{SECRET}@{SECRET}/",
    f"/{'a' * 9000}{SECRET}",
]

BYTES = [
    f"{SECRET}\r\n\r\n",
    f"{SECRET} / HTTP/1.1\r\nHost: a\r\n\r\n",
    f"GET / {SECRET}\r\nHost: a\r\n\r\n",
    f"GET / HTTP/1.1\r\n{SECRET}\r\n\r\n",
    f"GET / HTTP/1.1\r\nHost: a\r\n{SECRET} : {SECRET}\r\n\r\n",
    f"GET / HTTP/1.1\r\nHost: a\r\nX: a\0{SECRET}\r\n\r\n",
    f"GET / HTTP/1.1\r\nHost: {SECRET}\r\nHost: {SECRET}\r\n\r\n",
    f"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n{SECRET}\r\n",
    f"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0;{SECRET}\r\n{SECRET}: {SECRET}\r\n\r\n",
    f"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: {CARD}\r\n\r\n{SECRET}",
    f"GET /{SECRET}\x00 HTTP/1.1\r\nHost: a\r\n\r\n",
]


def bodies(provider_id: UUID) -> Iterator[bytes]:
    """Payment requests that are refused: the canary in each member, in each type, and in what is no JSON."""
    order = {"provider_id": str(provider_id), "external_reference": "a", "amount": 5, "currency": "USD"}
    for value in (SECRET, int(CARD) * 10**12, [SECRET], {SECRET: SECRET}, float(CARD) + 0.5, f"\0{SECRET}", 3 * SECRET):
        for name in order:
            if (name, value) != ("external_reference", SECRET):  # which is one
                yield json.dumps(order | {name: value}).encode()
        yield json.dumps(order | {"card_number": value}).encode()
        yield json.dumps(value).encode()
    whole = json.dumps(order | {"external_reference": SECRET})
    yield from (whole[:-1].encode(), (whole + SECRET).encode(), whole.replace('"', "'").encode())
    yield from (SECRET.encode(), whole.encode("utf-16"), b"\xff" + whole.encode(), f"{{{whole}".encode())
    yield whole.replace('"amount": 5', f'"amount": {CARD}.0').encode()
    yield whole.replace('"amount": 5', f'"amount": 5, "amount": {CARD}').encode()
