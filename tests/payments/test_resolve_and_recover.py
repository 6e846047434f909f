"""Pay, resolve and recover, over books in memory and a gateway that can fail in every way."""

import asyncio
from collections.abc import Coroutine, Sequence
from typing import Any

import pytest
from psycopg.errors import InsufficientPrivilege
from structlog.testing import capture_logs

from app.application.payments.pay import Pay
from app.application.payments.recover import Recover
from app.application.payments.reserve import Reserve
from app.application.payments.resolve import Resolve
from app.application.payments.results import Answered, StillPending
from app.application.payments.settle import Mark, Settle
from app.application.ports import PaymentRequest, PendingPayments, Unavailable
from app.application.wallets.fund import Fund
from app.domain.ids import UserId
from app.domain.payments.payment import Payment, Status
from app.domain.payments.provider import FailureCode
from app.domain.refusals import GatewayUnavailable, KeyInProgress, KeyReused, ProviderNotFound, Refusal, WalletNotFound
from tests.builders import EUR, CountingIds, PlainAnswers, again, money, payment_request, provider_id, user_id
from tests.fakes.books import FakeBooks, Fate, UnsteadyBooks, one_by_one
from tests.fakes.gateway import FakeGate, FakeGateway, Mishap, Standing

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
        self.fund = Fund(self.books, ids)
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

    async def recover(self, concurrency: int = 4, until: int = 1, pending: PendingPayments | None = None) -> list[Any]:
        """Recovery, when it is due, until so many payments were seen to."""
        self.books.clock.advance(20)
        seen: list[Any] = []
        stop = asyncio.Event()

        def observe(payment: Payment, result: Any) -> None:
            seen.append(result)
            if len(seen) >= until:
                stop.set()

        worker = Recover(
            pending or self.books,
            self.resolve,
            older_than_s=15,
            every_s=0.01,
            attempt_s=5,
            concurrency=concurrency,
            observe=observe,
        )
        async with asyncio.timeout(30):
            await worker.run(stop)
        return seen


def driven(work: Coroutine[Any, Any, Any]) -> Any:
    """What comes of it when it goes on to its end, driven by hand."""
    while True:
        try:
            work.send(None)
        except StopIteration as end:
            return end.value


@pytest.fixture
def service() -> Service:
    return Service()


async def test_an_approved_payment_is_answered_and_paid(service: Service) -> None:
    request = await service.request(money=money(2_500))
    result = await service.pay(request)
    assert isinstance(result, Answered)
    assert result.answer.body == f"APPROVED {request.payment_id}".encode()
    assert not result.replayed
    assert service.balance() == 7_500
    assert service.gateway.stands(request.payment_id)
    assert [payment.id for payment in service.told] == [request.payment_id]


async def test_a_declined_payment_gives_the_money_back(service: Service) -> None:
    service.gateway.declines_with = "DO_NOT_HONOR"
    request = await service.request()
    result = await service.pay(request)
    assert isinstance(result, Answered)
    assert result.answer.status == 201
    assert service.books.payments[request.payment_id].failure_code == "DO_NOT_HONOR"
    assert service.balance() == 10_000


async def test_insufficient_funds_never_reach_the_gateway(service: Service) -> None:
    result = await service.pay(await service.request(money=money(10_001)))
    assert isinstance(result, Answered)
    assert result.answer.status == 409
    assert service.gateway.calls == []
    assert service.told == []


async def test_an_unknown_user_wallet_or_provider_is_refused_without_a_trace(service: Service) -> None:
    cases: list[tuple[dict[str, Any], type[Refusal]]] = [
        ({"user_id": user_id()}, WalletNotFound),
        ({"money": money(1, EUR)}, WalletNotFound),
        ({"provider_id": provider_id()}, ProviderNotFound),
    ]
    for overrides, refusal in cases:
        request = await service.request(**overrides)
        with pytest.raises(refusal):
            await service.pay(request)
    assert not service.books.keys
    assert service.gateway.calls == []


async def test_a_retry_replays_the_answer_without_a_second_charge(service: Service) -> None:
    request = await service.request()
    first = await service.pay(request)
    second = await service.pay(again(request))
    assert isinstance(first, Answered)
    assert second == Answered(first.answer, replayed=True)
    assert service.gateway.verbs() == ["charge"]


async def test_a_key_used_for_something_else_is_refused(service: Service) -> None:
    request = await service.request()
    await service.pay(request)
    with pytest.raises(KeyReused):
        await service.pay(again(request, fingerprint=b"something else"))


@pytest.mark.parametrize(
    ("mishap", "why"), [(Mishap.LOST, FailureCode.GATEWAY_TIMEOUT), (Mishap.ERROR, FailureCode.GATEWAY_ERROR)]
)
async def test_a_charge_that_never_arrived_is_marked_voided_and_failed(
    service: Service, mishap: Mishap, why: FailureCode
) -> None:
    service.gateway.plan("charge", mishap)
    request = await service.request()
    result = await service.pay(request)
    assert isinstance(result, Answered)
    assert result.answer.status == (504 if mishap is Mishap.LOST else 502)
    assert service.gateway.verbs() == ["charge", "ask", "void"]
    payment = service.books.payments[request.payment_id]
    assert (payment.status, payment.failure_code) == (Status.FAILED, why)
    assert payment.void_requested_at is not None
    assert service.balance() == 10_000


@pytest.mark.parametrize("mishap", [Mishap.NO_ANSWER, Mishap.ERROR_AFTER])
async def test_a_charge_whose_answer_was_lost_is_asked_for_and_approved(service: Service, mishap: Mishap) -> None:
    service.gateway.plan("charge", mishap)
    request = await service.request()
    result = await service.pay(request)
    assert isinstance(result, Answered)
    assert result.answer.status == 201
    assert service.gateway.verbs() == ["charge", "ask"]


async def test_a_charge_of_another_amount_is_voided(service: Service) -> None:
    service.gateway.plan("charge", Mishap.WRONG_AMOUNT)
    request = await service.request()
    await service.pay(request)
    assert service.status(request) is Status.FAILED
    assert service.gateway.charges[request.payment_id].standing is Standing.VOIDED


async def test_what_was_not_sent_fails_without_a_question(service: Service) -> None:
    service.gateway.plan("charge", Mishap.NOT_SENT)
    request = await service.request()
    await service.pay(request)
    assert service.status(request) is Status.FAILED
    assert service.gateway.verbs() == ["charge"]


async def test_a_silent_gateway_leaves_the_payment_pending_and_gives_nothing_back(service: Service) -> None:
    service.gateway.plan("charge", Mishap.LOST).plan("ask", Mishap.LOST)
    request = await service.request()
    result = await service.pay(request)
    assert result == StillPending(service.books.payments[request.payment_id], FailureCode.GATEWAY_TIMEOUT)
    assert service.gateway.verbs() == ["charge", "ask"]
    assert service.balance() == 9_000
    with pytest.raises(KeyInProgress):
        await service.pay(again(request))


async def test_a_late_charge_meets_the_tombstone(service: Service) -> None:
    service.gateway.plan("charge", Mishap.LATE)
    request = await service.request()
    await service.pay(request)
    service.gateway.deliver()
    assert not service.gateway.stands(request.payment_id)


async def test_an_unanswered_void_leaves_the_mark_and_is_repeated(service: Service) -> None:
    service.gateway.plan("charge", Mishap.LOST).plan("void", Mishap.LOST)
    request = await service.request()
    assert isinstance(await service.pay(request), StillPending)
    assert service.books.payments[request.payment_id].void_requested_at is not None
    (result,) = await service.recover()
    assert isinstance(result, Answered)
    assert service.gateway.verbs() == ["charge", "ask", "void", "void"]
    assert service.status(request) is Status.FAILED


async def test_an_approval_that_meets_a_mark_stays_pending_until_the_void_is_confirmed(service: Service) -> None:
    """The process held the approval while another marked and sent a void: nobody may approve any more."""
    request = await service.request()
    work = service._pay(request, NEVER, service.told.append)
    while not service.gateway.calls:
        work.send(None)  # up to the charge, which is on its way now
    payment = service.books.payments[request.payment_id]
    rival = service.resolve(payment, FailureCode.GATEWAY_TIMEOUT, NEVER)
    while "void" not in service.gateway.verbs():
        rival.send(None)
    assert isinstance(driven(work), StillPending)
    assert service.gateway.stands(request.payment_id)
    assert isinstance(driven(rival), Answered)
    assert not service.gateway.stands(request.payment_id)
    assert service.status(request) is Status.FAILED
    assert service.balance() == 10_000


async def test_a_mark_that_meets_a_final_payment_sends_no_void(service: Service) -> None:
    """Recovery asked before the charge arrived; by the time it marks, the approval has been settled."""
    request = await service.request()
    work = service._pay(request, NEVER, service.told.append)
    while not service.gateway.calls:
        work.send(None)
    payment = service.books.payments[request.payment_id]
    rival = service.resolve(payment, FailureCode.GATEWAY_TIMEOUT, NEVER)
    while "ask" not in service.gateway.verbs():
        rival.send(None)
    rival.send(None)  # the gateway has answered that it has not seen the payment
    approved = driven(work)
    assert isinstance(approved, Answered)
    assert driven(rival) == Answered(approved.answer, replayed=True)
    assert service.gateway.verbs() == ["charge", "ask"]
    assert service.gateway.stands(request.payment_id)


async def test_a_closed_gate_refuses_a_new_key_before_anything_is_done(service: Service) -> None:
    request = await service.request()
    service.gate.is_open = False
    with pytest.raises(GatewayUnavailable):
        await service.pay(request)
    assert not service.books.keys
    with pytest.raises(ProviderNotFound):
        await service.pay(await service.request(provider_id=provider_id()))


async def test_a_closed_gate_still_replays_refuses_and_tells_of_progress(service: Service) -> None:
    done, pending = await service.request(), await service.request()
    first = await service.pay(done)
    service.gateway.plan("charge", Mishap.LOST).plan("ask", Mishap.LOST)
    await service.pay(pending)
    service.gate.is_open = False
    assert isinstance(first, Answered)
    assert await service.pay(again(done)) == Answered(first.answer, replayed=True)
    with pytest.raises(KeyReused):
        await service.pay(again(done, fingerprint=b"something else"))
    with pytest.raises(KeyInProgress):
        await service.pay(again(pending))


@pytest.mark.parametrize("fate", Fate)
async def test_an_unknown_commit_before_the_charge_charges_once(service: Service, fate: Fate) -> None:
    service.unsteady.fates = [fate]
    request = await service.request()
    await service.pay(request)
    assert service.status(request) is Status.APPROVED
    assert service.gateway.verbs() == ["charge"]


@pytest.mark.parametrize("fate", Fate)
async def test_a_settlement_that_cannot_be_written_is_left_to_recovery(service: Service, fate: Fate) -> None:
    service.unsteady.fates = [None, Fate.LOST_BEFORE, fate]
    request = await service.request()
    with pytest.raises(Unavailable):
        await service.pay(request)
    if fate is Fate.LOST_BEFORE:
        await service.recover()
    assert service.status(request) is Status.APPROVED


async def test_no_void_is_sent_while_the_mark_s_commit_is_unknown(service: Service) -> None:
    service.gateway.plan("charge", Mishap.LOST)
    service.unsteady.fates = [None, Fate.LOST_AFTER, Fate.LOST_AFTER]
    with pytest.raises(Unavailable):
        await service.pay(await service.request())
    assert "void" not in service.gateway.verbs()


async def test_recovery_tells_of_a_database_out_of_reach_and_goes_on(service: Service) -> None:
    service.gateway.plan("charge", Mishap.LOST).plan("ask", Mishap.LOST)
    request = await service.request()
    await service.pay(request)
    service.unsteady.fates = [Fate.LOST_BEFORE, Fate.LOST_BEFORE]
    (unavailable,) = await service.recover()
    assert isinstance(unavailable, Unavailable)
    (answered,) = await service.recover()
    assert isinstance(answered, Answered)
    assert service.status(request) is Status.FAILED


async def test_recovery_finishes_more_than_it_has_hands_for(service: Service) -> None:
    for _ in range(5):
        service.gateway.plan("charge", Mishap.LOST).plan("ask", Mishap.LOST)
        await service.pay(await service.request())
    assert len(await service.recover(concurrency=1, until=5)) == 5


async def test_recovery_waits_for_a_database_that_is_away(service: Service) -> None:
    class Away:
        asked = 0

        async def take(self, limit: int, older_than_s: float, lease_s: float) -> list[Payment]:
            self.asked += 1
            if self.asked == 2:
                stop.set()
            raise Unavailable

    stop, away = asyncio.Event(), Away()
    given = {"older_than_s": 15, "every_s": 0.01, "attempt_s": 5, "concurrency": 4, "observe": lambda *_: None}
    async with asyncio.timeout(30):
        await Recover(away, service.resolve, **given).run(stop)  # type: ignore[arg-type]
    assert away.asked == 2


async def test_recovery_goes_on_after_an_error_that_it_does_not_know(service: Service) -> None:
    service.gateway.plan("charge", Mishap.LOST).plan("ask", Mishap.LOST)
    request = await service.request()
    await service.pay(request)
    failures = [InsufficientPrivilege("no"), KeyError("a bug")]

    class Unruly:
        async def take(self, limit: int, older_than_s: float, lease_s: float) -> Sequence[Payment]:
            if failures:
                raise failures.pop(0)
            return await service.books.take(limit, older_than_s, lease_s)

    with capture_logs() as said:
        (answered,) = await service.recover(pending=Unruly())
    assert (isinstance(answered, Answered), service.status(request)) == (True, Status.FAILED)
    assert [line["event"] for line in said] == ["task_fails", "task_fails", "task_resumes"]
