"""All who move money lock wallets in one order: nobody holds a wallet while waiting for one that comes before it."""

import asyncio
from collections.abc import Awaitable
from typing import Any

import psycopg
import pytest

from app.contexts.funds.public import Part
from app.kernel.ids import UserId
from app.main.local.roles import Urls
from tests.builders import money
from tests.funds.moving import TENANT, Books, operation, send_request


async def moving(books: Books, way: str, sender: UserId, to: UserId) -> Awaitable[Any]:
    """What moves money from one to the other, not begun yet."""
    if way == "send":
        return books.send([send_request(sender, to)])
    if way == "transfer":
        return books.desk.transfer(operation(), TENANT, sender, to, money(10))
    return books.desk.capture(await books.hold(sender, 10), [Part(to, 10)])


@pytest.mark.parametrize("way", ["send", "transfer", "capture"])
@pytest.mark.parametrize("is_first", [True, False], ids=["from the first", "from the second"])
async def test_wallets_are_locked_in_the_order_of_their_keys_whoever_sends(
    books: Books, module_database: Urls, way: str, *, is_first: bool
) -> None:
    first, second = sorted([await books.user(100), await books.user(100)])
    under_way = await moving(books, way, *((first, second) if is_first else (second, first)))
    lock = "SELECT FROM wallet_balances WHERE user_id = %s FOR UPDATE"
    async with await psycopg.AsyncConnection.connect(module_database.owner_url) as other:
        await other.execute(lock, [first])
        task = asyncio.ensure_future(under_way)
        await books.waits(task)
        await other.execute(f"{lock} NOWAIT".encode(), [second])  # whoever waits for the first does not have it
    await task
    assert (await books.stands(first), await books.stands(second)) == ((90, 0), (110, 0))[:: 1 if is_first else -1]
