"""What all routes of the console share."""

from dataclasses import dataclass

from app.adapters.console.pages import Pages
from app.adapters.console.services import ConsoleOptions, ConsoleServices
from app.adapters.console.sessions import Operators, Sessions
from app.adapters.console.watch import Watch
from app.adapters.console.work import Work


@dataclass(frozen=True, slots=True)
class Desk:
    """One of each, in a process."""

    services: ConsoleServices
    options: ConsoleOptions
    operators: Operators
    sessions: Sessions
    watch: Watch
    work: Work
    pages: Pages

    @property
    def secure(self) -> bool:
        """Whether browsers reach the console by https."""
        return self.options.url.startswith("https://")

    @property
    def cookie(self) -> str:
        """The name of the session's cookie. The prefix has browsers refuse it from anyone but this host, by https."""
        return "__Host-strongbox" if self.secure else "strongbox"


def make_desk(services: ConsoleServices, options: ConsoleOptions) -> Desk:
    """The desk of this process."""
    work = Work()
    return Desk(services, options, Operators(options.operators), Sessions(), Watch(services), work, Pages(work))
