"""Money of a wallet that is set aside for others: OPEN → CAPTURED or RELEASED, once and for good."""

from datetime import datetime
from enum import StrEnum
from typing import Final, NamedTuple
from uuid import UUID

from app.contexts.funds.domain.ids import HoldId
from app.contexts.funds.domain.refusals import CaptureTooLarge, HoldClosed, TooManyChanges
from app.kernel.ids import UserId
from app.kernel.money import Currency, Money
from app.kernel.principal import TenantId

MOST_VERSIONS: Final = 2**15 - 1
"""The last of a hold's versions can only be its end, for which there has to be a place: events are numbered so far."""


class HoldStatus(StrEnum):
    """Where a hold stands. All but OPEN are final."""

    OPEN = "OPEN"
    CAPTURED = "CAPTURED"
    RELEASED = "RELEASED"


class HoldRef(NamedTuple):
    """What identifies a hold: whose it is, and of which of the user's wallets."""

    owner: UserId
    currency: Currency
    id: HoldId


class Hold(NamedTuple):
    """A hold. Amounts in minor units; times are the database's, in UTC.

    Open it holds `amount`; closed it holds nothing, and captured and released are the amount. Its version counts what
    happened to it, from 1 on: it is the sequence of its events.
    """

    id: HoldId
    owner: UserId
    tenant_id: TenantId
    context: str
    business_id: UUID
    money: Money
    created_at: datetime
    expires_at: datetime | None = None
    captured_minor: int = 0
    released_minor: int = 0
    status: HoldStatus = HoldStatus.OPEN
    version: int = 1
    capture_fingerprint: bytes | None = None
    """Of the parts that it was captured in."""
    closed_at: datetime | None = None

    @property
    def ref(self) -> HoldRef:
        """What identifies it."""
        return HoldRef(self.owner, self.money.currency, self.id)

    @property
    def held_minor(self) -> int:
        """What it still holds."""
        return self.money.amount_minor if self.status is HoldStatus.OPEN else 0

    def is_over(self, now: datetime) -> bool:
        """Whether its time has come. From then on it can only be released."""
        return self.expires_at is not None and self.expires_at <= now

    def resize(self, amount_minor: int, now: datetime) -> "Hold":
        """The hold with another amount.

        Raises:
            HoldClosed: it is not open any more.
            TooManyChanges: only its end is left for it.
            ValueError: the amount is no amount of money.
        """
        self._see_that_it_is_open(now)
        if self.version + 1 >= MOST_VERSIONS:
            raise TooManyChanges
        return self._replace(money=Money(amount_minor, self.money.currency), version=self.version + 1)

    def capture(self, amount_minor: int, fingerprint: bytes, now: datetime) -> "Hold":
        """The hold, closed: so much of it goes to others, the rest is released.

        Raises:
            HoldClosed: it is not open any more.
            CaptureTooLarge: it holds less.
        """
        self._see_that_it_is_open(now)
        if amount_minor > self.money.amount_minor:
            raise CaptureTooLarge(self.money.amount_minor, amount_minor)
        return self._closed(HoldStatus.CAPTURED, amount_minor, now, fingerprint)

    def release(self, now: datetime) -> "Hold":
        """The hold, closed: all of it is the wallet's again.

        Raises:
            HoldClosed: it is closed already.
        """
        if self.status is not HoldStatus.OPEN:
            raise HoldClosed
        return self._closed(HoldStatus.RELEASED, 0, now)

    def _see_that_it_is_open(self, now: datetime) -> None:
        if self.status is not HoldStatus.OPEN or self.is_over(now):
            raise HoldClosed

    def _closed(
        self, status: HoldStatus, captured_minor: int, now: datetime, fingerprint: bytes | None = None
    ) -> "Hold":
        return self._replace(
            status=status,
            captured_minor=captured_minor,
            released_minor=self.money.amount_minor - captured_minor,
            version=self.version + 1,
            capture_fingerprint=fingerprint,
            closed_at=max(now, self.created_at),  # the clock may have gone back
        )
