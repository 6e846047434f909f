"""What runs of identity beside the API's operations."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Final

import structlog

from app.contexts.identity.adapters.jwt.key_set import check_keys
from app.contexts.identity.adapters.postgres.leftovers import PostgresLeftovers
from app.contexts.identity.application.known_tenants import KnownTenants
from app.contexts.identity.container import IdentityContainer
from app.contexts.identity.settings import IdentitySettings
from app.platform.metrics.gauges import Look
from app.platform.process.rounds import Rounds
from app.platform.process.waiting import pause

PURGE_EVERY_S: Final = 5.0

_log = structlog.get_logger(__name__)


def serving(container: IdentityContainer) -> AbstractAsyncContextManager[Sequence[Look]]:
    """People are let in meanwhile, and what has had its time goes."""
    settings: IdentitySettings = container.settings()
    leftovers, tenants = container.leftovers(), container.known_tenants()

    @asynccontextmanager
    async def served() -> AsyncIterator[Sequence[Look]]:
        check_keys(container.ring())
        if not settings.cookie_secure:
            _log.warning("cookies_without_tls", setting="COOKIE_SECURE", meant_for="one's own machine")
        stop = asyncio.Event()
        purging = asyncio.create_task(_purge(leftovers, tenants, settings.refresh_grace_s, stop))
        try:
            yield ()
        finally:
            stop.set()
            await purging

    return served()


async def _purge(leftovers: PostgresLeftovers, tenants: KnownTenants, grace_s: float, stop: asyncio.Event) -> None:
    """Remove what has had its time, tenant by tenant, every few seconds."""
    rounds = Rounds("purge of log-ins")
    while not stop.is_set():
        with rounds.survived():
            for tenant in await tenants.all():
                while not stop.is_set() and await leftovers.purge(tenant.id, grace_s):
                    pass
        await pause(rounds.wait_s(PURGE_EVERY_S), stop)
