"""What commands share: their settings, their errors and exit codes, their options."""

import asyncio
import re
import signal
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import click

from app.kernel.topology import queues_of
from app.platform.context import Context
from app.platform.process import logging
from app.platform.process.loading import load
from app.platform.process.run_state import discovered
from app.platform.process.settings import InvalidSettings, Settings
from app.platform.tracing.switch import tracing

if TYPE_CHECKING:
    from opentelemetry.trace import Tracer

    from app.platform.postgres.pool import Pool

T = TypeVar("T")
BASE = Path(".strongbox")

_DIGITS = re.compile(r"-?[0-9]+")
_ID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")

json_option = click.option("--json", "as_json", is_flag=True, help="The same as JSON.")


class Failed(click.ClickException):
    """Exit code 1, and the reason."""

    exit_code = 1


class WrongSettings(click.ClickException):
    """Exit code 2, and the setting."""

    exit_code = 2


class Whole(click.IntRange):
    """A whole number in plain digits. Python reads more as one: blanks, `_`, other scripts' digits."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The number."""
        if isinstance(value, str) and not _DIGITS.fullmatch(value):
            self.fail(f"{value!r} is not a whole number in digits", param, ctx)
        return super().convert(value, param, ctx)


class Id(click.types.UUIDParameterType):
    """An id as the service writes it, in either case of letters."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The id."""
        if isinstance(value, str) and not _ID.fullmatch(value):
            self.fail(f"{value!r} is not a valid UUID", param, ctx)
        return super().convert(value, param, ctx)


def time_of(_: click.Context, __: click.Parameter, value: str | None) -> datetime | None:
    """RFC 3339, UTC where it has no offset; a date alone is its midnight. For the `callback` of an option."""
    if value is None:
        return None
    try:
        at = datetime.fromisoformat(value)
    except ValueError:
        raise click.BadParameter(f"{value!r} is not a time like 2026-01-31T12:00:00Z") from None
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def queue_names(*typed: Any) -> list[str]:
    """The queues of the house; as `shell_complete` of an option those that begin with what was typed."""
    line: CommandLine = typed[0].obj if typed else command_line()  # no command runs while one is typed
    fed = [context.publication.exchange for context in line.known if context.publication]
    heard = [exchange for context in line.known for consumer in context.consumers for exchange in consumer.hears]
    names = [queue.name for queue in queues_of([*fed, *heard])]
    return [name for name in names if not typed or name.startswith(typed[-1])]


class Rooms(Protocol):
    """A house, for a command that needs more of it than a container."""

    def container(self, name: str) -> Any:
        """The container of a context."""
        ...

    @property
    def pools(self) -> Sequence["Pool"]:
        """All pools that were asked for."""
        ...


class CommandLine(Protocol):
    """What commands are run from: the house with its contexts."""

    @property
    def known(self) -> Sequence[Context[Any]]:
        """All contexts that there are, switched on or not."""
        ...

    def container(self, context: str, settings: Settings) -> Any:
        """The container of a context, for a command."""
        ...

    def rooms(self, settings: Settings) -> Rooms:
        """The house, for a command."""
        ...


def command_line() -> CommandLine:
    """That of the running command."""
    line: CommandLine = click.get_current_context().obj
    return line


def settings_with(*required: str) -> Settings:
    """The settings, with the named ones given; exit code 2 when they are not, or one is wrong."""
    try:
        return load(command_line().known, found=discovered(BASE)).require(*required)
    except InvalidSettings as error:
        hint = " (or `strongbox run` in this folder)" if "is not set" in str(error) else ""
        message = str(error).replace("CONSUMERS_URL", "DATABASE_URL (or AUDIT_DATABASE_URL)")
        raise WrongSettings(f"{message}{hint}") from None


def configured(process: str, *required: str) -> Settings:
    """The same, with logging set up."""
    settings = settings_with(*required)
    logging.configure(settings.log_level, settings.log_format, process)
    return settings


@contextmanager
def traced(process: str, settings: Settings) -> Iterator["Tracer | None"]:
    """The process's tracer, when tracing is on; exit code 2 when a variable of it is wrong."""
    try:
        with tracing(process, settings.shutdown_grace_s) as tracer:
            yield tracer
    except InvalidSettings as error:
        raise WrongSettings(str(error)) from None


def is_in_process() -> bool:
    """Whether the run in this folder has its broker inside: there are no queues to look into."""
    return discovered(BASE).get("BROKER") == "in-process"


def with_broker(*required: str) -> Settings:
    """The settings of a command that works on RabbitMQ's queues."""
    if not settings_with().rabbitmq_url and is_in_process():
        raise Failed("the run in this folder has its broker and consumers inside (it found no RabbitMQ): no queues")
    return configured("command", "rabbitmq_url", *required)


def or_fail(action: Callable[[], T], *more: type[Exception]) -> T:
    """Run what may fail for reasons that an operator can mend, `more` among them, and say them without a traceback."""
    from app.kernel.errors import Unavailable
    from app.kernel.refusals import Refusal
    from app.platform.messaging.dead_letters import DeadLetterNotFound, NotBuried
    from app.platform.messaging.replay import CannotReplay
    from app.platform.operations.actions import NotRecorded
    from app.platform.postgres.home import MigrationError
    from app.platform.process.running import CannotServe

    expected: tuple[type[Exception], ...] = (
        CannotReplay, CannotServe, DeadLetterNotFound, MigrationError, NotBuried, NotRecorded, Refusal, Unavailable,
        *more,
    )  # fmt: skip
    try:
        return action()
    except expected as error:
        raise Failed(str(error)) from None


def also(group: click.Group, name: str) -> click.Group:
    """The group by another name, which scripts may know; the help leaves it out."""
    return click.Group(name, commands=group.commands, help=group.help, hidden=True)


def run_stoppable(work: Callable[[asyncio.Event], Awaitable[T]]) -> T:
    """Run long work; SIGTERM and SIGINT ask it to stop at the next good point."""

    async def guarded() -> T:
        stop = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        return await work(stop)

    return or_fail(lambda: asyncio.run(guarded()))


def text(name: str, given: str, limit: int) -> str:
    """What was typed for `name`, without blanks around it; exit code 2 when it is empty, too long or not printable."""
    given = given.strip()
    if not 1 <= len(given) <= limit or not given.isprintable():
        raise click.BadParameter(f"1 to {limit} printable characters", param_hint=name)
    return given
