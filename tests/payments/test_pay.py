"""Pay, resolve and recover, over books in memory and a gateway that can fail in every way."""

from typing import Any

import pytest

from app.contexts.funds.domain.refusals import WalletNotFound
from app.contexts.payments.application.results import Answered
from app.contexts.payments.domain.payment import Status
from app.contexts.payments.domain.refusals import GatewayUnavailable, KeyInProgress, ProviderNotFound
from app.kernel.errors import Unavailable
from app.kernel.refusals import Refusal
from app.platform.idempotency.refusals import KeyReused
from tests.builders import EUR, again, money, provider_id, user_id
from tests.fakes.gateway import Mishap
from tests.fakes.unsteady_books import Fate
from tests.payments.paying import Service, service

__all__ = ["service"]


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
