"""What all routes of the console share."""

from dataclasses import dataclass

from app.platform.console.pages import Pages
from app.platform.console.services import ConsoleOptions, ConsoleServices
from app.platform.console.sessions import Operators, Sessions
from app.platform.console.watch import Watch
from app.platform.console.work import Workbench


@dataclass(frozen=True, slots=True)
class Desk:
    """One of each, in a process."""

    services: ConsoleServices
    options: ConsoleOptions
    operators: Operators
    sessions: Sessions
    watch: Watch
    work: Workbench
    pages: Pages

    @property
    def secure(self) -> bool:
        """Whether browsers reach the console by https."""
        return self.options.url.startswith("https://")

    @property
    def cookie(self) -> str:
        """The name of the session's cookie. The prefix has browsers refuse it from anyone but this host, by https."""
        return "__Host-strongbox" if self.secure else "strongbox"


def make_desk(services: ConsoleServices, options: ConsoleOptions, work: Workbench, pages: Pages) -> Desk:
    """The desk of this process."""
    return Desk(services, options, Operators(options.operators), Sessions(), Watch(services.look), work, pages)
