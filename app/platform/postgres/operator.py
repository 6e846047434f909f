"""What operators put into the books from the command line, and who they are to the record of it."""

import getpass
import os
from collections.abc import Awaitable, Callable, Mapping
from typing import TypeVar
from uuid import UUID

import psycopg
from psycopg_pool import PoolTimeout

from app.adapters.postgres.actions import PostgresActions
from app.adapters.postgres.errors import Fault, fault
from app.adapters.postgres.inspection import inspecting, why
from app.adapters.postgres.pool import lock_patience_ms
from app.adapters.postgres.providers import add
from app.application.actions import NotRecorded
from app.application.ports import Unavailable
from app.application.wallets.fund import Funded
from app.domain.ids import UserId
from app.domain.money import Currency, Money
from app.main.container import Container
from app.main.ids import uuid7
from app.main.migrations import MigrationError

T = TypeVar("T")

PATIENCE_MS = 4_000
"""How long a command waits for rows that payments keep busy."""

ASK_S = 5.0
"""How long it is asked why there is no connection."""

_MESSAGES = {
    Fault.BUSY: "someone else holds what is to be changed; try again",
    Fault.CONFLICT: "it met another change of the same; try again",
    Fault.LOST: "the connection was lost, and whether it was done is not known: look before you try again",
    Fault.AWAY: "the database cannot be reached",
}


async def with_books(container: Container, action: Callable[[Container], Awaitable[T]]) -> T:
    """Run the action with the books open.

    Raises:
        Unavailable: the database does not take it now; the message says whether it may have happened.
        MigrationError: the schema is behind.
    """
    pool = container.starting_pool()
    lock_patience_ms.set(PATIENCE_MS)
    try:
        await pool.open(wait=True, timeout=10.0)
        return await action(container)
    except (psycopg.errors.UndefinedTable, psycopg.errors.InsufficientPrivilege) as error:
        raise MigrationError(why(error)) from None
    except psycopg.errors.ReadOnlySqlTransaction as error:
        raise Unavailable("the database takes no writes: nothing was done") from error
    except (PoolTimeout, psycopg.Error) as error:
        if fault(error) is Fault.OTHER:
            raise
        if isinstance(error, PoolTimeout):
            await _say_why_there_is_none(container.settings().database_url)
        raise Unavailable(_MESSAGES[fault(error)]) from error
    finally:
        await pool.close()


async def _say_why_there_is_none(url: str) -> None:
    """A pool that has no connection does not say why: ask for one outside it."""
    async with inspecting(url, ASK_S):
        pass


async def add_provider(container: Container, name: str, provider_id: UUID | None) -> UUID:
    """Add an active provider; its id.

    Raises:
        ProviderExists: the id belongs to a provider of another name.
        NotRecorded: it is added, and not in `audit.actions`.
    """
    provider_id = provider_id or uuid7()
    if await add(container.starting_pool(), provider_id, name):
        await _record(container.settings().consumers_url, "provider add", {"id": str(provider_id), "name": name})
    return provider_id


async def fund_wallet(
    container: Container, user_id: UUID, currency: str, amount_minor: int, reference: str | None
) -> Funded:
    """Pay into a wallet. Amounts in minor units.

    Raises:
        Refusal: see `Fund`.
        NotRecorded: it is paid in, and not in `audit.actions`.
    """
    fund = container.fund()
    funded = await fund(UserId(user_id), Money(amount_minor, Currency(currency)), reference)
    if not funded.already:
        details = {"user_id": str(user_id), "currency": currency, "amount": amount_minor, "reference": reference}
        await _record(container.settings().consumers_url, "wallet fund", details)
    return funded


async def _record(url: str, action: str, details: Mapping[str, object]) -> None:
    try:
        await actions(url).record(action, details)
    except NotRecorded as error:
        raise NotRecorded(f"done, but {error}") from error


def actions(url: str) -> PostgresActions:
    """The record of what whoever runs this process does; it may be in another database than the books."""
    return PostgresActions(url, _operator())


def _operator() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a user id without a name, as in containers
        return f"uid {os.getuid()}"
