"""What machines tell of purchases elsewhere, for cashback."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from msgspec import Struct

from strongbox_client.operation import Resource, W, operation
from strongbox_client.signature import Key
from strongbox_client.values import BaseUnits


class Earned(Struct, frozen=True):
    """What a purchase has earned, and where that stood when it was recorded."""

    entry_id: UUID
    amount: BaseUnits
    rule_id: UUID
    status: Literal["EARNED", "OFFSET", "MINTING"]


class Purchase(Struct, frozen=True):
    """A purchase; `cashback` is None where no rule gives anything."""

    purchase_id: UUID
    user_id: UUID
    merchant: str
    category: str | None
    external_reference: str
    amount: int
    currency: str
    cashback: Earned | None
    created_at: datetime


class PurchaseRefund(Struct, frozen=True):
    """What of a purchase was given back, and what of its cashback was `reversed` for that."""

    refund_id: UUID
    purchase_id: UUID
    user_id: UUID
    reference: str
    amount: int
    currency: str
    reversed: BaseUnits
    created_at: datetime


class Purchases(Resource[W]):
    """For machines with `purchases:write`."""

    @operation("POST", "/v1/purchases")
    def record(
        self,
        *,
        user_id: UUID | str,
        merchant: str,
        external_reference: str,
        amount: int,
        currency: str,
        category: str | None = None,
        key: Key = None,
    ) -> Purchase:
        """Tell what somebody has bought, once for each of a merchant's references.

        Raises:
            ReferenceReused: the reference is another purchase's.
        """

    @operation("POST", "/v1/purchases/{purchase_id}/refund")
    def refund(
        self, purchase_id: UUID | str, *, reference: str, amount: int | None = None, key: Key = None
    ) -> PurchaseRefund:
        """Tell what of it was given back, or that all that is left was.

        Raises:
            RefundTooLarge: less is left.
        """
