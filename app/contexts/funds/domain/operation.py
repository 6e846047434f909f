"""Operations: what other contexts ask of funds, each of which happens once, or never will."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from itertools import chain

from app.contexts.funds.domain.hold import HoldRef
from app.kernel.ids import UserId
from app.kernel.money import Money
from app.kernel.operation_id import OperationId
from app.kernel.principal import TenantId


@dataclass(frozen=True, slots=True)
class Transfer:
    """Money from one user to another.

    Raises:
        ValueError: it goes to its sender.
    """

    tenant_id: TenantId
    sender: UserId
    recipient: UserId
    money: Money

    def __post_init__(self) -> None:
        if self.sender == self.recipient:
            raise ValueError("nobody sends money to himself")

    @property
    def owner(self) -> UserId:
        """Whose money it is about."""
        return self.sender

    @property
    def content(self) -> tuple[object, ...]:
        """All that makes it another one."""
        money = self.money
        return "transfer", self.tenant_id, self.sender, self.recipient, money.amount_minor, money.currency


@dataclass(frozen=True, slots=True)
class Placement:
    """Money of a user's to be set aside; without an end whoever asked has to see to it."""

    tenant_id: TenantId
    owner: UserId
    money: Money
    expires_at: datetime | None = None

    @property
    def content(self) -> tuple[object, ...]:
        """All that makes it another one."""
        end = None if self.expires_at is None else self.expires_at.astimezone(UTC).isoformat()
        return "hold", self.tenant_id, self.owner, self.money.amount_minor, self.money.currency, end


@dataclass(frozen=True, slots=True)
class Resize:
    """An open hold to be of another amount, in minor units.

    Raises:
        ValueError: it is no amount of money.
    """

    hold: HoldRef
    amount_minor: int

    def __post_init__(self) -> None:
        Money(self.amount_minor, self.hold.currency)

    @property
    def owner(self) -> UserId:
        """Whose money it is about."""
        return self.hold.owner

    @property
    def content(self) -> tuple[object, ...]:
        """All that makes it another one."""
        return "resize", self.hold.owner, self.hold.currency, self.hold.id, self.amount_minor


@dataclass(frozen=True, slots=True)
class Credit:
    """Money from outside into a user's wallet."""

    tenant_id: TenantId
    recipient: UserId
    money: Money

    @property
    def owner(self) -> UserId:
        """Whose money it is about."""
        return self.recipient

    @property
    def content(self) -> tuple[object, ...]:
        """All that makes it another one."""
        return "credit", self.tenant_id, self.recipient, self.money.amount_minor, self.money.currency


Member = Transfer | Placement | Resize | Credit


@dataclass(frozen=True, slots=True)
class Operation:
    """What is to happen once: its members all, or none.

    Raises:
        ValueError: it has no members, or they are several users'.
    """

    id: OperationId
    members: tuple[Member, ...]

    def __post_init__(self) -> None:
        if len({member.owner for member in self.members}) != 1:
            raise ValueError("an operation is about the money of one user")

    @property
    def owner(self) -> UserId:
        """Whose money it is about."""
        return self.members[0].owner

    @property
    def fingerprint(self) -> bytes:
        """Another one for another content."""
        return fingerprint([member.content for member in self.members])


@dataclass(frozen=True, slots=True)
class Part:
    """Who gets how much of a captured hold, in minor units. What is a fee goes to the house."""

    beneficiary: UserId
    amount_minor: int
    is_fee: bool = False


def fingerprint_of_parts(parts: Sequence[Part]) -> bytes:
    """The same for the same parts, in whatever order."""
    return fingerprint(sorted((str(part.beneficiary), part.amount_minor, part.is_fee) for part in parts))


def fingerprint(contents: Sequence[tuple[object, ...]]) -> bytes:
    """A digest of words none of which has a line's end in it."""
    words = chain.from_iterable((*content, "") for content in contents)
    return sha256("\n".join(map(str, words)).encode()).digest()
