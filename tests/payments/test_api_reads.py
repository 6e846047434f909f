"""Reading over a real socket: balances, pages of transactions, and their cursors."""

from datetime import datetime
from uuid import UUID

import httpx

from tests.api_harness import error
from tests.fakes.api import NOBODY, PROVIDER, USER


def test_balances_come_by_currency_and_may_be_narrowed_to_one(client: httpx.Client) -> None:
    path = f"/wallets/{USER}/balance"
    assert [balance["currency"] for balance in client.get(path).json()["balances"]] == ["EUR", "USD"]
    one = client.get(path, params={"currency": "USD"}).json()["balances"]
    assert one == [{"currency": "USD", "current_balance": 2**63 - 1, "updated_at": "2026-01-31T12:00:00.000000Z"}]
    error(client.get(path, params={"currency": "CHF"}), 404, "NOT_FOUND")
    error(client.get(f"/wallets/{NOBODY}/balance"), 404, "NOT_FOUND")


def test_pages_lead_through_all_lines_once(client: httpx.Client) -> None:
    path = f"/wallets/{USER}/transactions"
    assert len(client.get(path).json()["transactions"]) == 50
    seen: list[int] = []
    cursor = None
    while True:
        page = client.get(path, params={"limit": 200, **({"cursor": cursor} if cursor else {})}).json()
        seen += [UUID(line["transaction_id"]).int for line in page["transactions"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert seen == list(range(450, 0, -1))
    line = client.get(path, params={"limit": 1}).json()["transactions"][0]
    assert (line["direction"], line["kind"], datetime.fromisoformat(line["created_at"]).year) == (
        "DEBIT",
        "PAYMENT",
        2026,
    )


def test_a_cursor_is_good_for_its_user_only_and_as_it_was(client: httpx.Client) -> None:
    cursor = client.get(f"/wallets/{USER}/transactions").json()["next_cursor"]
    other = f"/wallets/{PROVIDER}/transactions"
    assert "cursor" in error(client.get(other, params={"cursor": cursor}), 400, "VALIDATION_ERROR")
    for place in range(len(cursor)):
        changed = cursor[:place] + ("A" if cursor[place] != "A" else "B") + cursor[place + 1 :]
        answer = client.get(f"/wallets/{USER}/transactions", params={"cursor": changed})
        assert "cursor" in error(answer, 400, "VALIDATION_ERROR")


def test_reads_that_cannot_be_answered_are_503_in_time(client: httpx.Client) -> None:
    for number in (1, 2):
        answer = client.get(f"/wallets/{UUID(int=number)}/balance")
        error(answer, 503, "UNAVAILABLE")
        assert answer.headers["Retry-After"] == "1"
