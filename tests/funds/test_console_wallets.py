"""The console's pages of wallets."""

from typing import Any
from uuid import uuid4

from app.contexts.funds.adapters.console.pages import pages
from app.contexts.funds.application.stories import TellStories
from app.contexts.funds.application.wallet_reader import TransactionLine
from app.kernel.errors import Unavailable
from tests.builders import NOON
from tests.consoles import browsing, log_in


class Slow:
    """A wallet with more entries than can be added up in time."""

    async def standings(self, _: Any) -> Any:
        raise Unavailable("the database did not answer in time")

    async def transactions(self, *_: Any) -> Any:
        return [TransactionLine(uuid4(), "FUNDING", 7, "USD", "COMPLETED", 7, None, None, "<ref>", NOON)]

    async def holds(self, *_: Any) -> Any:
        return []

    async def place_of(self, _: Any) -> Any:
        return None


async def test_a_wallet_whose_entries_are_too_many_shows_its_transactions() -> None:
    slow: Any = Slow()
    async with browsing(*pages(slow, slow, slow, TellStories(slow, slow), slow, slow)) as client:
        await log_in(client)
        answer = await client.get(f"/wallets/{uuid4()}")
    assert answer.status_code == 200
    assert "is not shown: the database did not answer in time" in answer.text
    assert "&lt;ref&gt;" in answer.text
