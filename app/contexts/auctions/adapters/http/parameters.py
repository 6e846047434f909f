"""Parameters of requests about auctions."""

from app.contexts.auctions.domain.ids import AuctionId
from app.platform.http.operations import Parameter
from app.platform.http.parameters import read_uuid

AUCTION: Parameter[AuctionId] = Parameter(
    name="id",
    key="auction",
    where="path",
    read=lambda text: AuctionId(read_uuid("id", text)),
    required=True,
    description="The auction, in any spelling of a UUID.",
    schema={"type": "string", "format": "uuid"},
    example="0193a5b2-7c4e-7d1b-8a9f-607182930415",
)
