"""The contexts of this house: THE list. Everything else goes over it."""

from collections.abc import Mapping
from typing import Any

from app.contexts.auctions.context import AUCTIONS
from app.contexts.catalog.context import CATALOG
from app.contexts.chain.context import CHAIN
from app.contexts.funds.context import FUNDS
from app.contexts.identity.context import IDENTITY
from app.contexts.mint.context import MINT
from app.contexts.ordering.context import ORDERING
from app.contexts.payments.context import PAYMENTS
from app.contexts.reconciliation.context import RECONCILIATION
from app.contexts.rewards.context import REWARDS
from app.contexts.webhooks.context import WEBHOOKS
from app.platform.context import Context
from app.platform.process import loading
from app.platform.process.settings import Settings

CONTEXTS: tuple[Context[Any], ...] = (
    IDENTITY,
    FUNDS,
    PAYMENTS,
    RECONCILIATION,
    CATALOG,
    ORDERING,
    AUCTIONS,
    CHAIN,
    REWARDS,
    MINT,
    WEBHOOKS,
)


def of(settings: Settings) -> list[Context[Any]]:
    """Those that are switched on."""
    return [context for context in CONTEXTS if context.name in settings.sections]


def load(environ: Mapping[str, str] | None = None, found: Mapping[str, str] | None = None) -> Settings:
    """The settings of this house; see `loading.load`."""
    return loading.load(CONTEXTS, environ, found)
