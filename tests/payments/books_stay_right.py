"""A service over books in memory, with all that has to be true of it whatever happens."""

from typing import Any

from hypothesis.stateful import RuleBasedStateMachine, invariant

from app.contexts.funds.application.fund import Fund
from app.contexts.funds.domain.ids import TransactionId
from app.contexts.funds.domain.ledger import Entry, Kind, Transaction
from app.contexts.payments.application.pay import Pay
from app.contexts.payments.application.request import Scope
from app.contexts.payments.application.reserve import Reserve
from app.contexts.payments.application.resolve import Resolve
from app.contexts.payments.application.results import Answered
from app.contexts.payments.application.settle import Mark, Marked, Settle, Settlement
from app.contexts.payments.domain.events import EventType
from app.contexts.payments.domain.ids import PaymentId, ProviderId
from app.contexts.payments.domain.payment import Payment, Status
from app.kernel.errors import Unavailable
from app.kernel.ids import UserId
from tests.builders import USD, CountingIds, PlainAnswers, money
from tests.fakes.books import FakeBooks
from tests.fakes.funding_books import FakeFundingBooks
from tests.fakes.gateway import Charge, FakeGate, FakeGateway, Standing
from tests.fakes.unsteady_books import UnsteadyBooks, one_by_one
from tests.payments.processes import Process, Told, run


class BooksStayRight(RuleBasedStateMachine):
    """A service over books in memory, and what is true of it all the time."""

    def __init__(self) -> None:
        super().__init__()
        self.ids = CountingIds()
        self.books = FakeBooks()
        self.gateway = FakeGateway()
        self.gate = FakeGate()
        answers = PlainAnswers()
        books = UnsteadyBooks(self.books)
        self.settle = one_by_one(Settle(books, answers, self.ids))
        self.unsettled: list[Settlement] = []
        self.resolve = Resolve(self.gateway, self._settle, one_by_one(Mark(books, answers)))
        reserve = one_by_one(Reserve(books, answers, self.ids))
        self.pay = Pay(self.gate, self.books, reserve, self.gateway, self._settle, self.resolve)
        self.fund = Fund(FakeFundingBooks(self.books), self.ids).fund
        self.provider = ProviderId(self.ids())
        self.books.providers[self.provider] = True
        self.users = [UserId(self.ids()) for _ in range(2)]
        self.all: list[Process] = []
        self.told: dict[Scope, Told] = {}
        self.seen: dict[PaymentId, Payment] = {}
        self.entries: dict[TransactionId, tuple[Entry, Entry]] = {}
        self.paid_in = 0
        self._fund(self.users[0], 10_000)

    async def _settle(self, settlement: Settlement) -> Answered | Marked:
        try:
            return await self.settle(settlement)
        except Unavailable:
            self.unsettled.append(settlement)
            raise

    def _fund(self, user: UserId, amount: int) -> None:
        if ("wallet", (user, USD)) in self.books.locks:
            return
        run(self.fund(user, money(amount), None))
        self.paid_in += amount

    @invariant()
    def entries_sum_to_zero_and_make_up_the_balances(self) -> None:
        balances: dict[Any, int] = {}
        newest: dict[Any, Entry] = {}
        for transaction in self.books.transactions.values():
            wallet, other = transaction.entries
            assert wallet.amount_minor + other.amount_minor == 0
            scope = (transaction.user_id, transaction.currency)
            balances[scope] = balances.get(scope, 0) + wallet.amount_minor
            if scope not in newest or (newest[scope].wallet_version or 0) < (wallet.wallet_version or 0):
                newest[scope] = wallet
        for scope, wallet_now in self.books.wallets.items():
            assert wallet_now.balance_minor == balances[scope] == newest[scope].balance_after_minor
            assert wallet_now.version == newest[scope].wallet_version
            assert wallet_now.balance_minor >= 0

    @invariant()
    def money_is_neither_made_nor_lost(self) -> None:
        held = sum(wallet.balance_minor for wallet in self.books.wallets.values())
        spent = sum(
            payment.money.amount_minor
            for payment in self.books.payments.values()
            if payment.status in (Status.PENDING, Status.APPROVED)
        )
        assert held + spent == self.paid_in

    @invariant()
    def a_final_status_agrees_with_the_gateway_and_with_the_refund(self) -> None:
        for payment in self.books.payments.values():
            refunds = [t for t in self._of(payment) if t.kind is Kind.REFUND]
            match payment.status:
                case Status.APPROVED:
                    assert self.gateway.charges[payment.id] == Charge(Standing.APPROVED, payment.money)
                    assert not refunds
                case Status.DECLINED | Status.FAILED:
                    assert not self.gateway.stands(payment.id)
                    assert [t.money for t in refunds] == [payment.money]
                case _:
                    assert not refunds

    @invariant()
    def every_charge_has_a_payment(self) -> None:
        assert self.gateway.charges.keys() <= self.books.payments.keys()

    @invariant()
    def no_void_is_sent_before_its_mark_is_committed(self) -> None:
        for verb, payment_id in self.gateway.calls:
            if verb == "void":
                assert self.books.payments[payment_id].void_requested_at is not None

    @invariant()
    def a_status_moves_once_and_entries_never_change(self) -> None:
        for payment_id, before in self.seen.items():
            now = self.books.payments[payment_id]
            assert not before.is_final or now == before
            assert before.void_requested_at is None or now.void_requested_at == before.void_requested_at
            assert not (now.status is Status.APPROVED and now.void_requested_at)
        self.seen = dict(self.books.payments)
        entries = {t.id: t.entries for t in self.books.transactions.values()}
        assert self.entries.items() <= entries.items()
        self.entries = entries

    @invariant()
    def every_payment_has_the_events_of_its_status_and_its_key(self) -> None:
        types: dict[PaymentId, list[EventType]] = {}
        for event in self.books.events:
            types.setdefault(event.payment.id, []).append(event.type)
        assert types.keys() == self.books.payments.keys()
        for payment in self.books.payments.values():
            end = {
                Status.PENDING: [],
                Status.APPROVED: [EventType.COMPLETED],
                Status.DECLINED: [EventType.FAILED, EventType.REFUNDED],
                Status.FAILED: [EventType.FAILED, EventType.REFUNDED],
            }[payment.status]
            assert types[payment.id] == [EventType.CREATED, *end]
            key = self.books.keys[payment.user_id, payment.idempotency_key]
            assert key.payment_id == payment.id
            assert (key.answer is not None) == payment.is_final
        named = [key.payment_id for key in self.books.keys.values() if key.payment_id]
        assert sorted(named) == sorted(self.books.payments)

    def _of(self, payment: Payment) -> list[Transaction]:
        return [t for t in self.books.transactions.values() if t.payment_id == payment.id]
