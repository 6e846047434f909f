"""Wallets and payments for servers that hold an API key, whoever's the wallet is."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from msgspec import Struct

from strongbox_client.operation import Resource, W, listing, operation
from strongbox_client.operations.payments import Approved, Declined
from strongbox_client.signature import Key
from strongbox_client.values import Vocabulary


class TransactionKind(Vocabulary):
    """What a movement is of."""

    FUNDING = "FUNDING"
    PAYMENT = "PAYMENT"
    REFUND = "REFUND"
    MERCHANT_REFUND = "MERCHANT_REFUND"
    TRANSFER_OUT = "TRANSFER_OUT"
    TRANSFER_IN = "TRANSFER_IN"
    FEE = "FEE"
    HOLD = "HOLD"
    RELEASE = "RELEASE"
    CAPTURE_OUT = "CAPTURE_OUT"
    CAPTURE_IN = "CAPTURE_IN"


class Balance(Struct, frozen=True):
    """What a wallet holds, in minor units."""

    currency: str
    current_balance: int
    updated_at: datetime


class Balances(Struct, frozen=True):
    """A user's wallets, by currency."""

    user_id: UUID
    balances: list[Balance]


class Transaction(Struct, frozen=True, kw_only=True):
    """A movement of a wallet."""

    transaction_id: UUID
    kind: TransactionKind
    direction: Literal["DEBIT", "CREDIT"]
    amount: int
    currency: str
    status: Literal["PENDING", "APPROVED", "DECLINED", "FAILED", "COMPLETED"]
    balance_after: int | None
    payment_id: UUID | None
    provider_id: UUID | None
    external_reference: str | None
    created_at: datetime


class Wallets(Resource[W]):
    """Any user's wallet, by API key."""

    @operation("POST", "/wallets/{user_id}/payments")
    def pay(
        self,
        user_id: UUID | str,
        *,
        provider_id: UUID | str,
        external_reference: str,
        amount: int,
        currency: str,
        key: Key = None,
    ) -> Approved | Declined:
        """Pay a provider out of the wallet, once.

        Raises:
            InsufficientFunds: the wallet does not hold as much.
            GatewayError, GatewayTimeout: it failed, and the money is back.
            OutcomeUnknown: not known by the deadline; the same key tells.
        """

    @operation("GET", "/wallets/{user_id}/balance")
    def balance(self, user_id: UUID | str, *, currency: str | None = None) -> Balances:
        """What the user holds."""

    @listing("/wallets/{user_id}/transactions", "transactions")
    def transactions(
        self, user_id: UUID | str, *, currency: str | None = None, limit: int | None = None, cursor: str | None = None
    ) -> Transaction:
        """The user's movements, the newest first."""
