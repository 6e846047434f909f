"""What the console is made of: pages of the shell's own, and those that contexts bring."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from litestar.handlers import HTTPRouteHandler

from app.platform.console.desk import Desk

HOME = "/"

Knows = Callable[[UUID], Awaitable[str | None]]
"""The path of the page of what goes by an id; None where nothing does. May raise Unavailable."""
KnowsHex = Callable[[str], Awaitable[str | None]]
"""The same, of what goes by an address or by the hash of a transaction: `0x` and lower-case hexadecimal digits."""


@dataclass(frozen=True, slots=True)
class Page:
    """A page with what can be done on it, or several that belong together.

    `handlers` are made once, with the desk that all pages share. `title` and `path` are its line of the menu, with a
    `place` there: the smaller, the further to the front; without a title it has none. `templates` is the folder of its
    templates, whose names are unique in the console. `not_found` are errors that say, to people, what is not there.
    The search asks what it `knows`, by ids and in hexadecimal digits, in the order of the contexts.
    """

    handlers: Callable[[Desk], Sequence[HTTPRouteHandler]]
    path: str = ""
    title: str | None = None
    place: int = 0
    templates: Path | None = None
    not_found: tuple[type[Exception], ...] = ()
    knows: Knows | None = None
    knows_hex: KnowsHex | None = None


def menu_of(pages: Sequence[Page]) -> Sequence[tuple[str, str]]:
    """The lines of the menu: path and title."""
    titled = sorted((page for page in pages if page.title), key=lambda page: page.place)
    return [(page.path, page.title or "") for page in titled]
