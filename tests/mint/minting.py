"""Minting over a database and a chain in memory, and the events that ask for it."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID, uuid4

from dependency_injector import containers, providers

from app.contexts.chain.public import MintOrder
from app.contexts.mint.adapters.messaging.requested import Requested
from app.contexts.mint.container import MintContainer, make
from app.contexts.mint.processes import hearing
from app.main.contexts import load
from app.main.local.roles import Urls
from app.platform.metrics.batches import BatchMetrics
from app.platform.postgres.database import Database
from app.platform.process.wiring import Platform
from tests.mint.ledger import Ledger
from tests.platform.outbox_fixtures import query

TENANT = UUID("0190c7a0-0000-7000-8000-0000000000aa")
TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
ADDRESS = "0x" + "ab" * 20


@dataclass(frozen=True)
class Request:
    """What an event asks for."""

    request_id: UUID
    entry_id: UUID
    user_id: UUID
    address: str = ADDRESS
    amount: str = "1250000"

    def again(self) -> "Request":
        """The next request for the entry."""
        return replace(self, request_id=uuid4())

    def order(self, request_id: UUID) -> MintOrder:
        """What the chain is asked for, under another id."""
        return MintOrder(request_id, self.address, int(self.amount))

    def document(self, event_id: UUID | None = None, **data: object) -> bytes:
        """The event."""
        asked = {name: str(value) for name, value in vars(self).items()}
        return json.dumps(
            {
                "specversion": "1.0",
                "id": str(event_id or uuid4()),
                "source": "/strongbox",
                "type": "mint.requested",
                "subject": str(self.entry_id),
                "time": "2026-01-02T03:04:05.678901Z",
                "datacontenttype": "application/json",
                "sequence": 2,
                "traceparent": TRACE,
                "tenantid": str(TENANT),
                "data": asked | data,
            }
        ).encode()


def request(**what: Any) -> Request:
    """A request for an entry of somebody's."""
    return Request(uuid4(), uuid4(), uuid4(), **what)


class _Away(containers.DeclarativeContainer):
    chain: providers.Dependency[Ledger] = providers.Dependency()


class Minting:
    """A process with the consumer in it."""

    def __init__(self, database: Urls, ledger: Ledger, **settings: str) -> None:
        self.url = database.app_url
        self.ledger = ledger
        self.settings = load(
            {"DATABASE_URL": self.url, "MINT_BREAKER_RESET_S": "0.2", "CHAIN_GRPC_URL": "chain:1"} | settings
        )
        platform = Platform(settings=self.settings)
        pools = Database(self.url, BatchMetrics(platform.registry()))
        self.container: MintContainer = make(platform, pools, {"chain": _Away(chain=ledger)})

    async def hear(self, *documents: bytes) -> None:
        """Hear the documents as one batch, once."""
        await Requested(self.container.hear_and_ask())(documents)

    async def pursue(self) -> None:
        """Pursue whatever is open, due or not."""
        query(self.url, "UPDATE mint.mint_requests SET ask_after = now() WHERE ask_after IS NOT NULL")
        await self.container.pursue()()

    def rows(self, what: str = "status") -> list[Any]:
        """That of all requests, in the order of their coming."""
        return query(self.url, f"SELECT {what} FROM mint.mint_requests ORDER BY created_at, request_id")

    def told(self) -> list[dict[str, Any]]:
        """The events in the outbox, as documents."""
        found = query(self.url, "SELECT payload::text FROM mint.outbox_events ORDER BY id")
        return [json.loads(payload) for (payload,) in found]

    def heard(self) -> int:
        """How many events had their effect."""
        ((count,),) = query(self.url, "SELECT count(*) FROM mint.processed_events")
        return int(count)

    async def close(self) -> None:
        """Close what it has open."""
        for requests in (self.container.hearing_requests(), self.container.pursuing_requests()):
            await requests.close()


@asynccontextmanager
async def working(minting: Minting, *, in_process: bool = False) -> AsyncIterator[Any]:
    """The handler, with the pursuit at work beside it."""
    stop, found = asyncio.Event(), hearing(minting.container, in_process=in_process)
    async with found.around, asyncio.TaskGroup() as tasks:
        for work in found.works:
            tasks.create_task(work(stop))
        try:
            yield found.handle
        finally:
            stop.set()


def types(events: Sequence[dict[str, Any]]) -> list[str]:
    """Of which types they are."""
    return [event["type"] for event in events]
