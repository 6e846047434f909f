"""Bulks: many transfers of one user, in one transaction, under one key."""

import pytest

from app.kernel.money import MAX_MINOR
from app.platform.idempotency.keys import Answered
from app.platform.postgres.errors import Retry
from tests.builders import EUR, money
from tests.funds.moving import Books, bulk_request, codes, send_request


async def answer(books: Books, *requests: object) -> tuple[int, str]:
    """What the last of the requests is answered with."""
    result = (await books.send_bulk(list(requests)))[-1]  # type: ignore[arg-type] # requests of one kind
    assert isinstance(result, Answered), result
    return result.answer.status, result.answer.body.decode()


async def test_a_bulk_does_all_of_it_and_is_an_operation(books: Books) -> None:
    ada, bob, cy = await books.user(100), await books.user(), await books.user(1)
    request = bulk_request(ada, (bob, 30), (cy, 20), (bob, 5))
    assert await answer(books, request) == (201, "done done done")
    assert [await books.stands(each) for each in (ada, bob, cy)] == [(45, 0), (35, 0), (21, 0)]
    kept = "SELECT context, name, user_id, answer::text FROM operations WHERE business_id = %s"
    ((context, name, sender, outcome),) = await books.all(kept, request.bulk_id)
    assert (context, name, sender) == ("funds", "bulk", ada)
    assert outcome.endswith(', "mode": "all", "asked": 3}')
    moved = "SELECT count(*) FROM transactions WHERE business_id = %s"
    assert await books.all(moved, request.bulk_id) == [(6,)]
    told = "SELECT count(*) FROM funds.outbox_events WHERE subject IN (SELECT id FROM transactions WHERE"
    assert await books.all(f"{told} business_id = %s)", request.bulk_id) == [(3,)]


async def test_whole_or_not_at_all_names_all_that_each_would_refuse_and_moves_nothing(books: Books) -> None:
    ada, bob, full = await books.user(100), await books.user(), await books.user(MAX_MINOR - 1)
    request = bulk_request(ada, (bob, 30), (None, 1), (full, 2), (ada, 3), (bob, 200), (bob, 40))
    before = "SELECT count(*) FROM wallet_balances WHERE user_id = %s"
    expected = "1:NOT_FOUND 2:BALANCE_LIMIT 3:VALIDATION_ERROR 4:INSUFFICIENT_FUNDS"
    assert await answer(books, request) == (409, expected)
    assert await books.stands(ada) == (100, 0)
    assert await books.all(before, bob) == [(0,)], "a wallet was opened for nothing"
    each = bulk_request(ada, *[(p.recipient, p.money.amount_minor) for p in request.payouts], mode="each")
    assert await answer(books, each) == (
        201, "done NOT_FOUND BALANCE_LIMIT VALIDATION_ERROR INSUFFICIENT_FUNDS done",
    )  # fmt: skip
    assert (await books.stands(ada), await books.stands(bob)) == ((30, 0), (70, 0))


async def test_a_bulk_that_is_too_large_together_is_refused_from_where_it_is(books: Books) -> None:
    ada, others = await books.user(100), [await books.user() for _ in range(5)]
    assert await answer(books, bulk_request(ada, *[(each, 30) for each in others])) == (
        409, "3:INSUFFICIENT_FUNDS 4:INSUFFICIENT_FUNDS",
    )  # fmt: skip
    assert [await books.stands(each) for each in others] == [None] * 5
    assert await answer(books, bulk_request(ada, *[(each, 30) for each in others], mode="each")) == (
        201, "done done done INSUFFICIENT_FUNDS INSUFFICIENT_FUNDS",
    )  # fmt: skip


async def test_each_goes_on_behind_a_refusal_in_their_order(books: Books) -> None:
    ada, bob = await books.user(50), await books.user()
    request = bulk_request(ada, (bob, 40), (bob, 20), (bob, 10), mode="each")
    assert await answer(books, request) == (201, "done INSUFFICIENT_FUNDS done")
    assert await books.stands(ada) == (0, 0)


@pytest.mark.parametrize("mode", ["all", "each"])
async def test_the_same_key_is_the_same_answer_and_moves_nothing_again(books: Books, mode: str) -> None:
    ada, bob = await books.user(100), await books.user()
    request = bulk_request(ada, (bob, 30), mode=mode)
    (first,) = await books.send_bulk([request])
    assert isinstance(first, Answered)
    again, other = request._replace(bulk_id=bulk_request(ada, (bob, 1)).bulk_id), request._replace(fingerprint=b"other")
    assert await books.send_bulk([again]) == [Answered(first.answer, replayed=True)]
    assert codes(await books.send_bulk([other])) == ["KeyReused"]
    assert codes(await books.send([send_request(ada, bob, 1, scope=request.scope)])) == ["KeyReused"]
    assert await books.stands(ada) == (70, 0)


async def test_a_refused_bulk_stays_refused_and_a_currency_that_the_sender_lacks_is_not_found(books: Books) -> None:
    ada, bob = await books.user(10), await books.user()
    poor = bulk_request(ada, (bob, 30))
    assert await answer(books, poor) == (409, "0:INSUFFICIENT_FUNDS")
    await books.fund(ada, money(100), None)
    assert await answer(books, poor) == (409, "0:INSUFFICIENT_FUNDS")
    lacking = bulk_request(ada, (bob, 3))
    lacking = lacking._replace(payouts=(*lacking.payouts, lacking.payouts[0]._replace(money=money(1, EUR))))
    assert await answer(books, lacking) == (409, "1:NOT_FOUND")


async def test_a_bulk_of_nothing_that_could_be_done_is_no_operation(books: Books) -> None:
    ada, bob = await books.user(10), await books.user()
    request = bulk_request(ada, (bob, 30), (None, 1), mode="each")
    assert await answer(books, request) == (201, "INSUFFICIENT_FUNDS NOT_FOUND")
    assert await books.all("SELECT FROM operations WHERE business_id = %s", request.bulk_id) == []


async def test_what_one_bulk_only_presumes_another_does_not_fill(books: Books) -> None:
    ada, poor, bob, cy = await books.user(100), await books.user(1), await books.user(), await books.user()
    requests = [bulk_request(ada, (bob, 50)), bulk_request(poor, (cy, 30)), bulk_request(bob, (cy, 20), mode="each")]
    with pytest.raises(Retry):  # nobody has opened a wallet for Cy: Bob had nothing when that was looked at
        await books.send_bulk(requests)
    assert [await books.stands(each) for each in (ada, bob, cy)] == [(100, 0), None, None]


async def test_verify_sees_a_bulk_that_was_done_in_part(books: Books) -> None:
    ada, bob = await books.user(100), await books.user()
    request = bulk_request(ada, (bob, 30), (bob, 20))
    await answer(books, request)
    claim = "UPDATE operations SET answer = replace(answer::text, '\"asked\": 2', '\"asked\": 3')::json"
    async with books.owner.transaction(force_rollback=True):
        await books.owner.execute(f"{claim} WHERE business_id = %s".encode(), [request.bulk_id])
        (found,) = await books.offenders()
    assert found == f"bulk {request.bulk_id} of user {ada}: 2 of 3 transfers were done (all)"
