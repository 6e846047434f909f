"""A process in which auctions are watched, over what is committed in a real database."""

import asyncio
import math
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from uuid import uuid4

from app.contexts.auctions.adapters.postgres.live_events import PostgresLiveEvents
from app.contexts.auctions.application.browse import Seen
from app.contexts.auctions.application.live_events import Happened, Place
from app.contexts.auctions.application.watch import Watch, Watching
from app.contexts.auctions.domain.ids import AuctionId
from app.kernel.principal import TenantId
from tests.auctions.hammer import Hammer
from tests.pace import slow

TENANT, ANOTHER = TenantId(uuid4()), TenantId(uuid4())


@dataclass
class Counted:
    """What has happened, with the looks counted that are taken at it."""

    events: PostgresLiveEvents
    looks: list[Collection[Place]] = field(default_factory=list)

    async def standing(self, tenant_id: TenantId, auctions: Collection[AuctionId]) -> Mapping[AuctionId, Seen]:
        return await self.events.standing(tenant_id, auctions)

    async def after(
        self, tenant_id: TenantId, places: Collection[Place], most: int
    ) -> Mapping[Place, Sequence[Happened]]:
        self.looks.append([*places])
        return await self.events.after(tenant_id, places, most)


def told(word: str, number: int, document: bytes) -> bytes:
    assert document.startswith(b'{"auction_id":')
    return f"{number} {word}\n".encode()


@dataclass
class Room:
    """A process in which auctions are watched, and who writes them."""

    watch: Watch
    events: Counted
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
        return self.watch.begin((await self.watch.standing(TENANT, auction_id)).auction, told)


async def listen(watching: Watching, enough: float = math.inf) -> list[str]:
    """What is told to its end, or until it is so much."""
    woken = asyncio.Event()
    lines = ["state"] if watching.begins_anew else []
    async with asyncio.timeout(slow(60)):
        with watching.woken(woken.set):
            while not watching.is_over and len(lines) < enough:
                woken.clear()
                if news := await watching.next():
                    lines += news.decode().splitlines()
                    await asyncio.sleep(0)  # a time-out has to have its turn, whatever is told
                else:
                    await woken.wait()
    return lines
