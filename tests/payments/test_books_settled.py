"""What the books promise of payments that are settled, of funding, recovery, keys and pages, whichever they are."""

import asyncio
from itertools import pairwise

import psycopg
import pytest

from app.contexts.funds.application.fund import Funded
from app.contexts.funds.application.read_transactions import read_transactions
from app.contexts.funds.domain.refusals import BalanceLimit, ReferenceReused, WalletNotFound
from app.contexts.payments.application.reserve import Reserved
from app.contexts.payments.application.results import Answered
from app.contexts.payments.application.settle import Marked, Settlement
from app.contexts.payments.domain.outcome import Approved, Declined, FailureCode, NotSent, Outcome, Voided
from app.contexts.payments.domain.payment import Payment, Status
from app.kernel.money import MAX_MINOR, Currency
from tests.builders import EUR, USD, again, money, user_id
from tests.fakes.unsteady_books import Fate
from tests.payments.conftest import House

VOIDED = Voided(FailureCode.GATEWAY_TIMEOUT)


@pytest.mark.parametrize("fate", Fate)
async def test_an_unknown_commit_of_a_settlement_is_decided_by_running_it_again(house: House, fate: Fate) -> None:
    payment = await house.reserved()
    settle = house.settle_over(house.unsteady(fate))
    with pytest.raises(psycopg.OperationalError):
        await settle([Settlement(payment, Declined("NO"))])
    (result,) = await settle([Settlement(payment, Declined("NO"))])
    assert isinstance(result, Answered)
    assert await house.balance(payment.user_id) == 10_000
    assert (await house.payment(payment)).status is Status.DECLINED


async def test_an_approval_settles_and_its_answer_is_replayed(house: House) -> None:
    request = await house.request()
    (result,) = await house.reserve([request])
    assert isinstance(result, Reserved)
    (answered,) = await house.settle([Settlement(result.payment, Approved())])
    assert isinstance(answered, Answered)
    assert await house.reserve([again(request)]) == [Answered(answered.answer, replayed=True)]
    assert await house.balance(request.user_id) == 9_000
    assert await house.events(request.user_id) == [("payment.created", 1), ("payment.completed", 2)]


@pytest.mark.parametrize("outcome", [Declined("NO"), NotSent(FailureCode.DEADLINE_EXCEEDED), VOIDED])
async def test_what_did_not_come_off_is_refunded(house: House, outcome: Declined | NotSent | Voided) -> None:
    payment = await house.reserved()
    await house.settle([Settlement(payment, outcome)])
    assert await house.balance(payment.user_id) == 10_000
    ends = [("payment.failed", 2), ("refund.created", 3)]
    assert await house.events(payment.user_id) == [("payment.created", 1), *ends]
    assert sum(await house.entries(payment.user_id)) == 0


async def test_the_first_writer_wins_and_the_others_read_what_stands(house: House) -> None:
    payment = await house.reserved()
    (first,) = await house.settle([Settlement(payment, Approved())])
    assert isinstance(first, Answered)
    assert await house.settle([Settlement(payment, VOIDED)]) == [Answered(first.answer, replayed=True)]
    assert await house.mark([payment]) == [Answered(first.answer, replayed=True)]
    assert await house.balance(payment.user_id) == 9_000


async def test_two_who_settle_at_once_agree(house: House) -> None:
    payment = await house.reserved()
    results = await asyncio.gather(
        house.settle([Settlement(payment, Approved())]), house.settle([Settlement(payment, VOIDED)])
    )
    answers = {result.answer for (result,) in results if isinstance(result, Answered)}
    assert len(answers) == 1
    assert sum(await house.entries(payment.user_id)) == 0


@pytest.mark.parametrize("outcome", [Approved(), NotSent(FailureCode.DEADLINE_EXCEEDED)])
async def test_against_the_mark_only_the_void_and_a_decline_count(house: House, outcome: Approved | NotSent) -> None:
    payment = await house.reserved()
    (marked,) = await house.mark([payment])
    assert isinstance(marked, Marked)
    (met,) = await house.settle([Settlement(payment, outcome)])
    assert isinstance(met, Marked)
    assert met.payment.void_requested_at == marked.payment.void_requested_at
    assert (await house.payment(payment)).status is Status.PENDING
    (voided,) = await house.settle([Settlement(payment, VOIDED)])
    assert isinstance(voided, Answered)
    assert (await house.payment(payment)).status is Status.FAILED


async def test_a_mark_stays_as_it_was_first_set(house: House) -> None:
    payment = await house.reserved()
    (first,) = await house.mark([payment])
    (second,) = await house.mark([payment])
    assert first == second


async def test_one_batch_settles_many_payments_of_one_wallet(house: House) -> None:
    first = await house.request()
    results = await house.reserve([first, *(again(first, key=f"another-{n}") for n in range(3))])
    payments = [result.payment for result in results if isinstance(result, Reserved)]
    outcomes: list[Outcome] = [Approved(), Declined("NO"), VOIDED, NotSent(FailureCode.DEADLINE_EXCEEDED)]
    await house.settle([Settlement(*each) for each in zip(payments, outcomes, strict=True)])
    assert await house.balance(first.user_id) == 9_000
    assert sum(await house.entries(first.user_id)) == 0


async def test_every_movement_of_a_wallet_has_a_later_time_than_the_one_before(house: House) -> None:
    first = await house.request()
    for n in range(3):
        results = await house.reserve([again(first, key=f"{n}-{m}", money=money(10)) for m in range(8)])
        payments = [result.payment for result in results if isinstance(result, Reserved)]
        await house.settle([Settlement(payment, Declined("NO")) for payment in payments])
    lines = await house.reader.transactions(first.user_id, None, None, 200)
    times = [line.created_at for line in reversed(lines)]
    assert len(times) == 49
    assert all(earlier < later for earlier, later in pairwise(times))
    balance = 0
    for line in reversed(lines):
        balance += line.amount if line.kind != "PAYMENT" else -line.amount
        assert line.balance_after == balance


async def test_amounts_of_every_size_go_through_one_batch(house: House) -> None:
    small, large = await house.request(money=money(1)), await house.request(MAX_MINOR, money=money(MAX_MINOR))
    results = await house.reserve([small, large])
    assert all(isinstance(result, Reserved) for result in results)
    assert await house.balance(large.user_id) == 0
    await house.settle([Settlement(r.payment, VOIDED) for r in results if isinstance(r, Reserved)])
    assert await house.balance(large.user_id) == MAX_MINOR


async def test_funding_keeps_room_for_every_refund(house: House) -> None:
    payment = await house.reserved(balance_minor=MAX_MINOR)
    with pytest.raises(BalanceLimit):
        await house.fund(payment.user_id, money(1), None)
    await house.settle([Settlement(payment, Approved())])
    assert await house.fund(payment.user_id, money(1_000), None) == Funded(MAX_MINOR, already=False)


async def test_a_reference_funds_once(house: House) -> None:
    user = user_id()
    assert await house.fund(user, money(5), "salary") == Funded(5, already=False)
    assert await house.fund(user, money(5), "salary") == Funded(5, already=True)
    assert await house.fund(user, money(5, EUR), "salary") == Funded(5, already=False)
    with pytest.raises(ReferenceReused) as refused:
        await house.fund(user, money(6), "salary")
    assert refused.value.amount == 5
    assert [balance.currency for balance in await house.reader.balances(user)] == ["EUR", "USD"]


async def test_a_refused_funding_opens_no_wallet(house: House) -> None:
    user = user_id()
    async with house.funding_books.begin() as work:
        await work.open(user, USD, None)
    assert list(await house.reader.balances(user)) == []


async def test_recovery_takes_old_pending_payments_and_leases_them(house: House) -> None:
    old = await house.reserved()
    final = await house.reserved()
    await house.settle([Settlement(final, Approved())])
    await house.pass_time(20)
    young = await house.reserved()

    async def taken() -> set[object]:
        mine = {old.id, final.id, young.id}
        return {p.id for p in await house.pending.take(1_000, 15, 5)} & mine

    assert await house.pending.take(0, 15, 5) == []
    assert await taken() == {old.id}
    assert await taken() == set()
    await house.pass_time(6)
    assert await taken() == {old.id}
    await house.settle([Settlement(p, VOIDED) for p in (old, young)])


@pytest.mark.parametrize("taken_before", [False, True])
async def test_a_clock_that_went_back_does_not_keep_recovery_waiting(house: House, taken_before: bool) -> None:
    """A payment of times to come is as old as if it had been made when recovery first saw it."""
    payment = await house.reserved()
    if taken_before:
        await house.pass_time(20)
        await taken(house, payment)
    await house.pass_time(-3600)
    if not taken_before:
        assert not await taken(house, payment)
        await house.pass_time(10)
        assert not await taken(house, payment)
        await house.pass_time(6)
    assert await taken(house, payment)
    assert not await taken(house, payment)
    await house.pass_time(6)
    assert await taken(house, payment)
    await house.settle([Settlement(await house.payment(payment), VOIDED)])
    final = await house.payment(payment)
    assert final.finalized_at is not None
    assert final.finalized_at >= final.created_at


async def taken(house: House, payment: Payment) -> bool:
    return payment.id in {p.id for p in await house.pending.take(1_000, 15, 5)}


async def test_keys_are_purged_when_their_time_is_over_and_never_while_pending(house: House) -> None:
    pending, final = await house.request(), await house.request()
    results = await house.reserve([pending, final])
    payments = [result.payment for result in results if isinstance(result, Reserved)]
    await house.settle([Settlement(payments[1], Approved())])
    await house.pass_time(3_601)
    assert await house.pending.purge_keys(2, 100) == 0
    assert await house.pending.purge_keys(1, 100) >= 1
    assert await house.keys.find(pending) is not None
    assert await house.keys.find(final) is None
    (afresh,) = await house.reserve([again(final)])
    assert isinstance(afresh, Reserved)
    (late,) = await house.settle([Settlement(payments[1], VOIDED)])
    assert isinstance(late, Answered)
    assert late.answer.body == f"APPROVED {final.payment_id}".encode()
    assert (await house.payment(afresh.payment)).status is Status.PENDING
    await house.settle([Settlement(p, VOIDED) for p in (payments[0], afresh.payment)])


async def test_pages_go_on_where_the_last_one_ended_whatever_came_meanwhile(house: House) -> None:
    user = await house.funded(1)
    for n in range(4):
        await house.fund(user, money(1, EUR if n % 2 else USD), f"reference {n}")
    page = await read_transactions(house.reader, user, None, None, 2)
    assert [line.external_reference for line in page.lines] == ["reference 3", "reference 2"]
    await house.fund(user, money(1), "meanwhile")
    page = await read_transactions(house.reader, user, None, page.next, 2)
    assert [line.external_reference for line in page.lines] == ["reference 1", "reference 0"]
    page = await read_transactions(house.reader, user, None, page.next, 2)
    assert [line.external_reference for line in page.lines] == [None]
    assert page.next is None


async def test_a_page_of_one_currency_has_nothing_else(house: House) -> None:
    user = await house.funded()
    await house.fund(user, money(7, EUR), None)
    page = await read_transactions(house.reader, user, EUR, None, 2)
    assert [(line.currency, line.amount) for line in page.lines] == [("EUR", 7)]
    with pytest.raises(WalletNotFound):
        await read_transactions(house.reader, user, Currency("GBP"), None, 2)
