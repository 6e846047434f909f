"""What operators do with people, tenants and machines from the command line, and its record."""

from collections.abc import Awaitable, Callable, Mapping
from typing import TypeVar

from app.contexts.identity.container import IdentityContainer
from app.platform.postgres.operator import record_done, with_pool

T = TypeVar("T")


async def look(container: IdentityContainer, read: Callable[[], Awaitable[T]]) -> T:
    """What there is to see.

    Raises:
        Refusal: there is nothing of the kind.
        Unavailable, MigrationError: see `with_pool`.
    """
    return await with_pool(container.pool(), container.database().url, read)


async def do(
    container: IdentityContainer,
    action: str,
    work: Callable[[], Awaitable[T]],
    details: Callable[[T], Mapping[str, object]],
) -> T:
    """Do it, and record that it was done: `details` are of what came of it, and say nothing personal.

    Raises:
        Refusal: nothing was done.
        NotRecorded: it is done, and not in `audit.actions`.
        Unavailable, MigrationError: see `with_pool`.
    """
    done = await look(container, work)
    await record_done(container.platform.settings().consumers_url, action, details(done))
    return done
