"""Requests, retries, recovery, deaths, zombies, late charges and unknown commits in any order: the books stay right.

Every process is a coroutine driven by hand, from one point where it could be interrupted to the next. What is sent
into it there is its fate: a lost COMMIT, a lost answer, a charge that arrives when everybody has given it up.
"""

from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, consumes, multiple, rule

from app.contexts.funds.domain.ids import TransactionId
from app.contexts.funds.domain.refusals import InsufficientFunds, WalletNotFound
from app.contexts.payments.application.results import Answered, StillPending
from app.contexts.payments.domain.ids import PaymentId, ProviderId
from app.contexts.payments.domain.outcome import FailureCode
from app.contexts.payments.domain.payment import Payment, Status
from app.contexts.payments.domain.refusals import GatewayUnavailable, KeyInProgress, ProviderNotFound
from app.kernel.errors import Unavailable
from app.platform.idempotency.refusals import KeyReused
from tests.builders import EUR, USD, money, payment_request
from tests.payments.books_stay_right import BooksStayRight
from tests.payments.processes import MANY_TURNS, Fates, Process, Told, fates, run

NEVER = float("inf")
RECOVER_AFTER_S = 15.0
LEASE_S = 5.0


class Payments(BooksStayRight):
    """The service, its gateway and its clients."""

    processes = Bundle("processes")

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
        taken = run(self.books.take(limit, RECOVER_AFTER_S, LEASE_S))
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
        for payment in run(self.books.take(1_000, RECOVER_AFTER_S, LEASE_S)):
            result = run(self.resolve(payment, FailureCode.GATEWAY_TIMEOUT, NEVER))
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

    def _recovering(self, payment: Payment) -> Process:
        return Process(self.resolve(payment, FailureCode.GATEWAY_TIMEOUT, NEVER))

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


TestPayments = Payments.TestCase
TestPayments.settings = settings(max_examples=600, stateful_step_count=50)
