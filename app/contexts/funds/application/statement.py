"""A statement of a wallet: how it stood at a time, all that moved it until another, and how it stood then."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, NamedTuple, Protocol
from uuid import UUID

from app.contexts.funds.application.past import LookBack, Question, stood_at
from app.contexts.funds.application.wallet_reader import DEBITS, TransactionLine
from app.kernel.ids import UserId
from app.kernel.money import Currency

LINES_AT_A_TIME: Final = 500


class NotWhole(Exception):  # noqa: N818 -- it says what the statement would be
    """The lines do not lead from the opening balance to the closing one: what was begun is not to be ended."""


@dataclass(frozen=True, slots=True)
class OpenStatement:
    """A statement whose ends are known. Amounts in minor units.

    Its lines are the movements of the balance behind `first_version`, up to and with `last_version`.
    """

    user_id: UserId
    currency: Currency
    since: datetime
    until: datetime
    opening_minor: int
    closing_minor: int
    first_version: int
    last_version: int


class StatementLine(NamedTuple):
    """A `TransactionLine` that moved the balance. Its ids are texts: there may be millions of them."""

    transaction_id: str
    kind: str
    amount: int
    currency: str
    status: str
    balance_after: int
    payment_id: str | None
    provider_id: str | None
    external_reference: str | None
    created_at: datetime
    counterparty: str | None
    note: str | None
    business_id: str | None

    @property
    def is_debit(self) -> bool:
        """Whether the money went out of the wallet."""
        return self.kind in DEBITS

    def as_transaction(self) -> TransactionLine:
        """The same as pages of transactions have it."""
        return TransactionLine(
            UUID(self.transaction_id), self.kind, self.amount, self.currency, self.status, self.balance_after,
            _id(self.payment_id), _id(self.provider_id), self.external_reference, self.created_at,
            _id(self.counterparty), self.note, _id(self.business_id),
        )  # fmt: skip


def _id(text: str | None) -> UUID | None:
    return UUID(text) if text else None


class StatementLines(Protocol):
    """Reads the movements of a wallet's balance by their places in its history."""

    async def lines(self, user_id: UserId, currency: Currency, after: int, until: int) -> Sequence[StatementLine]:
        """Those behind the place `after`, up to and with `until`, oldest first; `LINES_AT_A_TIME` at the most.

        Raises:
            Unavailable: they cannot be read now.
        """
        ...

    async def largest_minor(self, user_id: UserId, currency: Currency, after: int, until: int) -> int:
        """The largest amount among them, in minor units; 0 where there is none.

        Raises:
            Unavailable: it cannot be known now.
        """
        ...


class Statements:
    """Makes statements. Nothing is held open for one while it is read."""

    def __init__(self, look_back: LookBack, lines: StatementLines) -> None:
        self._look_back = look_back
        self._lines = lines

    async def open(
        self, user_id: UserId, currency: Currency, since: datetime, until: datetime, by: float
    ) -> OpenStatement:
        """A statement over `since` ≤ time < `until`. `by` is a time of the event loop.

        Raises:
            WalletNotFound, TimeToCome, Unavailable: see `stood_at`.
        """
        opening, closing = await stood_at(self._look_back, Question(user_id, currency, (since, until)), by)
        return OpenStatement(
            user_id, currency, since, until, opening.balance_minor, closing.balance_minor, opening.version,
            closing.version,
        )  # fmt: skip

    async def largest_minor(self, statement: OpenStatement) -> int:
        """The largest amount that stands in it: of its ends, and of its lines.

        Raises:
            Unavailable: it cannot be known now.
        """
        among = statement.user_id, statement.currency, statement.first_version, statement.last_version
        return max(statement.opening_minor, statement.closing_minor, await self._lines.largest_minor(*among))

    async def pages(self, statement: OpenStatement) -> AsyncGenerator[Sequence[StatementLine], None]:
        """Its lines, oldest first. While one page is worked on the next one is read.

        Raises:
            NotWhole: a line does not follow from the one before.
            Unavailable: they cannot be read now.
        """
        balance_minor, at = statement.opening_minor, statement.first_version
        reading = asyncio.create_task(self._read(statement, at))
        try:
            while at < statement.last_version:
                lines = await reading
                at += len(lines)
                if lines and at < statement.last_version:
                    reading = asyncio.create_task(self._read(statement, at))
                balance_minor = _followed(lines, balance_minor)
                yield lines
            if balance_minor != statement.closing_minor:
                raise NotWhole
        finally:
            reading.cancel()

    async def _read(self, statement: OpenStatement, after: int) -> Sequence[StatementLine]:
        return await self._lines.lines(statement.user_id, statement.currency, after, statement.last_version)


def _followed(lines: Sequence[StatementLine], balance_minor: int) -> int:
    """The balance behind the lines, each of which has to follow from the one before. There has to be one."""
    if not lines:
        raise NotWhole
    for line in lines:
        balance_minor += -line.amount if line.kind in DEBITS else line.amount
        if line.balance_after != balance_minor:
            raise NotWhole
    return balance_minor
