"""What events of cashback carry."""

from typing import Final, Literal
from uuid import UUID

from msgspec import Struct

CASHBACK_SCHEMA: Final = "urn:strongbox:schema:cashback:1"
MINT_SCHEMA: Final = "urn:strongbox:schema:mint-request:1"


class CashbackData(Struct, frozen=True):
    """What was earned, or taken back for a refund. `amount` is whole base units."""

    entry_id: UUID
    user_id: UUID
    amount: str
    rule_id: UUID
    merchant: str
    reference: str
    source: Literal["purchase", "payment", "order"]
    refund_id: UUID | None


class MintData(Struct, frozen=True):
    """What is to be minted to which address. `amount` is whole base units."""

    request_id: UUID
    entry_id: UUID
    user_id: UUID
    address: str
    amount: str
