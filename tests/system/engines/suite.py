"""All that a house has to do on an engine while nothing befalls it."""

from typing import Any
from uuid import UUID, uuid4

import httpx

from app.kernel.principal import Role
from tests.system.e2e.crowd import person
from tests.system.e2e.house import LIMIT_S, body, wait_until
from tests.system.engines.house import Twice

AMOUNT = 100
PAGE = 3


def everything(house: Twice) -> None:
    """Pay, replay, refund, recover, relay, history, verify: an assertion fails where one of it does not work."""
    user_id = house.wallet(100 * AMOUNT)
    paid = [house.paid(user_id, AMOUNT, f"suite-{nth}-{user_id}") for nth in range(5)]
    again = house.pay(user_id, AMOUNT, f"suite-0-{user_id}")
    assert (body(again, 201)["payment_id"], again.headers["Idempotent-Replayed"]) == (paid[0], "true")
    _refund(house, paid[0])
    settled = _recovered(house, user_id)
    house.wait_for_trails([*paid[1:], settled])
    _pages(house, user_id, len(paid))
    house.verify()


def _refund(house: Twice, payment_id: str) -> None:
    admin = person(house, role=Role.ADMIN)
    url = f"{house.api_url}/v1/payments/{payment_id}/refunds"
    headers = admin.bearer | {"Idempotency-Key": str(uuid4())}
    answer = httpx.post(url, json={"amount": AMOUNT // 2}, headers=headers, timeout=LIMIT_S)
    assert body(answer, 201)["status"] == "COMPLETED"


def _recovered(house: Twice, user_id: UUID) -> str:
    """A payment whose charge stands and was never answered for; its id."""
    house.mode("timeout", applies_to="all", charge="before", latency_ms=10_000)
    left = body(house.pay(user_id, AMOUNT), 504)["error"]["details"]
    assert left["status"] == "PENDING"
    house.mode("happy")
    find = "SELECT FROM payments WHERE id = %s AND status = 'APPROVED'"
    wait_until(lambda: bool(house.query(find, left["payment_id"])), "recovery")
    return str(left["payment_id"])


def _pages(house: Twice, user_id: UUID, count: int) -> None:
    """The history has each payment once, the newest first, in pages."""
    ids: list[str] = []
    cursor = ""
    while cursor or not ids:
        where: dict[str, Any] = {"limit": PAGE, "cursor": cursor} if cursor else {"limit": PAGE}
        page = house.get(f"/wallets/{user_id}/transactions", **where).raise_for_status().json()
        assert 0 < len(page["transactions"]) <= PAGE
        ids += [line["transaction_id"] for line in page["transactions"]]
        cursor = page["next_cursor"]
    lines = 1 + count + 1 + 1  # paid in, paid out, given back, recovered
    assert len(ids) == len(set(ids)) == lines, ids
