"""What the books promise of payments that are reserved, whichever they are."""

import asyncio

import psycopg
import pytest

from app.contexts.funds.domain.refusals import WalletNotFound
from app.contexts.payments.application.books import Changes
from app.contexts.payments.application.reserve import Reserved
from app.contexts.payments.application.results import Answered
from app.contexts.payments.application.settle import Settlement
from app.contexts.payments.domain.outcome import Approved, FailureCode, Voided
from app.contexts.payments.domain.payment import Status
from app.contexts.payments.domain.refusals import KeyInProgress, ProviderNotFound
from app.kernel.errors import Unavailable
from app.kernel.refusals import Refusal
from app.platform.idempotency.keys import KeyRecord
from app.platform.idempotency.refusals import KeyReused
from tests import builders
from tests.builders import EUR, USD, again, money, payment_request, user_id
from tests.fakes.unsteady_books import Fate
from tests.payments.conftest import House

VOIDED = Voided(FailureCode.GATEWAY_TIMEOUT)


async def test_a_reserved_payment_is_pending_its_money_set_aside_and_its_event_recorded(house: House) -> None:
    request = await house.request(money=money(3_000))
    (result,) = await house.reserve([request])
    assert isinstance(result, Reserved)
    assert await house.payment(result.payment) == result.payment
    assert result.payment.status is Status.PENDING
    assert await house.balance(request.user_id) == 7_000
    assert await house.events(request.user_id) == [("payment.created", 1)]
    assert sum(await house.entries(request.user_id)) == 0
    assert await house.keys.find(request) == KeyRecord(request.fingerprint, result.payment, None)


async def test_a_work_left_without_a_commit_did_nothing(house: House) -> None:
    request = await house.request()
    async with house.books.begin() as work:
        claimed = await work.claim([request])
        assert claimed.won == {request.scope}
    assert await house.keys.find(request) is None
    (result,) = await house.reserve([request])
    assert isinstance(result, Reserved)


async def test_a_commit_that_breaks_a_constraint_leaves_nothing(house: House) -> None:
    payment = await house.reserved()
    request = await house.request(user_id=payment.user_id, payment_id=payment.id)
    with pytest.raises(psycopg.IntegrityError):
        await house.reserve([request])
    assert await house.keys.find(request) is None
    assert await house.balance(payment.user_id) == 9_000


async def test_want_of_funds_is_answered_stored_and_takes_nothing(house: House) -> None:
    request = await house.request(balance_minor=999)
    (result,) = await house.reserve([request])
    assert isinstance(result, Answered)
    assert not result.replayed
    record = await house.keys.find(request)
    assert record == KeyRecord(request.fingerprint, None, result.answer)
    assert await house.balance(request.user_id) == 999
    assert await house.events(request.user_id) == []
    assert await house.reserve([again(request)]) == [Answered(result.answer, replayed=True)]


async def test_without_wallet_or_active_provider_a_request_leaves_no_trace(house: House) -> None:
    no_wallet = await house.request(user_id=user_id())
    wrong_currency = await house.request(money=money(1, EUR))
    inactive = await house.request(provider_id=await house.add_provider(active=False))
    unknown = payment_request(user_id=inactive.user_id)
    results = await house.reserve([no_wallet, wrong_currency, inactive, unknown])
    assert [type(result) for result in results] == [WalletNotFound, WalletNotFound, ProviderNotFound, ProviderNotFound]
    for request, refusal in zip([no_wallet, wrong_currency, inactive, unknown], results, strict=True):
        assert isinstance(refusal, Refusal)
        with pytest.raises(type(refusal)):  # the reader tells the same, which it does only without a record
            await house.keys.find(request)


async def test_a_refusal_takes_nobody_else_of_its_batch_down(house: House) -> None:
    good, poor, lost = await house.request(), await house.request(balance_minor=1), payment_request()
    results = await house.reserve([poor, good, lost])
    assert [type(result) for result in results] == [Answered, Reserved, WalletNotFound]
    assert await house.balance(good.user_id) == 9_000


async def test_a_batch_on_one_wallet_spends_only_what_is_there(house: House) -> None:
    first = await house.request(balance_minor=2_500)
    requests = [first, *(again(first, key=f"another-{n}") for n in range(3))]
    results = await house.reserve(requests)
    assert [type(result) for result in results] == [Reserved, Reserved, Answered, Answered]
    assert await house.balance(first.user_id) == 500


async def test_the_same_key_in_one_batch_pays_once(house: House) -> None:
    first = await house.request()
    other = again(first, fingerprint=b"another request")
    result, second, third = await house.reserve([first, again(first), other])
    assert isinstance(result, Reserved)
    assert isinstance(second, KeyInProgress)
    assert second.payment_id == first.payment_id
    assert isinstance(third, KeyReused)
    assert await house.balance(first.user_id) == 9_000


async def test_a_key_on_record_answers_each_of_a_batch_by_itself(house: House) -> None:
    """One that asks for something else comes first; the client's true retry behind it must not suffer for it."""
    paid = await house.request()
    (result,) = await house.reserve([paid])
    assert isinstance(result, Reserved)
    (answered,) = await house.settle([Settlement(result.payment, Approved())])
    assert isinstance(answered, Answered)
    wrong, right = await house.reserve([again(paid, fingerprint=b"another request"), again(paid)])
    assert isinstance(wrong, KeyReused)
    assert right == Answered(answered.answer, replayed=True)


async def test_behind_one_that_left_no_trace_the_key_is_free_in_the_next_batch(house: House) -> None:
    request = await house.request()
    no_provider = again(request, provider_id=payment_request().provider_id, fingerprint=b"another")
    first, same, other = await house.reserve([no_provider, again(no_provider), request])
    assert isinstance(first, ProviderNotFound)
    assert isinstance(same, ProviderNotFound)
    assert isinstance(other, Unavailable)
    (reserved,) = await house.reserve([request])
    assert isinstance(reserved, Reserved)


async def test_a_claim_waits_for_another_s_open_claim_and_reads_who_won(house: House) -> None:
    request = await house.request()
    async with house.books.begin() as work:
        claimed = await work.claim([request])
        assert claimed.won
        rival = asyncio.create_task(house.reserve([again(request)]))
        done, _ = await asyncio.wait({rival}, timeout=0.1)
        assert not done
        wallet = claimed.wallets[request.user_id, USD]
        debit = wallet.pay_out(request.transaction_id, request.payment_id, request.money, claimed.now)
        paid = builders.payment(
            id=request.payment_id,
            transaction_id=request.transaction_id,
            user_id=request.user_id,
            idempotency_key=request.key,
            provider_id=request.provider_id,
        )
        await work.commit(Changes(new_payments=[paid], transactions=[debit]))
    (result,) = await rival
    assert isinstance(result, KeyInProgress)
    assert result.payment_id == request.payment_id


async def test_a_claim_that_waited_for_one_undone_wins(house: House) -> None:
    request = await house.request()
    async with house.books.begin() as work:
        await work.claim([request])
        rival = asyncio.create_task(house.reserve([again(request)]))
        done, _ = await asyncio.wait({rival}, timeout=0.1)
        assert not done
    (result,) = await rival
    assert isinstance(result, Reserved)


async def test_of_many_at_once_with_one_key_one_pays(house: House) -> None:
    request = await house.request()
    arrivals = [again(request) for _ in range(5)]
    results = [r for (r,) in await asyncio.gather(*(house.reserve([arrival]) for arrival in arrivals))]
    assert sorted(type(result).__name__ for result in results) == ["KeyInProgress"] * 4 + ["Reserved"]
    assert await house.balance(request.user_id) == 9_000


@pytest.mark.parametrize("fate", Fate)
async def test_an_unknown_commit_of_a_reservation_is_decided_by_running_it_again(house: House, fate: Fate) -> None:
    request = await house.request()
    reserve = house.reserve_over(house.unsteady(fate))
    with pytest.raises(psycopg.OperationalError):
        await reserve([request])
    (result,) = await reserve([request])
    assert isinstance(result, Reserved)
    assert result.payment.id == request.payment_id
    assert await house.balance(request.user_id) == 9_000
    assert await house.events(request.user_id) == [("payment.created", 1)]


async def test_the_same_key_in_one_batch_gets_the_same_refusal(house: House) -> None:
    poor, paid = await house.request(balance_minor=1), await house.request()
    await house.reserve([paid])
    first, second, third, fourth = await house.reserve([poor, again(poor), again(paid), again(paid)])
    assert isinstance(first, Answered)
    assert second == Answered(first.answer, replayed=True)
    assert isinstance(third, KeyInProgress)
    assert isinstance(fourth, KeyInProgress)
