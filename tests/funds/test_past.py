"""What a wallet held at a time: exactly, from its entries, and for good."""

import asyncio
import inspect
import random
from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import uuid4

import psycopg
import pytest

from app.contexts.funds.application.past import Question, Stood, Told
from app.contexts.funds.domain.hold import Hold
from app.contexts.funds.domain.ids import HoldId, TransactionId, TransferId
from app.contexts.funds.domain.ledger import Transaction
from app.contexts.funds.domain.operation import Part
from app.contexts.funds.domain.refusals import WalletNotFound
from app.contexts.funds.domain.transfer import CompletedTransfer
from app.contexts.funds.domain.wallet import Wallet
from app.kernel.ids import UserId
from app.main.local.roles import Urls
from tests.builders import EUR, NOON, USD, money, user_id
from tests.funds.looking_back import now
from tests.funds.moving import TENANT, Books, operation, ref, send_request
from tests.patience import in_lanes

A_MOMENT = timedelta(microseconds=1)


async def stood(books: Books, user: UserId, *times: datetime, wants_held: bool = True) -> tuple[Stood, ...]:
    (told,) = await books.past.stood([Question(user, USD, times, wants_held)])
    assert isinstance(told, Told), told
    return told.stood


async def test_what_stood_is_what_the_entries_before_the_time_come_to(books: Books) -> None:
    dice, ada, bob = random.Random(5), await books.user(1_000), await books.user(1_000)
    for _ in range(30):
        match dice.randrange(4):
            case 0:
                await books.send([send_request(ada, bob, dice.randint(1, 20))])
            case 1:
                await books.send([send_request(bob, ada, dice.randint(1, 20))])
            case 2:
                await books.desk.release(await books.hold(ada, dice.randint(1, 20)))
            case _:
                await books.desk.capture(await books.hold(ada, 20), [Part(bob, dice.randint(1, 20))])
    held = ref(ada, await books.desk.hold(operation(), TENANT, ada, money(7), None))
    await books.desk.resize(operation(), held, 9)
    entries = await books.all(
        "SELECT created_at, account, amount FROM ledger_entries WHERE user_id = %s AND currency = 'USD'", ada
    )
    times = sorted({at for at, _, _ in entries})
    asked = [time for at in times for time in (at - A_MOMENT, at, at + A_MOMENT)]
    found = await stood(books, ada, *asked)
    for time, one in zip(asked, found, strict=True):
        before = [(account, amount) for at, account, amount in entries if at < time]
        assert one.balance_minor == sum(amount for account, amount in before if account == "wallet")
        assert one.held_minor == sum(amount for account, amount in before if account == "held")
        assert one.version == sum(account == "wallet" for account, _ in before)
    assert (found[-1].balance_minor, found[-1].held_minor) == await books.stands(ada)


async def test_nothing_stood_before_the_wallet_and_without_one_there_is_nothing_to_tell(books: Books) -> None:
    ada = await books.user(5)
    assert await stood(books, ada, NOON - timedelta(days=10_000)) == (Stood(0, 0, 0),)
    (elsewhere,) = await books.past.stood([Question(ada, EUR, (NOON,))])
    assert isinstance(elsewhere, WalletNotFound)


async def test_whoever_is_moving_the_wallet_is_waited_for(books: Books, module_database: Urls) -> None:
    """Of several wallets that are asked for at once, each one's own."""
    first, second = sorted([await books.user(100), await books.user(100)])
    async with await psycopg.AsyncConnection.connect(module_database.owner_url) as other:
        await other.execute("SELECT FROM wallet_balances WHERE user_id = %s FOR UPDATE", [second])
        at = await now(books)
        made = uuid4()
        await other.execute(
            "INSERT INTO transactions (user_id, id, kind, amount, currency, status, created_at)"
            " VALUES (%s, %s, 'FUNDING', 5, 'USD', 'COMPLETED', %s)",
            [second, made, at],
        )
        await other.execute(
            "INSERT INTO ledger_entries (user_id, transaction_id, account, currency, amount, balance_after,"
            " wallet_version, created_at) VALUES (%(u)s, %(t)s, 'wallet', 'USD', 5, 105, 2, %(at)s),"
            " (%(u)s, %(t)s, 'funding', 'USD', -5, NULL, NULL, %(at)s)",
            {"u": second, "t": made, "at": at},
        )
        await other.execute(
            "UPDATE wallet_balances SET current_balance = 105, version = 2, updated_at = clock_timestamp()"
            " WHERE user_id = %s",
            [second],
        )
        ask = in_lanes(books.past.stood, lambda question: question.user_id, books.pool)
        task = asyncio.gather(*(ask(Question(user, USD, (at + A_MOMENT,))) for user in (first, second)))
        await books.waits(task)
        await other.commit()
    balances = [told.stood[0].balance_minor for told in await task if isinstance(told, Told)]
    assert balances == [100, 105]


async def test_those_who_look_back_do_not_wait_for_each_other(books: Books, module_database: Urls) -> None:
    ada = await books.user(100)
    async with await psycopg.AsyncConnection.connect(module_database.owner_url) as other:
        await other.execute("SELECT FROM wallet_balances WHERE user_id = %s FOR SHARE", [ada])
        (one,) = await stood(books, ada, await now(books))
    assert one.balance_minor == 100


async def test_a_clock_that_goes_back_brings_no_movement_before_the_last(books: Books) -> None:
    ada, bob = await books.user(100), await books.user(100)
    hold = await books.hold(ada, 10)
    ahead = "UPDATE wallet_balances SET updated_at = clock_timestamp() + interval '1 h' WHERE user_id = %s"
    ((last,),) = await books.all(f"{ahead} RETURNING updated_at", ada)
    await books.send([send_request(ada, bob, 1), send_request(ada, bob, 2)])
    await books.desk.capture(hold, [Part(bob, 10)])
    await books.fund(ada, money(1), None)
    times = "SELECT created_at FROM transactions WHERE user_id = %s AND created_at >= %s ORDER BY created_at, id"
    found = [at for (at,) in await books.all(times, ada, last)]
    assert len(found) == 4
    assert found == sorted(set(found)), "each comes behind the one before"
    assert min(found) > last
    ((updated,),) = await books.all("SELECT updated_at FROM wallet_balances WHERE user_id = %s", ada)
    assert updated >= max(found)


def _movements() -> dict[str, Callable[[Wallet, datetime], Transaction]]:
    """Every way to move a wallet, by its name."""
    made, other = TransactionId(uuid4()), user_id()

    def transfer(wallet: Wallet, at: datetime, *, into: bool) -> CompletedTransfer:
        ends = (other, wallet.user_id) if into else (wallet.user_id, other)
        return CompletedTransfer(TransferId(uuid4()), TENANT, *ends, money(1), at)

    def hold(wallet: Wallet) -> Hold:
        opened = Hold(HoldId(uuid4()), wallet.user_id, TENANT, "market", uuid4(), money(1), NOON)
        return opened.capture(1, b"", NOON)

    return {
        "pay_out": lambda w, at: w.pay_out(made, uuid4(), money(1), at),
        "refund": lambda w, at: w.refund(made, uuid4(), money(1), at),
        "merchant_refund": lambda w, at: w.merchant_refund(made, uuid4(), money(1), at),
        "pay_in": lambda w, at: w.pay_in(made, None, money(1), at),
        "transfer_out": lambda w, at: w.transfer_out(transfer(w, at, into=False), None),
        "transfer_in": lambda w, at: w.transfer_in(transfer(w, at, into=True), None),
        "set_aside": lambda w, at: w.set_aside(made, hold(w), money(1), at),
        "give_back": lambda w, at: w.give_back(made, hold(w), money(1), at),
        "capture_out": lambda w, at: w.capture_out(hold(w), at, None),
        "capture_in": lambda w, at: w.capture_in(hold(w), Part(w.user_id, 1), at),
        "take_fee": lambda w, at: w.take_fee(made, money(1), at),
    }


def test_every_movement_there_is_is_among_those_of_the_next_test() -> None:
    moving = {
        name
        for name, method in inspect.getmembers(Wallet, inspect.isfunction)
        if not name.startswith("_") and method.__annotations__.get("return") is Transaction
    }
    assert moving == set(_movements())


@pytest.mark.parametrize("name", _movements())
def test_no_movement_is_told_as_of_a_time_before_the_last(name: str) -> None:
    wallet = Wallet(user_id(), USD, 100, 7, 100, NOON)
    move = _movements()[name]
    later = NOON + timedelta(seconds=1)
    assert move(wallet, later).created_at == later
    for at in (NOON, NOON - timedelta(days=1)):
        moved = move(wallet, at)
        assert moved.created_at == NOON + A_MOMENT
        assert wallet.after(moved).moved_at == moved.created_at


async def test_entries_that_share_a_time_count_in_the_order_of_the_wallet(books: Books) -> None:
    """Before wallets kept the time of their last movement, two could have the same."""
    ada = await books.user(100)
    at = NOON
    async with books.owner.transaction():
        for nth in range(2, 12):
            made = uuid4()
            await books.owner.execute(
                "INSERT INTO transactions (user_id, id, kind, amount, currency, status, created_at)"
                " VALUES (%s, %s, 'FUNDING', 1, 'USD', 'COMPLETED', %s)",
                [ada, made, at + timedelta(days=10_000)],
            )
            await books.owner.execute(
                "INSERT INTO ledger_entries (user_id, transaction_id, account, currency, amount, balance_after,"
                " wallet_version, created_at) VALUES (%(u)s, %(t)s, 'wallet', 'USD', 1, %(b)s, %(v)s, %(at)s),"
                " (%(u)s, %(t)s, 'funding', 'USD', -1, NULL, NULL, %(at)s)",
                {"u": ada, "t": made, "b": 99 + nth, "v": nth, "at": at + timedelta(days=10_000)},
            )
        await books.owner.execute(
            "UPDATE wallet_balances SET current_balance = 110, version = 11 WHERE user_id = %s", [ada]
        )
    assert await stood(books, ada, at + timedelta(days=10_001)) == (Stood(11, 110, 0),)
