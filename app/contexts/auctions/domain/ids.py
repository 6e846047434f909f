"""What is identified of auctions."""

from typing import NewType
from uuid import UUID

AuctionId = NewType("AuctionId", UUID)
BidId = NewType("BidId", UUID)
