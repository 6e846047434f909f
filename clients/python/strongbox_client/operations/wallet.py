"""One's own wallet: what is in it, sending, and paying in."""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal
from uuid import UUID

import msgspec
from msgspec import Struct

from strongbox_client.operation import Resource, W, listing, operation
from strongbox_client.operations.wallets import Transaction
from strongbox_client.signature import Key


class OwnBalance(Struct, frozen=True):
    """What can be spent of a wallet, and what is set aside."""

    currency: str
    current_balance: int
    held: int
    updated_at: datetime


class OwnWallet(Struct, frozen=True):
    """One's wallets, by currency."""

    user_id: UUID
    balances: list[OwnBalance]


class Transfer(Struct, frozen=True):
    """Money that went to somebody. `from_` is None where it came in from outside."""

    transfer_id: UUID
    from_: UUID | None = msgspec.field(name="from")
    to: UUID
    amount: int
    currency: str
    note: str | None
    status: Literal["COMPLETED"]
    created_at: datetime


class Counterparty(Struct, frozen=True):
    """Whom money came from, or went to."""

    user_id: UUID
    username: str | None


class OwnTransaction(Transaction, frozen=True, kw_only=True):
    """A movement of one's own money."""

    account: Literal["wallet", "held"]
    counterparty: Counterparty | None
    note: str | None
    business_id: UUID | None


class Hold(Struct, frozen=True):
    """Money that is set aside for a business."""

    hold_id: UUID
    context: str
    business_id: UUID
    amount: int
    captured: int
    released: int
    currency: str
    status: Literal["OPEN", "CAPTURED", "RELEASED"]
    created_at: datetime
    expires_at: datetime | None


class BalanceAt(Struct, frozen=True):
    """What stood in a wallet before an instant."""

    user_id: UUID
    currency: str
    at: datetime
    current_balance: int
    held: int


class Statement(Struct, frozen=True):
    """A wallet's lines from a time on up to another, the oldest first: opening and lines make closing."""

    user_id: UUID
    currency: str
    from_: datetime = msgspec.field(name="from")
    to: datetime
    opening: int
    lines: list[OwnTransaction]
    closing: int


class TransferOrder(Struct, frozen=True, omit_defaults=True):
    """A line of a bulk: how much goes to whom."""

    to: str
    amount: int
    currency: str
    note: str | None = None


class BulkLine(Struct, frozen=True):
    """What became of it; `error` is the code that it was refused with."""

    index: int
    transfer_id: UUID | None
    status: Literal["COMPLETED", "REFUSED"]
    error: str | None


class Bulk(Struct, frozen=True):
    """What became of a bulk."""

    bulk_id: UUID
    mode: Literal["all", "each"]
    completed: int
    refused: int
    transfers: list[BulkLine]


StatementFormat = Literal["csv", "camt.053"]


class Wallet(Resource[W]):
    """One's own wallet."""

    @operation("GET", "/v1/wallet")
    def get(self) -> OwnWallet:
        """What is in it."""

    @operation("POST", "/v1/wallet/send")
    def send(self, *, to: UUID | str, amount: int, currency: str, note: str | None = None, key: Key = None) -> Transfer:
        """Send money to another user, by id, username or wallet address.

        Raises:
            NotFound: there is no such user, or no wallet in that currency to send from.
            InsufficientFunds: the wallet does not hold as much.
            BalanceLimit: theirs has no room for it.
        """

    @operation("POST", "/v1/wallet/send/bulk")
    def send_bulk(
        self,
        *,
        transfers: Sequence[TransferOrder],
        mode: Literal["all", "each"],
        from_: UUID | str | None = None,
        key: Key = None,
    ) -> Bulk:
        """Send to many: all or nothing, or each as far as it goes. Machines with `transfers:write` name `from_`.

        Raises:
            BulkRefused: not all would be done, so none was.
        """

    @operation("POST", "/v1/wallet/receive")
    def receive(self, *, user_id: UUID | str, amount: int, currency: str, reference: str, key: Key = None) -> Transfer:
        """Pay in what came from outside, once a reference. For admins, and machines with `wallet:receive`.

        Raises:
            ReferenceReused: it paid in another amount.
            BalanceLimit: there is no room for it.
        """

    @listing("/v1/wallet/transactions", "transactions")
    def transactions(
        self, *, currency: str | None = None, limit: int | None = None, cursor: str | None = None
    ) -> OwnTransaction:
        """One's movements, the newest first."""

    @listing("/v1/wallet/holds", "holds")
    def holds(self, *, limit: int | None = None, cursor: str | None = None) -> Hold:
        """What is, or was, set aside, the newest first."""

    @operation("GET", "/v1/wallet/balance")
    def balance(self, *, currency: str, at: datetime) -> BalanceAt:
        """What stood before that instant, to the cent."""

    @operation("GET", "/v1/wallet/statement")
    def statement(self, *, currency: str, from_: datetime, to: datetime) -> Statement:
        """The lines from a time on up to another, which are not to come."""

    @operation("GET", "/v1/wallet/statement")
    def statement_file(self, *, currency: str, from_: datetime, to: datetime, format: StatementFormat) -> bytes:
        """The same as a file, for a spreadsheet or a bank's programs."""

    @operation("GET", "/v1/users/{user_id}/wallet/balance")
    def balance_of(self, user_id: UUID | str, *, currency: str, at: datetime) -> BalanceAt:
        """What stood in somebody's wallet. For admins, and machines with `finance:read`, as what follows."""

    @operation("GET", "/v1/users/{user_id}/wallet/statement")
    def statement_of(self, user_id: UUID | str, *, currency: str, from_: datetime, to: datetime) -> Statement:
        """Somebody's lines."""

    @operation("GET", "/v1/users/{user_id}/wallet/statement")
    def statement_file_of(
        self, user_id: UUID | str, *, currency: str, from_: datetime, to: datetime, format: StatementFormat
    ) -> bytes:
        """The same as a file."""
