"""Parameters of requests about auctions."""

from uuid import UUID

from app.contexts.auctions.adapters.http.examples import AUCTION as EXAMPLE
from app.contexts.auctions.adapters.http.examples import SELLER as SOMEBODY
from app.contexts.auctions.application.browse import Sort
from app.contexts.auctions.domain.auction import Status
from app.contexts.auctions.domain.ids import AuctionId
from app.kernel.ids import UserId
from app.kernel.writing import MOST_OF_A_SLUG, SLUG_PATTERN, SLUG_RULE, slug
from app.platform.http.errors import validation
from app.platform.http.operations import Parameter
from app.platform.http.parameters import read_uuid


def _read_status(text: str | None) -> Status | None:
    try:
        return None if text is None else Status(text)
    except ValueError:
        raise validation({"status": f"must be one of {', '.join(Status)}"}) from None


def _read_sort(text: str | None) -> Sort:
    try:
        return Sort.ENDING if text is None else Sort(text)
    except ValueError:
        raise validation({"sort": f"must be one of {', '.join(Sort)}"}) from None


def _read_category(text: str | None) -> str | None:
    if text is not None and slug(text) is None:
        raise validation({"category": SLUG_RULE})
    return text


def _read_seller(text: str | None) -> UserId | None:
    return None if text is None else UserId(read_uuid("seller", text))


def _read_auction(text: str) -> AuctionId:
    return AuctionId(UUID(int=read_uuid("id", text).int))


AUCTION: Parameter[AuctionId] = Parameter(
    name="id",
    key="auction",
    where="path",
    read=_read_auction,
    required=True,
    description="The auction, in any spelling of a UUID.",
    schema={"type": "string", "format": "uuid"},
    example=EXAMPLE,
)
STATUS: Parameter[Status | None] = Parameter(
    name="status",
    key="auctions_status",
    where="query",
    read=_read_status,
    description="Only those that stand there.",
    schema={"type": "string", "enum": [status.value for status in Status]},
    example="live",
)
CATEGORY: Parameter[str | None] = Parameter(
    name="category",
    key="auctions_category",
    where="query",
    read=_read_category,
    description="Only those whose product was, when they were opened, in the category with this slug, or in one below.",
    schema={"type": "string", "pattern": SLUG_PATTERN, "maxLength": MOST_OF_A_SLUG},
    example="lamps",
)
SELLER: Parameter[UserId | None] = Parameter(
    name="seller",
    key="auctions_seller",
    where="query",
    read=_read_seller,
    description="Only those of this user.",
    schema={"type": "string", "format": "uuid"},
    example=SOMEBODY,
)
SORT: Parameter[Sort] = Parameter(
    name="sort",
    key="auctions_sort",
    where="query",
    read=_read_sort,
    description="By when they end, the next one first; or those first that were opened last.",
    schema={"type": "string", "enum": [sort.value for sort in Sort], "default": Sort.ENDING.value},
    example="ending",
)
