"""What auctions bring into the house."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from app.contexts.auctions.adapters.postgres.tables import AUCTIONS as TABLES
from app.contexts.auctions.settings import AuctionsSettings
from app.contexts.catalog.public import EVENTS
from app.kernel.topology import Publication
from app.platform.context import Context

if TYPE_CHECKING:
    from app.contexts.auctions.container import AuctionsContainer
    from app.platform.postgres.database import Database
    from app.platform.process.wiring import Platform


def _container(platform: "Platform", database: "Database", around: Mapping[str, Any]) -> "AuctionsContainer":
    from app.contexts.auctions.container import make

    return make(platform, database, around)


AUCTIONS = Context["AuctionsContainer"](
    name="auctions",
    needs=("funds", "catalog", "ordering"),
    settings=AuctionsSettings,
    tables=TABLES,
    container=_container,
    publication=Publication("auctions", EVENTS),
)
