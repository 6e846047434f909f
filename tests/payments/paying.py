"""The use cases over books in memory and a gateway that can fail in every way."""

import asyncio
from typing import Any

import pytest

from app.contexts.funds.application.fund import Fund
from app.contexts.payments.application.pay import Pay
from app.contexts.payments.application.recover import Pending, Recover
from app.contexts.payments.application.request import PaymentRequest
from app.contexts.payments.application.reserve import Reserve
from app.contexts.payments.application.resolve import Resolve
from app.contexts.payments.application.results import Answered, StillPending
from app.contexts.payments.application.settle import Mark, Settle
from app.contexts.payments.domain.payment import Payment, Status
from app.kernel.ids import UserId
from tests.builders import CountingIds, PlainAnswers, money, payment_request, provider_id, user_id
from tests.fakes.books import FakeBooks
from tests.fakes.funding_books import FakeFundingBooks
from tests.fakes.gateway import FakeGate, FakeGateway
from tests.fakes.unsteady_books import UnsteadyBooks, one_by_one

NEVER = float("inf")


class Service:
    """The use cases over fakes: a user with 100.00 USD, a provider, a gateway that approves."""

    def __init__(self) -> None:
        self.books, self.gateway, self.gate = FakeBooks(), FakeGateway(), FakeGate()
        self.unsteady = UnsteadyBooks(self.books)
        ids, answers = CountingIds(), PlainAnswers()
        settle = one_by_one(Settle(self.unsteady, answers, ids))
        self.resolve = Resolve(self.gateway, settle, one_by_one(Mark(self.unsteady, answers)))
        reserve = one_by_one(Reserve(self.unsteady, answers, ids))
        self._pay = Pay(self.gate, self.books, reserve, self.gateway, settle, self.resolve)
        self.fund = Fund(FakeFundingBooks(self.books), ids).fund
        self.provider = provider_id()
        self.books.providers[self.provider] = True
        self.user = user_id()
        self.told: list[Payment] = []

    async def request(self, **overrides: Any) -> PaymentRequest:
        await self.fund(self.user, money(10_000), "once")
        return payment_request(**({"user_id": self.user, "provider_id": self.provider} | overrides))

    async def pay(self, request: PaymentRequest) -> Answered | StillPending:
        result = await self._pay(request, NEVER, self.told.append)
        assert self.gate.in_use == 0
        return result

    def status(self, request: PaymentRequest) -> Status:
        return self.books.payments[request.payment_id].status

    def balance(self, user: UserId | None = None) -> int:
        return next(w.balance_minor for (u, _), w in self.books.wallets.items() if u == (user or self.user))

    async def recover(self, concurrency: int = 4, until: int = 1, pending: Pending[Payment] | None = None) -> list[Any]:
        """Recovery, when it is due, until so many payments were seen to."""
        self.books.clock.advance(20)
        seen: list[Any] = []
        stop = asyncio.Event()

        def observe(payment: Payment, result: Any) -> None:
            seen.append(result)
            if len(seen) >= until:
                stop.set()

        worker = Recover(
            "recovery",
            pending or self.books,
            self.resolve,
            older_than_s=15,
            every_s=0.01,
            attempt_s=5,
            concurrency=concurrency,
            observe=observe,
        )
        async with asyncio.timeout(60):
            await worker.run(stop)
        return seen


@pytest.fixture
def service() -> Service:
    return Service()
