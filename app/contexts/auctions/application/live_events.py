"""What happens to auctions, for those who watch them."""

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple, Protocol

from app.contexts.auctions.application.browse import Seen
from app.contexts.auctions.domain.ids import AuctionId
from app.kernel.principal import TenantId


class Place(NamedTuple):
    """A place in what happens to an auction: the number of the event that was told last."""

    auction_id: AuctionId
    told: int


class Happened(NamedTuple):
    """An event of an auction. `document` is what is seen from then on, as JSON; `age_s` is from when it happened until
    it was read, both by the clock of the database."""

    event_id: int
    word: str
    document: bytes
    age_s: float


class LiveEvents(Protocol):
    """Auctions as they stand, and what has happened to them."""

    async def standing(self, tenant_id: TenantId, auctions: Collection[AuctionId]) -> Mapping[AuctionId, Seen]:
        """Those that the tenant has.

        Raises:
            Unavailable: it cannot be known now.
        """
        ...

    async def after(
        self, tenant_id: TenantId, places: Collection[Place], most: int
    ) -> Mapping[Place, Sequence[Happened]]:
        """What happened behind each place, where anything did, to auctions of the tenant: the first `most`, in order.

        Raises:
            Unavailable: it cannot be known now.
        """
        ...
