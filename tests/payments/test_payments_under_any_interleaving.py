"""Requests, retries, recovery, deaths, zombies, late charges and unknown commits in any order: the books stay right.

Every process is a coroutine driven by hand, from one point where it could be interrupted to the next. What is sent
into it there is its fate: a lost COMMIT, a lost answer, a charge that arrives when everybody has given it up.
"""

from collections.abc import Coroutine
from dataclasses import dataclass, field
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, multiple, rule

from app.application.payments.pay import Pay
from app.application.payments.reserve import Reserve
from app.application.payments.resolve import Resolve
from app.application.payments.results import Answered, StillPending
from app.application.payments.settle import Mark, Marked, Settle, Settlement
from app.application.ports import PaymentRequest, Unavailable
from app.application.wallets.fund import Fund
from app.domain.events import EventType
from app.domain.ids import PaymentId, ProviderId, TransactionId, UserId
from app.domain.payments.payment import Payment, Status
from app.domain.payments.provider import FailureCode
from app.domain.refusals import (
    GatewayUnavailable,
    InsufficientFunds,
    KeyInProgress,
    KeyReused,
    ProviderNotFound,
    Refusal,
    WalletNotFound,
)
from app.domain.wallets.ledger import Entry, Kind, Transaction
from tests.builders import EUR, USD, CountingIds, PlainAnswers, money, payment_request
from tests.fakes.books import FakeBooks, Fate, UnsteadyBooks, one_by_one
from tests.fakes.gateway import Charge, FakeGate, FakeGateway, Mishap, Standing

NEVER = float("inf")
RECOVER_AFTER_S = 15.0
LEASE_S = 5.0
MANY_TURNS = 500

Fates = tuple[Fate | Mishap | None, ...]

fates = st.tuples(st.sampled_from([None, None, None, None, *Fate]), st.sampled_from([None, None, None, *Mishap]))


@dataclass(eq=False)
class Process:
    """Something under way: a request, or a recovery. It may be slow, it may die, it may wake up late."""

    work: Coroutine[Any, Any, Any]
    request: PaymentRequest | None = None
    result: object = None
    error: Exception | None = None
    over: bool = False

    def step(self, fates: Fates | None = None) -> None:
        """Go on to the next point where it gives way."""
        if self.over:
            return
        try:
            self.work.send(fates)
        except StopIteration as end:
            self.over, self.result = True, end.value
        except (Refusal, Unavailable) as error:
            self.over, self.error = True, error

    def die(self) -> None:
        """Nothing more of it happens; what it had not committed is undone."""
        self.over = True
        self.work.close()


@dataclass
class Told:
    """What a client was told under a key, once for all."""

    fingerprint: bytes
    body: bytes = b""
    payments: set[PaymentId] = field(default_factory=set)


class Payments(RuleBasedStateMachine):
    """The service, its gateway and its clients."""

    processes = Bundle("processes")

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
        self.fund = Fund(self.books, self.ids)
        self.provider = ProviderId(self.ids())
        self.books.providers[self.provider] = True
        self.users = [UserId(self.ids()) for _ in range(2)]
        self.all: list[Process] = []
        self.told: dict[tuple[UserId, str], Told] = {}
        self.seen: dict[PaymentId, Payment] = {}
        self.entries: dict[TransactionId, tuple[Entry, Entry]] = {}
        self.paid_in = 0
        self._fund(self.users[0], 10_000)

    # What happens.

    @rule(
        target=processes,
        amount=st.sampled_from([1, 1_000, 4_000, 9_000]),
        who=st.integers(0, 1),
        key=st.sampled_from("abc"),
        gate_open=st.sampled_from([True, True, True, False]),
        currency=st.sampled_from([USD, USD, USD, USD, EUR]),
        known=st.sampled_from([True, True, True, True, False]),
    )
    def a_request_arrives(
        self, amount: int, who: int, key: str, gate_open: bool, currency: Any, known: bool
    ) -> Process:
        request = payment_request(
            payment_id=PaymentId(self.ids()),
            transaction_id=TransactionId(self.ids()),
            user_id=self.users[who],
            key=key,
            provider_id=self.provider if known else ProviderId(self.ids()),
            money=money(amount, currency),
        )
        self.gate.is_open = gate_open
        process = Process(self.pay(request, NEVER, lambda _payment: None), request)
        return self._started(process)

    @rule(target=processes, limit=st.integers(1, 2))
    def recovery_takes_some(self, limit: int) -> Any:
        taken = _run(self.books.take(limit, RECOVER_AFTER_S, LEASE_S))
        return multiple(*(self._started(self._recovering(payment)) for payment in taken))

    @rule(target=processes, which=st.integers(0, 5))
    def another_recovery_does_not_care_for_leases(self, which: int) -> Any:
        pending = [payment for payment in self.books.payments.values() if not payment.is_final]
        if not pending:
            return multiple()
        payment = pending[which % len(pending)]
        return self._started(self._recovering(payment))

    @rule(target=processes, which=st.integers(0, 5))
    def what_a_process_knows_and_could_not_write_is_written_later(self, which: int) -> Any:
        """Much later it may be, and again and again."""
        if not self.unsettled:
            return multiple()
        return self._started(Process(self._settle(self.unsettled[which % len(self.unsettled)])))

    @rule(process=processes, fates=fates, turns=st.integers(1, 3))
    def one_goes_on(self, process: Process, fates: Fates, turns: int) -> None:
        for _ in range(turns):
            process.step(fates)
        self._hear(process)

    @rule(process=consumes(processes), fates=fates, dies=st.sampled_from([False, False, False, True]))
    def one_goes_on_to_its_end(self, process: Process, fates: Fates, dies: bool) -> None:
        """Unless another holds it up, or it dies before."""
        for _ in range(3 if dies else 20):
            process.step(fates)
        self._hear(process)
        if dies:
            process.die()

    @rule(what=st.sampled_from(["funding", "time", "late charge", "late charge", "declining"]), nth=st.integers(0, 1))
    def the_world_goes_on(self, what: str, nth: int) -> None:
        if what == "funding":
            self._fund(self.users[nth], 5_000)
        elif what == "time":
            self.books.clock.advance(RECOVER_AFTER_S if nth else LEASE_S)
        elif what == "declining":
            self.gateway.declines_with = "DO_NOT_HONOR" if nth else None
        elif self.gateway.on_the_way:
            self.gateway.deliver()

    # What is true all the time.

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

    def teardown(self) -> None:
        """The gateway and the database are well again: everything comes to its end, and the gateway agrees."""
        self.gate.is_open = True
        for _ in range(MANY_TURNS):
            for process in self.all:
                process.step()
                self._hear(process)
            if all(process.over for process in self.all):
                break
        assert all(process.over for process in self.all), "somebody waits for ever"
        assert not self.books.locks
        assert self.gate.in_use == 0
        self.books.clock.advance(RECOVER_AFTER_S + LEASE_S)
        for payment in _run(self.books.take(1_000, RECOVER_AFTER_S, LEASE_S)):
            result = _run(self.resolve(payment, FailureCode.GATEWAY_TIMEOUT, NEVER))
            assert isinstance(result, Answered)
        while self.gateway.on_the_way:
            self.gateway.deliver()
        for payment in self.books.payments.values():
            assert payment.is_final
            assert self.gateway.stands(payment.id) == (payment.status is Status.APPROVED)
        self.a_final_status_agrees_with_the_gateway_and_with_the_refund()
        self.every_payment_has_the_events_of_its_status_and_its_key()
        self.money_is_neither_made_nor_lost()

    # How it is told.

    def _started(self, process: Process) -> Process:
        self.all.append(process)
        process.step()
        self._hear(process)
        return process

    async def _settle(self, settlement: Settlement) -> Answered | Marked:
        try:
            return await self.settle(settlement)
        except Unavailable:
            self.unsettled.append(settlement)
            raise

    def _recovering(self, payment: Payment) -> Process:
        return Process(self.resolve(payment, FailureCode.GATEWAY_TIMEOUT, NEVER))

    def _fund(self, user: UserId, amount: int) -> None:
        if ("wallet", (user, USD)) in self.books.locks:
            return
        _run(self.fund(user, money(amount), None))
        self.paid_in += amount

    def _of(self, payment: Payment) -> list[Transaction]:
        return [t for t in self.books.transactions.values() if t.payment_id == payment.id]

    def _hear(self, process: Process) -> None:
        """What a client hears must be in the books, and must stay what it was."""
        request = process.request
        if request is None or not process.over:
            return
        match process.error or process.result:
            case Answered(answer):
                key = self.books.keys[request.scope]
                assert key.fingerprint == request.fingerprint
                assert key.answer == answer
                told = self.told.setdefault(request.scope, Told(request.fingerprint, answer.body))
                assert (told.fingerprint, told.body) == (request.fingerprint, answer.body)
            case StillPending(payment):
                assert payment.id == request.payment_id
                assert payment.id in self.books.payments
            case KeyReused():
                assert self.books.keys[request.scope].fingerprint != request.fingerprint
            case KeyInProgress(payment_id=other):
                assert other != request.payment_id
                assert other in self.books.payments
            case WalletNotFound() | ProviderNotFound() | GatewayUnavailable():
                assert request.payment_id not in self.books.payments
                assert request.payment_id not in {key.payment_id for key in self.books.keys.values()}
            case InsufficientFunds():
                raise AssertionError("a refusal for want of funds is a stored answer")
            case _:
                assert isinstance(process.error, Unavailable) or process.result is None


def _run(work: Coroutine[Any, Any, Any]) -> Any:
    """Drive it to its end, with nobody else under way."""
    for _ in range(MANY_TURNS):
        try:
            work.send(None)
        except StopIteration as end:
            return end.value
    raise AssertionError("it waits for something that nobody will let go of")


TestPayments = Payments.TestCase
TestPayments.settings = settings(max_examples=600, stateful_step_count=50)
