"""A process in which auctions are watched, over what is committed in a real database."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from uuid import uuid4

from app.contexts.auctions.adapters.postgres.listings import PostgresListings
from app.contexts.auctions.adapters.postgres.live_events import PostgresLiveEvents
from app.contexts.auctions.application.watch import Happened, Watch, Watching
from app.contexts.auctions.domain.ids import AuctionId
from app.kernel.principal import TenantId
from tests.auctions.hammer import Hammer
from tests.pace import slow

TENANT, ANOTHER = TenantId(uuid4()), TenantId(uuid4())


@dataclass
class Counted:
    """What has happened, with the looks counted that are taken at it."""

    events: PostgresLiveEvents
    looks: list[Mapping[AuctionId, int]] = field(default_factory=list)

    async def after(self, tenant_id: TenantId, places: Mapping[AuctionId, int], most: int) -> Sequence[Happened]:
        self.looks.append(places)
        return await self.events.after(tenant_id, places, most)


def told(word: str, number: int, document: bytes) -> bytes:
    assert document.startswith(b'{"auction_id":')
    return f"{number} {word}\n".encode()


@dataclass
class Room:
    """A process in which auctions are watched, and who writes them."""

    watch: Watch
    events: Counted
    listings: PostgresListings
    hammer: Hammer
    ages_s: list[float]

    @asynccontextmanager
    async def looking(self) -> AsyncIterator[None]:
        """As the process does."""
        stop = asyncio.Event()
        running = asyncio.create_task(self.watch.run(stop))
        try:
            yield
        finally:
            stop.set()
            await running

    async def begin(self, auction_id: AuctionId, told: int | None = None) -> Watching:
        watching = await self.may_begin(auction_id, told)
        assert watching is not None
        return watching

    async def may_begin(self, auction_id: AuctionId, told: int | None = None) -> Watching | None:
        seen = await self.listings.one(TENANT, auction_id)
        assert seen is not None
        return self.watch.begin(seen.auction, told)


async def listen(watching: Watching, until: Callable[[list[str]], bool] = lambda _: False) -> list[str]:
    """What is told to its end, or until it is enough."""
    woken = asyncio.Event()
    lines = ["state"] if watching.begins_anew else []
    async with asyncio.timeout(slow(20)):
        with watching.woken(woken.set):
            while not (watching.is_over or until(lines)):
                woken.clear()
                if news := await watching.next():
                    lines += news.decode().splitlines()
                else:
                    await woken.wait()
    return lines
