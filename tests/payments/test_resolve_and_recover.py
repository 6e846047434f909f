"""What is done about a charge of unknown outcome, at once and by recovery, over books in memory."""

import asyncio
from collections.abc import Coroutine, Sequence
from typing import Any

import pytest
from psycopg.errors import InsufficientPrivilege
from structlog.testing import capture_logs

from app.contexts.payments.application.recover import Recover
from app.contexts.payments.application.results import Answered, StillPending
from app.contexts.payments.domain.outcome import FailureCode
from app.contexts.payments.domain.payment import Payment, Status
from app.contexts.payments.domain.refusals import KeyInProgress
from app.kernel.errors import Unavailable
from tests.builders import again
from tests.fakes.gateway import Mishap, Standing
from tests.fakes.unsteady_books import Fate
from tests.payments.paying import NEVER, Service, service

__all__ = ["service"]


def driven(work: Coroutine[Any, Any, Any]) -> Any:
    """What comes of it when it goes on to its end, driven by hand."""
    while True:
        try:
            work.send(None)
        except StopIteration as end:
            return end.value


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
            raise Unavailable("it is away")

    stop, away = asyncio.Event(), Away()
    given = {"older_than_s": 15, "every_s": 0.01, "attempt_s": 5, "concurrency": 4, "observe": lambda *_: None}
    async with asyncio.timeout(60):
        await Recover("recovery", away, service.resolve, **given).run(stop)  # type: ignore[arg-type]
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
