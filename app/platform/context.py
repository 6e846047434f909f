"""What a context brings into the house, in one record. Whatever goes over contexts goes over these.

A record is light to import: every command reads all of them. What weighs is imported when it is asked for.
"""

from collections.abc import Callable, Coroutine, Mapping, Sequence, Set
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from app.kernel.topology import Exchange, Publication, Queue, queues_of
from app.platform.postgres.home import Tables
from app.platform.process.settings import Section, Settings

if TYPE_CHECKING:
    import asyncio

    from app.platform.console.page import Page
    from app.platform.http.inflight import InFlight
    from app.platform.http.operations import Operation
    from app.platform.messaging.handing_over import Handle
    from app.platform.messaging.inbox import Inbox
    from app.platform.metrics.gauges import Look
    from app.platform.operations.health import Part
    from app.platform.people import People
    from app.platform.postgres.database import Database
    from app.platform.postgres.evidence import Checks
    from app.platform.postgres.evidence import Database as Evidence
    from app.platform.process.wiring import Platform

C = TypeVar("C")

Work = Callable[["asyncio.Event"], Coroutine[Any, Any, None]]
"""Works until the event is set."""


@dataclass(frozen=True)
class Http:
    """What operations are made with, beside their context's container."""

    in_flight: "InFlight"
    currencies: Set[str]
    """All that are known."""
    timeout_s: float
    """How long a request may take."""
    people: "People | None" = None
    """Who knows people here; without one nothing is served that asks who somebody is."""


Show = Callable[[Sequence["Look"]], AbstractAsyncContextManager[None]]
"""Serves the metrics of a process meanwhile, with what these gauges show."""


@dataclass(frozen=True, kw_only=True)
class Worker(Generic[C]):
    """A process that a context needs beside the API: the command `strongbox NAME`."""

    name: str
    help: str
    required: Sequence[str] = ()
    """Settings that have to be given (`"gateway_url"`)."""
    metrics_port: str
    """The setting of the port that its metrics are served on."""
    local_metrics_port: int
    """That port in a `strongbox run`, unless it is taken."""
    work: Callable[[C, Show], Work]
    """Makes the work: every pool that it needs is asked for here, and open when it begins."""
    local_ports: Mapping[str, int] = field(default_factory=dict)
    """The settings of what else it serves on, with those ports in a `strongbox run`, unless they are taken."""
    commands: Mapping[str, str] = field(default_factory=dict)
    """Commands below its own (`strongbox NAME COMMAND`): by name the module in which they are, by that name."""


@dataclass(frozen=True, kw_only=True)
class Hearing:
    """What a context does about the messages of its queue."""

    handle: "Handle"
    """Takes them: by its own inbox each has its effect once, however often it comes, and in whatever order."""
    inbox: "Inbox | None" = None
    """That inbox, in the context's database, to be cleaned up."""
    around: AbstractAsyncContextManager[Sequence["Look"]] = field(default_factory=lambda: nullcontext(()))
    """What the handler and the works stand on, ended in good order, and what its gauges show."""
    works: Sequence[Work] = ()
    """They go on beside it. One that raises ends the process."""


@dataclass(frozen=True, kw_only=True)
class Consumer(Generic[C]):
    """A queue that a context hears events by, and who takes them: `python -m consumers NAME` (or `strongbox NAME`), or
    the relay's process where there is no broker."""

    name: str
    """Its queue is `NAME.queue`, its dead letters are in `NAME.dlq`."""
    help: str
    hears: Sequence[Exchange]
    """The exchanges that feed it, each with that queue alone, as it is bound there. It is not of their contracts for
    that: what becomes of it holds up nobody's events."""
    required: Sequence[str] = ()
    """Settings that its process needs. The relay's goes without."""
    metrics_port: str
    """The setting of the port that its metrics are served on."""
    local_metrics_port: int
    """That port in a `strongbox run`, unless it is taken."""
    work: Callable[[C, bool], Hearing]
    """Makes what takes the messages, told whether that is in the relay's process: there a handler that takes long, or
    waits, holds up the events of all. Pools are asked for as by a worker."""
    is_worker: bool = False
    """Whether it is run as `strongbox NAME`: there may be many, of which one has the queue and all do its works."""

    @property
    def queue(self) -> Queue:
        """Its queue, with all that feeds it."""
        (queue,) = queues_of(self.hears)
        return queue


@dataclass(frozen=True)
class Recovery:
    """How a context finds its half-done business and finishes it: its part of `strongbox recover`."""

    around: AbstractAsyncContextManager[Sequence["Look"]]
    """What its works stand on, ended in good order, and what its gauges show."""
    works: Sequence[Work]
    """They go on side by side, with those of the other contexts. One that raises ends the process."""


@dataclass(frozen=True, kw_only=True)
class StandIn:
    """What `strongbox run` starts in place of something outside, unless a setting says where that is."""

    name: str
    setting: str
    """The setting that says where it is: `GATEWAY_URL`."""
    port: str
    """The setting of its port here: `MOCK_GATEWAY_PORT`."""
    default_port: int
    command: tuple[str, ...]
    """Python's: a module, and arguments."""
    ready: str
    """The path that answers 200 once it serves."""
    environment: Callable[[Settings, Path], Mapping[str, str]]
    """What it is told, its port aside: by the settings, and by the folder of the run."""
    prepared_by: tuple[str, ...] = ()
    """A command of `strongbox`, run once it serves: what comes after it starts then."""
    gives: str = ""
    """The setting that is the last word of what that command says. Where it is given the command is not run."""


@dataclass(frozen=True, kw_only=True)
class Context(Generic[C]):
    """A context. `C` is the type of its container: who does what in it, made from what a process has."""

    name: str
    needs: Sequence[str] = ()
    """Contexts that have to be switched on for it to be."""
    settings: type[Section] = Section
    shares_database: bool = False
    """Whether it shares transactions with others, and so the database of DATABASE_URL."""
    tables: Tables | None = None
    container: Callable[["Platform", "Database", Mapping[str, Any]], C]
    """Makes its container, given by name those of the contexts that it needs, and what other contexts give it."""
    gives: Mapping[tuple[str, str], Callable[[], Any]] = field(default_factory=dict)
    """What a context takes from it that knows nothing of it, by that one's name and what it calls it."""
    people: Callable[[C], "People"] | None = None
    """What fills the platform's ports for whoever has to know people. One context at the most brings it."""
    operations: Callable[[C, Http], Sequence["Operation"]] | None = None
    publication: Publication | None = None
    """The outbox that the relay empties, and the exchange that its events go to."""
    pages: Callable[[C, Sequence[str]], Sequence["Page"]] | None = None
    """What it brings to the console, told where APIs serve. Pools are asked for here."""
    checks: Callable[[Settings, "Evidence"], "Checks"] | None = None
    """What `strongbox verify` checks of it, in its database."""
    parts: Callable[[Settings, str], Sequence["Part"]] | None = None
    """What `strongbox status` looks at of it, beside its database, which is at the URL."""
    required: Sequence[str] = ()
    """Settings that the API needs for it, and recovery if it brings any."""
    to_show_all: Mapping[str, str] = field(default_factory=dict)
    """Settings, by name, with which it offers all that it has: for whoever only reads about it."""
    fit: Callable[[Settings], None] | None = None
    """Sees to it, before the API starts, that what its settings name can be used. Raises InvalidSettings."""
    local: Callable[[Settings, Path], Mapping[str, str]] | None = None
    """Settings that `strongbox run` makes for it, where none are given, and hands to its processes: by the settings,
    the ports in them those that are served, and by the run's folder, where it may keep what only its owner may read."""
    serving: Callable[[C], AbstractAsyncContextManager[Sequence["Look"]]] | None = None
    """What the API runs of it, ended in good order, and what its gauges show. Pools are asked for as by a worker."""
    recovery: Callable[[C, "People | None"], Recovery] | None = None
    """Its part of `strongbox recover`, told who knows people here. Pools are asked for as by a worker."""
    workers: Sequence[Worker[C]] = ()
    consumers: Sequence[Consumer[C]] = ()
    """Who hears the events of others for it."""
    stand_ins: Sequence[StandIn] = ()
    commands: Mapping[str, str] = field(default_factory=dict)
    """Commands of `strongbox`: by name the module in which they are, by that name."""
