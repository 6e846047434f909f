"""Clients of the real API, and the model of a few lines that predicts what they are told."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

import httpx
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)

from tests.system.e2e.house import HEADERS, House
from tests.system.e2e.paying_in import pay_in

# How the gateway behaves, what that answers, the status that it leaves, and the one that recovery makes of it.
MODES: dict[str, tuple[dict[str, Any], int, str, str]] = {
    "happy": ({"mode": "happy"}, 201, "APPROVED", "APPROVED"),
    "declined": ({"mode": "declined"}, 201, "DECLINED", "DECLINED"),
    "failing": ({"mode": "500"}, 502, "FAILED", "FAILED"),
    "losing the answer": ({"mode": "reset", "charge": "before"}, 201, "APPROVED", "APPROVED"),
    "charging too much": ({"mode": "wrong_amount", "charge": "before"}, 502, "FAILED", "FAILED"),
    "broken": ({"mode": "500", "applies_to": "all"}, 502, "PENDING", "FAILED"),
    "broken after charging": ({"mode": "500", "applies_to": "all", "charge": "before"}, 502, "PENDING", "APPROVED"),
}
PAGES = 100
"""More than there can be."""
REFUNDED = ("DECLINED", "FAILED")
CURRENCIES = ("USD", "EUR")

modes = st.sampled_from([*MODES])
users = st.integers(0, 1)
currencies = st.sampled_from(CURRENCIES)
amounts = st.integers(1, 400)
keys = st.sampled_from([f"key-{n}" for n in range(8)])


@dataclass(eq=False)
class Sent:
    """A request whose key is taken, and what its first final answer was."""

    user: UUID
    key: str
    amount: int
    currency: str
    status: str = ""
    finally_: str = ""
    answer: httpx.Response | None = None


@dataclass
class Wallet:
    """A wallet as it has to be: its lines are (kind, amount, status, balance after), the oldest first."""

    balance: int = 0
    lines: list[list[Any]] = field(default_factory=list)

    def move(self, kind: str, amount: int, status: str) -> list[Any]:
        self.balance += -amount if kind == "PAYMENT" else amount
        self.lines.append([kind, amount, status, self.balance])
        return self.lines[-1]


class Clients(RuleBasedStateMachine):
    """Two users, their wallets, their clients, and the gateway's moods."""

    def __init__(self, house: House, client: httpx.Client, everyone: "list[Clients]") -> None:
        super().__init__()
        self.house, self.client = house, client
        self.users = [uuid4(), uuid4()]
        self.wallets: dict[tuple[UUID, str], Wallet] = {}
        self.sent: dict[tuple[UUID, str], Sent] = {}
        self.mode = ""
        everyone.append(self)

    @initialize(mode=modes)
    def begin(self, mode: str) -> None:
        self._switch(mode)
        for user in range(len(self.users)):
            self.fund(user, "USD", 1_000)

    @rule(user=users, currency=currencies, amount=st.integers(1, 1_000))
    def fund(self, user: int, currency: str, amount: int) -> None:
        owner = self.users[user]
        pay_in({"DATABASE_URL": self.house.database.app_url}, owner, currency, amount)
        self.wallets.setdefault((owner, currency), Wallet()).move("FUNDING", amount, "COMPLETED")

    @rule(user=users, currency=currencies, amount=amounts, key=keys)
    def pay(self, user: int, currency: str, amount: int, key: str) -> None:
        order = Sent(self.users[user], key, amount, currency)
        known = self.sent.get((order.user, key))
        if known is None:
            self._first(order)
        elif (known.amount, known.currency) == (amount, currency):
            self._again(known)
        else:
            self._another(order)

    # Not a rule by itself: what only switches would make up most of the steps.
    @rule(mode=modes, user=users, amount=amounts, key=keys)
    def pay_another_gateway(self, mode: str, user: int, amount: int, key: str) -> None:
        self._switch(mode)
        self.pay(user, "USD", amount, key)

    @precondition(lambda self: self.sent)
    @rule(data=st.data())
    def retry(self, data: st.DataObject) -> None:
        self._again(data.draw(st.sampled_from([*self.sent.values()])))

    @precondition(lambda self: self.sent)
    @rule(data=st.data())
    def send_something_else_under_a_key(self, data: st.DataObject) -> None:
        known = data.draw(st.sampled_from([*self.sent.values()]))
        self._another(Sent(known.user, known.key, known.amount + 1, known.currency))

    @rule(user=users, limit=st.integers(1, 5), currency=st.none() | currencies)
    def list_transactions(self, user: int, limit: int, currency: str | None) -> None:
        owner = self.users[user]
        if not [key for key in self.wallets if key[0] == owner and currency in (None, key[1])]:
            assert self._read(owner, "transactions", currency=currency).status_code == 404
            return
        self._compare(owner, currency, limit)

    @invariant()
    def balances_are_as_predicted(self) -> None:
        for owner in self.users:
            expected = {currency: w.balance for (user, currency), w in self.wallets.items() if user == owner}
            answer = self._read(owner, "balance")
            assert answer.status_code == (200 if expected else 404)
            told = answer.json()["balances"] if expected else []
            assert {one["currency"]: one["current_balance"] for one in told} == expected

    def teardown(self) -> None:
        """All lines are there, each once, and lead to the balance."""
        self._compare_all()

    def recovered(self) -> None:
        """Recovery has been: what was PENDING is what the gateway's record says, and every key has its answer."""
        for order in [order for order in self.sent.values() if order.status == "PENDING"]:
            wallet = self.wallets[order.user, order.currency]
            (line,) = [line for line in wallet.lines if line[0] == "PAYMENT" and line[4:] == [order.key]]
            line[2] = order.finally_
            if order.finally_ in REFUNDED:
                wallet.move("REFUND", order.amount, "COMPLETED")
            answer = self._send(order)
            assert answer.headers["Idempotent-Replayed"] == "true"
            assert answer.status_code == (504 if order.finally_ == "FAILED" else 201)
            order.status, order.answer = order.finally_, answer
        for order in self.sent.values():
            self._again(order)
        self.balances_are_as_predicted()
        self._compare_all(in_order=False)

    def _switch(self, mode: str) -> None:
        self.mode = mode
        self.house.mode(**MODES[mode][0])

    def _first(self, order: Sent) -> None:
        """The first request with its key."""
        answer = self._send(order)
        assert "Idempotent-Replayed" not in answer.headers
        wallet = self.wallets.get((order.user, order.currency))
        if wallet is None:
            assert (answer.status_code, answer.json()["error"]["code"]) == (404, "NOT_FOUND")
            return
        self.sent[order.user, order.key] = order
        order.answer = answer
        if wallet.balance < order.amount:
            details = {"currency": order.currency, "current_balance": wallet.balance, "amount": order.amount}
            assert (answer.status_code, answer.json()["error"]["details"]) == (409, details)
            order.status = "REFUSED"
            return
        _, status_code, order.status, order.finally_ = MODES[self.mode]
        told = answer.json()
        assert answer.status_code == status_code, told
        assert (told if status_code == 201 else told["error"]["details"])["status"] == order.status
        wallet.move("PAYMENT", order.amount, order.status).append(order.key)
        if order.status in REFUNDED:
            wallet.move("REFUND", order.amount, "COMPLETED")

    def _again(self, order: Sent) -> None:
        """The same request once more: the same bytes, or word that it is not over."""
        answer = self._send(order)
        assert order.answer is not None
        if order.status == "PENDING":
            assert (answer.status_code, answer.json()["error"]["code"]) == (409, "IDEMPOTENCY_IN_PROGRESS")
            return
        assert (answer.status_code, answer.content) == (order.answer.status_code, order.answer.content)
        assert answer.headers["Idempotent-Replayed"] == "true"

    def _another(self, order: Sent) -> None:
        """Another request under a key that is taken."""
        answer = self._send(order)
        assert (answer.status_code, answer.json()["error"]["code"]) == (422, "IDEMPOTENCY_KEY_REUSED")

    def _send(self, order: Sent) -> httpx.Response:
        request = self.house.payment(order.user, order.amount, order.key, currency=order.currency)
        return self.client.post(**request)

    def _read(self, owner: UUID, what: str, **parameters: Any) -> httpx.Response:
        given = {name: value for name, value in parameters.items() if value is not None}
        return self.client.get(f"{self.house.api_url}/wallets/{owner}/{what}", headers=HEADERS, params=given)

    def _pages(self, owner: UUID, currency: str | None, limit: int) -> Iterator[dict[str, Any]]:
        cursor = None
        for _ in range(PAGES):
            page = self._read(owner, "transactions", currency=currency, limit=limit, cursor=cursor).json()
            assert len(page["transactions"]) <= limit
            yield from page["transactions"]
            if (cursor := page["next_cursor"]) is None:
                return
        raise AssertionError("the pages have no end")

    def _compare(self, owner: UUID, currency: str | None, limit: int, *, in_order: bool = True) -> None:
        told = [*self._pages(owner, currency, limit)][::-1]
        assert len({one["transaction_id"] for one in told}) == len(told)
        for (user, code), wallet in self.wallets.items():
            if user != owner or currency not in (None, code):
                continue
            lines = [one for one in told if one["currency"] == code]
            seen = [[one["kind"], one["amount"], one["status"], one["balance_after"]] for one in lines]
            expected = [line[:4] for line in wallet.lines]
            if in_order:
                assert seen == expected
            else:  # recovery refunds in an order of its own
                assert sorted(line[:3] for line in seen) == sorted(line[:3] for line in expected)
            signed = [one["amount"] if one["direction"] == "CREDIT" else -one["amount"] for one in lines]
            assert sum(signed) == wallet.balance == seen[-1][3]

    def _compare_all(self, *, in_order: bool = True) -> None:
        for owner in {user for user, _ in self.wallets}:
            self._compare(owner, None, 3, in_order=in_order)
