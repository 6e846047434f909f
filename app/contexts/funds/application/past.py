"""What wallets held at a time, from their entries: the same whenever it is asked for."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import NamedTuple

from app.contexts.funds.domain.refusals import TimeToCome, WalletNotFound
from app.kernel.ids import UserId
from app.kernel.money import Currency


class Question(NamedTuple):
    """What a wallet held just before each of the times. What was set aside has to be added up, and is where it is
    wanted."""

    user_id: UserId
    currency: Currency
    times: tuple[datetime, ...]
    wants_held: bool = False


class Stood(NamedTuple):
    """A wallet as it was: what could be spent, and what was set aside (0 where nobody wants it), in minor units.

    `version` counts the movements of the balance until then.
    """

    version: int
    balance_minor: int
    held_minor: int


class Told(NamedTuple):
    """An answer: how the wallet stood at each time. `now` is the database's clock, behind all that was under way."""

    now: datetime
    stood: tuple[Stood, ...]


LookBack = Callable[[Question, float], Awaitable[Told | WalletNotFound]]
"""Answers in a batch, begun by a time of the event loop or not at all.

Whoever moves a wallet reads the clock once it has the wallet locked, and no time before the wallet's last; whoever
looks back shares that lock first. So nothing that is still to come is told as of a time that was answered for.
"""


async def stood_at(look_back: LookBack, question: Question, until: float) -> tuple[Stood, ...]:
    """How the wallet stood at the times of the question.

    Raises:
        WalletNotFound: the user has none in that currency.
        TimeToCome: one of the times has not come yet.
        Unavailable: it cannot be known now.
    """
    told = await look_back(question, until)
    if isinstance(told, WalletNotFound):
        raise told
    if max(question.times) > told.now:
        raise TimeToCome
    return told.stood
