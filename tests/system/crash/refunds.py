"""Refunds of the house: asked for, looked at, and seen to be done once."""

import uuid
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

import httpx

from tests.system.crash.deeds import later
from tests.system.crash.fragile import Fragile
from tests.system.e2e.crowd import Person
from tests.system.e2e.house import LIMIT_S, body, wait_until

POST = r"POST /charges/[^/]+/refunds$"
ASK = r"GET /charges/[^/]+/refunds/"


@dataclass
class Back:
    """A payment of 400 out of 1000, of which something is given back by an admin."""

    house: Fragile
    admin: Person
    user_id: uuid.UUID
    payment_id: str

    def ask(self, key: str = "back", amount: int | None = 150, port: int | None = None) -> httpx.Response:
        url = f"http://127.0.0.1:{port or self.house.ports['HTTP_PORT']}/v1/payments/{self.payment_id}/refunds"
        headers = self.admin.bearer | {"Idempotency-Key": key + self.payment_id}
        return httpx.post(url, json={} if amount is None else {"amount": amount}, headers=headers, timeout=LIMIT_S)

    def ask_later(
        self, key: str = "back", amount: int | None = 150, port: int | None = None
    ) -> "Future[httpx.Response]":
        return later(self.ask, key, amount, port)

    def refunds(self) -> list[tuple[str, str]]:
        """Id and status of each, by age."""
        find = "SELECT id::text, status FROM payments.refunds WHERE payment_id = %s ORDER BY created_at"
        return [(id_, status) for id_, status in self.house.query(find, self.payment_id)]

    def statuses(self) -> list[str]:
        return [status for _, status in self.refunds()]

    def given_back(self) -> list[dict[str, Any]]:
        """What the gateway has given back of the payment."""
        every = httpx.get(f"{self.house.gateway_url}/admin/refunds").raise_for_status().json()["refunds"]
        return [entry for entry in every if entry["payment_id"] == self.payment_id and entry["status"] == "REFUNDED"]

    def balance(self) -> int:
        """What the wallet holds, whether there is an API to be asked or not."""
        found = self.house.query("SELECT current_balance FROM wallet_balances WHERE user_id = %s", self.user_id)
        return int(found[0][0])

    def keys(self) -> list[tuple[Any, ...]]:
        return self.house.query("SELECT key FROM v1_idempotency_keys WHERE key = %s", "back" + self.payment_id)

    def wait_for(self, *statuses: str) -> None:
        wait_until(lambda: self.statuses() == list(statuses), f"refunds that are {statuses}")

    def is_done_once(self) -> None:
        """Whoever asks again is told the same, the wallet has the money once, and the gateway has given it once."""
        answers: list[httpx.Response] = []

        def is_known() -> bool:
            answers.append(self.ask())
            return answers[-1].status_code == 201

        wait_until(is_known, "an answer")
        told = body(answers[-1], 201)
        assert self.refunds() == [(told["refund_id"], "COMPLETED")]
        assert told["status"] == "COMPLETED"
        assert [(entry["refund_id"], entry["amount"]) for entry in self.given_back()] == [(told["refund_id"], 150)]
        assert self.balance() == 750
        again = self.ask()
        assert (again.content, again.headers["Idempotent-Replayed"]) == (answers[-1].content, "true")
        self.house.verify()


def paid(house: Fragile, admin: Person) -> Back:
    """Something to give back."""
    user_id = house.wallet(1_000)
    return Back(house, admin, user_id, body(house.pay(user_id, 400), 201)["payment_id"])
