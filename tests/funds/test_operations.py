"""Operations of other contexts: once, all or none, forbidden for good, and the same again answers the same."""

import asyncio
from dataclasses import replace
from uuid import uuid4

import pytest

from app.contexts.funds.domain.operation import Credit, Operation, Placement, Resize, Transfer
from app.contexts.funds.public import Done, Forbidden, Member, Refused
from app.kernel.money import MAX_MINOR
from tests.builders import EUR, money
from tests.funds.moving import TENANT, Books, codes, operation, ref


async def test_a_transfer_moves_money_and_opens_the_recipient_s_wallet(books: Books) -> None:
    ada, bob, asked = await books.user(100), await books.user(), operation()
    done = await books.desk.transfer(asked, TENANT, ada, bob, money(30))
    assert isinstance(done, Done)
    assert (await books.stands(ada), await books.stands(bob)) == ((70, 0), (30, 0))
    assert (await books.kinds(ada))[1:] == [("TRANSFER_OUT", 30)]
    assert await books.kinds(bob) == [("TRANSFER_IN", 30)]
    legs = "SELECT user_id, counterparty, business_id FROM transactions WHERE id = %s ORDER BY kind DESC"
    assert await books.all(legs, done.ids[0]) == [(ada, bob, asked.business_id), (bob, ada, asked.business_id)]
    assert await books.events(done.ids[0]) == [("transfer.completed", 1)]


async def test_the_same_again_answers_the_same_and_another_content_is_refused(books: Books) -> None:
    ada, bob, asked = await books.user(100), await books.user(), operation()
    done = await books.desk.transfer(asked, TENANT, ada, bob, money(30))
    assert await books.desk.transfer(asked, TENANT, ada, bob, money(30)) == done
    assert codes([await books.desk.transfer(asked, TENANT, ada, bob, money(31))]) == ["OPERATION_REUSED"]
    assert codes([await books.desk.hold(asked, TENANT, ada, money(30), None)]) == ["OPERATION_REUSED"]
    another = replace(asked, name="another step")
    assert await books.desk.transfer(another, TENANT, ada, bob, money(30)) != done
    assert await books.stands(ada) == (40, 0)


async def test_a_refusal_is_an_answer_that_stays(books: Books) -> None:
    ada, bob, asked = await books.user(20), await books.user(), operation()
    refused = await books.desk.transfer(asked, TENANT, ada, bob, money(30))
    assert codes([refused]) == ["INSUFFICIENT_FUNDS"]
    assert await books.stands(bob) is None  # nobody gets an empty wallet from somebody who has nothing
    await books.fund(ada, money(100), None)
    again = await books.desk.transfer(asked, TENANT, ada, bob, money(30))
    assert isinstance(again, Refused)
    assert vars(again.refusal) == {"currency": "USD", "current_balance": 20, "amount": 30}
    assert isinstance(await books.desk.forbid(asked), Refused)


async def test_several_that_are_refused_together_tell_what_is_missing_of_all(books: Books) -> None:
    ada, bob = await books.user(100), await books.user()
    members: list[Member] = [Placement(TENANT, ada, money(60)), Transfer(TENANT, ada, bob, money(50))]
    refused = await books.desk.together(operation(), members)
    assert isinstance(refused, Refused)
    assert vars(refused.refusal) == {"currency": "USD", "current_balance": 100, "amount": 110}
    mixed = await books.desk.together(operation(), [*members, Placement(TENANT, ada, money(1, EUR))])
    assert isinstance(mixed, Refused)
    assert vars(mixed.refusal) == {"currency": "USD", "current_balance": 40, "amount": 50}


async def test_who_has_no_wallet_in_a_currency_has_nothing_of_it(books: Books) -> None:
    ada, bob = await books.user(20), await books.user()
    outcomes = [
        await books.desk.transfer(operation(), TENANT, ada, bob, money(5, EUR)),
        await books.desk.hold(operation(), TENANT, bob, money(5), None),
    ]
    assert codes(outcomes) == ["INSUFFICIENT_FUNDS"] * 2
    assert [o.refusal.current_balance for o in outcomes if isinstance(o, Refused)] == [0, 0]  # type: ignore[attr-defined]


async def test_nobody_is_given_more_than_fits_beside_what_may_come_back(books: Books) -> None:
    ada, rich = await books.user(100), await books.user(MAX_MINOR - 10)
    await books.hold(rich, MAX_MINOR - 20)
    outcomes = [
        await books.desk.transfer(operation(), TENANT, ada, rich, money(11)),
        await books.desk.credit(operation(), TENANT, rich, money(11)),
        await books.desk.transfer(operation(), TENANT, ada, rich, money(10)),
        await books.desk.credit(operation(), TENANT, rich, money(1)),
    ]
    assert codes(outcomes) == ["BALANCE_LIMIT", "BALANCE_LIMIT", "Done", "BALANCE_LIMIT"]
    assert await books.stands(ada) == (90, 0)


async def test_a_credit_comes_from_outside_once(books: Books) -> None:
    ada, asked = await books.user(), operation()
    done = await books.desk.credit(asked, TENANT, ada, money(30))
    assert await books.desk.credit(asked, TENANT, ada, money(30)) == done
    assert await books.kinds(ada) == [("FUNDING", 30)]
    assert isinstance(done, Done)
    assert await books.events(done.ids[0]) == [("transfer.completed", 1)]


async def test_several_of_one_owner_happen_all_or_none(books: Books) -> None:
    ada, bob = await books.user(100), await books.user()
    holds = [Placement(TENANT, ada, money(60)), Placement(TENANT, ada, money(50))]
    assert codes([await books.desk.together(operation(), holds)]) == ["INSUFFICIENT_FUNDS"]
    assert await books.stands(ada) == (100, 0)
    asked = operation()
    done = await books.desk.together(asked, [*holds[:1], Placement(TENANT, ada, money(40))])
    assert isinstance(done, Done)
    assert len(done.ids) == 2
    assert await books.stands(ada) == (0, 100)
    assert codes([await books.desk.together(asked, holds[:1])]) == ["OPERATION_REUSED"]
    assert isinstance(await books.desk.forbid(asked), Done)
    with pytest.raises(ValueError, match="one user"):
        await books.desk.together(operation(), [*holds, Credit(TENANT, bob, money(1))])


async def test_what_comes_in_within_an_operation_can_go_on_to_who_has_no_wallet_yet(books: Books) -> None:
    ada, bob, eve = await books.user(), await books.user(), await books.user()
    credited: list[Member] = [Credit(TENANT, ada, money(100)), Transfer(TENANT, ada, bob, money(100))]
    assert codes([await books.desk.together(operation(), credited)]) == ["Done"]
    assert (await books.stands(ada), await books.stands(bob)) == ((0, 0), (100, 0))
    hold = await books.hold(bob, 90)
    freed: list[Member] = [Resize(hold, 10), Transfer(TENANT, bob, eve, money(90))]
    assert codes([await books.desk.together(operation(), freed)]) == ["Done"]
    assert (await books.stands(bob), await books.stands(eve)) == ((0, 10), (90, 0))


async def test_all_or_none_undoes_other_amounts_of_holds_too(books: Books) -> None:
    ada, bob = await books.user(100), await books.user()
    hold = await books.hold(ada, 50)
    members: list[Member] = [Resize(hold, 20), Transfer(TENANT, ada, bob, money(75)), Resize(hold, 30)]
    after: list[Member] = [Transfer(TENANT, ada, bob, money(1)), Resize(hold, 45)]
    first, second = await books.perform([Operation(operation(), (*members,)), Operation(operation(), (*after,))])
    assert codes([first, second]) == ["INSUFFICIENT_FUNDS", "Done"]
    assert (await books.stands(ada), await books.stands(bob)) == ((54, 45), (1, 0))
    assert await books.events(hold.id) == [("hold.placed", 1), ("hold.resized", 2)]


async def test_a_forbidden_operation_never_happens(books: Books) -> None:
    ada, bob, asked = await books.user(100), await books.user(), operation()
    assert [await books.desk.forbid(asked) for _ in range(2)] == [Forbidden(), Forbidden()]
    assert codes([await books.desk.transfer(asked, TENANT, ada, bob, money(30))]) == ["FORBIDDEN_OPERATION"]
    assert codes([await books.desk.hold(asked, TENANT, ada, money(30), None)]) == ["FORBIDDEN_OPERATION"]
    assert await books.stands(ada) == (100, 0)


async def test_forbidding_what_has_happened_tells_its_answer(books: Books) -> None:
    ada, bob, asked = await books.user(100), await books.user(), operation()
    done = await books.desk.transfer(asked, TENANT, ada, bob, money(30))
    assert [await books.desk.forbid(asked) for _ in range(2)] == [done, done]
    assert await books.stands(ada) == (70, 0)


async def test_forbidding_waits_for_what_is_under_way(books: Books) -> None:
    ada, bob, asked = await books.user(100), await books.user(), operation()
    transfer = Operation(asked, (Transfer(TENANT, ada, bob, money(30)),))
    async with books.books.begin() as work:
        await work.claim_operations([transfer])
        forbidding = asyncio.create_task(books.desk.forbid(asked))
        await books.waits(forbidding)
    assert await forbidding == Forbidden()  # as the other was undone
    assert codes([await books.desk.transfer(asked, TENANT, ada, bob, money(30))]) == ["FORBIDDEN_OPERATION"]


async def test_one_batch_with_the_same_operation_twice_does_it_once(books: Books) -> None:
    ada, bob, asked = await books.user(100), await books.user(), operation()
    transfer = Operation(asked, (Transfer(TENANT, ada, bob, money(30)),))
    other = Operation(asked, (Transfer(TENANT, ada, bob, money(31)),))
    first, second, third = await books.perform([transfer, replace(transfer), other])
    assert isinstance(first, Done)
    assert (second, codes([third])) == (first, ["OPERATION_REUSED"])
    assert await books.perform([transfer, other]) == [first, third] or codes([third]) == ["OPERATION_REUSED"]
    assert await books.stands(ada) == (70, 0)


async def test_money_that_came_in_the_same_batch_can_be_sent_on(books: Books) -> None:
    """Even to somebody who has no wallet yet, which is opened for those only who have something to send."""
    ada, bob, cy = await books.user(100), await books.user(), await books.user()
    on = [books.desk.transfer(operation(), TENANT, ada, bob, money(30)),
          books.desk.transfer(operation(), TENANT, bob, cy, money(20))]  # fmt: skip
    assert codes(await asyncio.gather(*on)) == ["Done", "Done"]
    assert [await books.stands(user) for user in (ada, bob, cy)] == [(70, 0), (10, 0), (20, 0)]


async def test_an_operation_without_an_answer_is_not_taken_for_a_forbidden_one(books: Books) -> None:
    ada, bob = await books.user(100), await books.user()
    done = await books.desk.hold(operation(business=uuid4()), TENANT, ada, money(30), None)
    hold = ref(ada, done)
    assert codes([await books.desk.resize(operation(), hold._replace(owner=bob), 5)]) == ["HOLD_NOT_FOUND"]
    assert codes([await books.desk.resize(operation(), hold._replace(currency=EUR), 5)]) == ["HOLD_NOT_FOUND"]
