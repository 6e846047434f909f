"""The same of what a business does around its payments: what schemathesis cannot learn of it from the document."""

import os
import re
from typing import Any

OTHER, HOOK = os.environ["FUZZ_OTHER"], os.environ["FUZZ_WEBHOOK"]
CURRENCY = re.compile(r"[A-Z]{3,5}")
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)", re.IGNORECASE)
LONG_AGO, GONE_BY, FAR_AHEAD = "2020-01-01T00:00:00Z", "2026-01-01T00:00:00Z", "2199-01-01T00:00:00Z"
REPORT = "type,charge_id,payment_id,refund_id,amount,currency,occurred_at\n"
DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def without_points(body: Any) -> None:
    """JSON Schema takes 5.0 for an integer. Here none has a point: what money is never passes through a float."""
    for name, value in body.items() if isinstance(body, dict) else ():
        if isinstance(value, float) and value.is_integer():
            body[name] = int(value)


def as_books_are_kept(case: Any) -> None:
    """Times that are well-formed have come, in their order; a bulk goes out of the wallet of who asks."""
    query, body = case.query or {}, case.body
    for name, gone_by in (("at", GONE_BY), ("from", LONG_AGO), ("to", GONE_BY)):
        if case.path.endswith(("/wallet/balance", "/wallet/statement")) and TIME.fullmatch(str(query.get(name, ""))):
            query[name] = gone_by
    if case.path != "/v1/wallet/send/bulk" or not isinstance(body, dict) or not isinstance(body.get("transfers"), list):
        return
    if isinstance(body.get("from"), str) and 1 <= len(body["from"]) <= 64 and body["from"].isprintable():
        del body["from"]
    for one in body["transfers"]:
        without_points(one)
        if isinstance(one, dict) and CURRENCY.fullmatch(str(one.get("currency", ""))):
            one["currency"] = "USD"


def as_receivers_ask(case: Any) -> None:
    """Half of the webhooks are the one that there is; a url leads nowhere, and a time ends once it has begun."""
    path, body = case.path_parameters or {}, case.body
    if not case.path.startswith("/v1/webhooks"):
        return
    if path.get("id") == OTHER:
        path["id"] = HOOK
    if isinstance(body, dict) and isinstance(body.get("url"), str) and 1 <= len(body["url"]) <= 2048:
        body["url"] = "https://shop.example/hook"
    if isinstance(body, dict) and all(TIME.fullmatch(str(body.get(name))) for name in ("from", "to")):
        body["from"], body["to"] = "2026-01-31T00:00:00Z", "2026-02-01T00:00:00Z"


def as_reports_come(case: Any) -> None:
    """A report, which is a text to the schema, is one, and of a day that has been."""
    if case.path != "/v1/reconciliations" or case.method != "POST":
        return
    if isinstance(case.body, str):
        case.body = REPORT
    if DAY.fullmatch(str((case.query or {}).get("date", ""))):
        case.query["date"] = "2025-01-31"
