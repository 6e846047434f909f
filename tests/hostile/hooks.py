"""What schemathesis cannot learn from the document, told to it before each request.

A user, a provider and a cursor have to be there, which no schema can say; else hardly a request would get past 404. And
three differences between JSON Schema and this API stand on purpose, each named where it is evened out.
"""

import itertools
import os
import re
from typing import Any

import schemathesis

USER, PROVIDER = os.environ["FUZZ_USER"], os.environ["FUZZ_PROVIDER"]
UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
KEY = re.compile(r"[!#-~][!-~]{0,254}")
CURRENCY = re.compile(r"[A-Z]{3,5}")
CURSOR = re.compile(r"[A-Za-z0-9_-]{40}")
_numbers = itertools.count(1)


@schemathesis.hook  # type: ignore[untyped-decorator] # it is installed elsewhere
def before_call(_: Any, case: Any, __: Any) -> None:
    """Bring a request that is well-formed to where something happens; leave any other as it is."""
    _where_there_is_a_wallet(case)
    headers, query, body = case.headers or {}, case.query or {}, case.body
    if KEY.fullmatch(str(headers.get("Idempotency-Key", ""))):
        # A key names one request for ever: the next request with it, however valid, is answered 422.
        headers["Idempotency-Key"] = f"{headers['Idempotency-Key'][:200]}-{next(_numbers)}"
    if CURSOR.fullmatch(str(query.get("cursor", ""))):
        # A cursor carries a check of its own: one that was never handed out is refused with 400.
        del query["cursor"]
    if isinstance(body, dict) and isinstance(body.get("amount"), float) and body["amount"].is_integer():
        # JSON Schema takes 5.0 for an integer. Here an amount has no point: what money is never passes through a float.
        body["amount"] = int(body["amount"])
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
