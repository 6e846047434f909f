"""The pages and what they can do, a module for each."""

from collections.abc import Sequence

from litestar.handlers import HTTPRouteHandler

from app.adapters.console.desk import Desk
from app.adapters.console.routes.access import access
from app.adapters.console.routes.actions import actions
from app.adapters.console.routes.dead_letters import dead_letters
from app.adapters.console.routes.gateway import gateway
from app.adapters.console.routes.mending import mending
from app.adapters.console.routes.overview import overview
from app.adapters.console.routes.payments import payments
from app.adapters.console.routes.replay import replay
from app.adapters.console.routes.static import static
from app.adapters.console.routes.wallets import wallets


def handlers(desk: Desk) -> Sequence[HTTPRouteHandler]:
    """All handlers."""
    groups = (access, actions, dead_letters, gateway, mending, overview, payments, replay, static, wallets)
    return [handler for group in groups for handler in group(desk)]
