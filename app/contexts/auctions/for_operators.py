"""What operators do with auctions from the command line: look."""

from uuid import UUID

from app.contexts.auctions.application.browse import Filters, Seen, Wanted
from app.contexts.auctions.application.tell_auction import AuctionStory
from app.contexts.auctions.container import AuctionsContainer
from app.contexts.auctions.domain.auction import Status
from app.contexts.auctions.domain.ids import AuctionId
from app.platform.postgres.operator import with_pools
from app.platform.process.commands import Rooms


async def auctions_of(rooms: Rooms, tenant: str, status: Status | None, limit: int) -> list[Seen]:
    """Up to so many auctions of the tenant of that name, by when they end.

    Raises:
        TenantUnknown: there is none.
        Unavailable: the auctions, or the tenants, are out of reach.
        MigrationError: the schema is behind.
    """
    container: AuctionsContainer = rooms.container("auctions")
    tenants, listings = container.tenants(), container.listings()

    async def listed() -> list[Seen]:
        wanted = Wanted(filters=Filters(status), limit=limit - 1)  # a page is asked for with one more
        return [*await listings.page((await tenants.called(tenant)).tenant_id, wanted)]

    return await with_pools(rooms.pools, container.database().url, listed)


async def story_of(rooms: Rooms, tenant: str, auction_id: UUID) -> AuctionStory:
    """The story of an auction of the tenant of that name.

    Raises:
        TenantUnknown, AuctionUnknown: there is none.
        Unavailable: the auctions, or the tenants, are out of reach.
        MigrationError: the schema is behind.
    """
    container: AuctionsContainer = rooms.container("auctions")
    tenants, tell = container.tenants(), container.tell_auction()

    async def told() -> AuctionStory:
        return await tell((await tenants.called(tenant)).tenant_id, AuctionId(auction_id))

    return await with_pools(rooms.pools, container.database().url, told)
