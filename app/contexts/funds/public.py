"""All that other contexts may know of funds.

Payments move a wallet's money inside their own transaction: they make transactions of the wallets that they lock, and
write them, by the statements of `part`. Everybody else asks `Funds`.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Final, Protocol

from app.contexts.funds.domain.hold import HoldRef
from app.contexts.funds.domain.ids import HoldId, TransactionId
from app.contexts.funds.domain.ledger import Transaction
from app.contexts.funds.domain.operation import Credit, Member, Part, Placement, Resize, Transfer
from app.contexts.funds.domain.outcome import Closed, Done, Forbidden, Outcome, Refused
from app.contexts.funds.domain.refusals import (
    BalanceLimit,
    HoldClosed,
    InsufficientFunds,
    TooManyChanges,
    UserNotFound,
    WalletNotFound,
)
from app.contexts.funds.domain.wallet import Wallet, WalletId
from app.kernel.ids import UserId
from app.kernel.moments import Moment
from app.kernel.money import Money
from app.kernel.operation_id import OperationId
from app.kernel.principal import TenantId
from app.kernel.topology import Exchange, Queue

OF_FUNDS: Final = ("transfer", "hold")
"""The first words of the types of their own events."""

EVENTS: Final = Exchange(
    "payments.events",
    (
        Queue("metrics.queue", "metrics.dlq", ("payment.*",)),
        Queue("audit.queue", "audit.dlq", ("payment.*", "refund.*", *(f"{word}.*" for word in OF_FUNDS))),
    ),
)
"""Where whatever moves money publishes its events, payments among them, and which queues have to have them."""


class Funds(Protocol):
    """What funds do for other contexts: each call is a transaction, together with others that come at once.

    An operation happens once: `OperationId` says which it is, and the same again has the same outcome. A user without a
    wallet in a currency has nothing of it; who is given money gets a wallet. After `Unavailable`, which every call may
    raise, nobody knows whether it happened: the same again tells, or `forbid`.

    An operation may be refused with InsufficientFunds, BalanceLimit (of whoever is given something), HoldClosed,
    HoldNotFound or TooManyChanges (a resize: a hold has 32,766 versions beside its end), ForbiddenOperation,
    OperationReused (it was asked for before with another content).
    """

    async def transfer(
        self, operation: OperationId, tenant_id: TenantId, sender: UserId, recipient: UserId, money: Money
    ) -> Outcome:
        """Move money from one user to another."""
        ...

    async def hold(
        self, operation: OperationId, tenant_id: TenantId, owner: UserId, money: Money, expires_at: datetime | None
    ) -> Outcome:
        """Set money aside. From `expires_at` on it can no longer be captured, and is released."""
        ...

    async def resize(self, operation: OperationId, hold: HoldRef, amount_minor: int) -> Outcome:
        """Let an open hold be of another amount."""
        ...

    async def credit(self, operation: OperationId, tenant_id: TenantId, recipient: UserId, money: Money) -> Outcome:
        """Pay money in from outside."""
        ...

    async def together(self, operation: OperationId, members: Sequence[Member]) -> Outcome:
        """Do all of this or none of it. All members are about the money of one user.

        Raises:
            ValueError: they are not.
        """
        ...

    async def forbid(self, operation: OperationId) -> Done | Refused | Forbidden:
        """See to it that the operation never happens, unless it has: then, as ever, its outcome. One that is under way
        is waited for.
        """
        ...

    async def capture(self, hold: HoldRef, parts: Sequence[Part]) -> Closed | Refused:
        """Give what is set aside to others, once; what is left is released. The same again answers the same.

        It may be refused with HoldClosed (released, captured in other parts, or its time is over), HoldNotFound,
        CaptureTooLarge, or BalanceLimit: a beneficiary has no room, and the hold stays open.

        Raises:
            ValueError: no part, a part of nothing, two parts of one user, or one of the hold's owner.
        """
        ...

    async def release(self, hold: HoldRef) -> Closed | Refused:
        """Let the wallet have back all that is set aside. One that was released already is no refusal, HoldClosed and
        HoldNotFound are.
        """
        ...


class HoldStories(Protocol):
    """What became of holds, for whoever tells operators of the business that they are for."""

    async def moments_of(self, hold_id: HoldId) -> Sequence[Moment]:
        """All that is known of a hold, the oldest first; nothing, where there is no such hold.

        Raises:
            Unavailable: the books are out of reach.
        """
        ...


__all__ = [
    "EVENTS", "OF_FUNDS", "BalanceLimit", "Closed", "Credit", "Done", "Forbidden", "Funds", "HoldClosed", "HoldId",
    "HoldRef", "HoldStories", "InsufficientFunds", "Member", "Outcome", "Part", "Placement", "Refused", "Resize",
    "TooManyChanges", "Transaction", "TransactionId", "Transfer", "UserNotFound", "Wallet", "WalletId",
    "WalletNotFound",
]  # fmt: skip
