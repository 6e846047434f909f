"""The pages that the console has whatever contexts there are."""

from collections.abc import Sequence
from functools import partial
from typing import Final

from litestar import get
from litestar.handlers import HTTPRouteHandler
from litestar.types import ASGIApp

from app.platform.console.access import access, liveness
from app.platform.console.actions import actions
from app.platform.console.dead_letters import dead_letters
from app.platform.console.desk import Desk
from app.platform.console.job import job
from app.platform.console.mending import mending
from app.platform.console.page import HOME, Page
from app.platform.console.pages import redirect
from app.platform.console.replay import replay
from app.platform.console.search import search
from app.platform.console.static import static
from app.platform.messaging.dead_letters import DeadLetterNotFound

SHELL: Final = (
    Page(access),
    Page(liveness),
    Page(static),
    Page(dead_letters, "/dead-letters", "Dead letters", place=30, not_found=(DeadLetterNotFound,)),
    Page(mending),
    Page(replay, "/replay", "Replay", place=40),
    Page(job),
    Page(actions, "/actions", "Actions", place=60),
)


def with_shell(brought: Sequence[Page]) -> Sequence[Page]:
    """All pages of the console. Where nobody brings a start page, it leads to the first of the menu."""
    pages = (*brought, Page(partial(search, brought)), *SHELL)
    return pages if any(page.path == HOME for page in pages) else (*pages, Page(_home, HOME))


def _home(desk: Desk) -> Sequence[HTTPRouteHandler]:
    @get(HOME)
    async def home() -> ASGIApp:
        (path, _title), *_rest = desk.pages.menu
        return redirect(path)

    return [home]
