"""The record."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from app.kernel.topology import Exchange, Publication, Queue
from app.platform.console.page import Page
from app.platform.context import Consumer, Context, Worker
from app.platform.operations.health import Health, Part, State
from app.platform.operations.verify import Check
from app.platform.postgres.evidence import Checks, Database
from app.platform.postgres.grants import PUBLIC, of_an_outbox, table
from app.platform.postgres.home import Tables
from app.platform.postgres.inspection import Session
from app.platform.postgres.integrity import query_checks
from app.platform.postgres.numbering import of_an_outbox as numbered
from app.platform.process.settings import Port, Section, Settings
from tests.greetings import parts

HOME = Path(__file__).parent
NAMED = (
    "greetings_are_to_somebody",
    "every greeting is to somebody",
    "SELECT id::text FROM greetings.greetings WHERE whom = ''",
)


class GreetingsSettings(Section, frozen=True, kw_only=True):
    """How it is said that greetings are well."""

    greetings_mood: str = "well"
    answer_metrics_port: Port = 0
    thanks_metrics_port: Port = 0


def checks(_: Settings, database: Database) -> Checks:
    """That everybody has a name."""

    def within(books: Session) -> Sequence[Check]:
        return query_checks(books, [NAMED])

    return Checks(database, within)


def status_parts(settings: Settings, _: str) -> Sequence[Part]:
    """How greetings are."""

    async def look() -> Health:
        return Health(State.OK, settings.of(GreetingsSettings).greetings_mood)

    return (Part("greetings", look, "say hello"),)


GREETINGS = Context[parts.Container](
    name="greetings",
    needs=("funds",),
    settings=GreetingsSettings,
    tables=Tables(
        HOME / "migrations",
        (
            *PUBLIC,
            *of_an_outbox("greetings"),
            table("greetings", "SELECT", "INSERT", "UPDATE", schema="greetings"),
            table("inbox", "SELECT", "INSERT", "DELETE", schema="greetings"),
        ),
        (numbered("greetings"),),
    ),
    container=parts.make,
    operations=parts.operations,
    serving=parts.serving,
    publication=Publication(
        "greetings", Exchange("greetings.events", (Queue("greetings.queue", "greetings.dlq", ("greeting.*",)),))
    ),
    recovery=lambda container, _: parts.recovery(container),
    workers=(
        Worker(
            name="answer",
            help="Have everybody answer.",
            metrics_port="answer_metrics_port",
            local_metrics_port=9111,
            work=parts.answering,
            commands={"once": "tests.greetings.greeting"},
        ),
    ),
    consumers=(
        Consumer(
            name="thanks",
            help="Greet everybody who pays.",
            hears=(Exchange("payments.events", (parts.THANKS,)),),
            metrics_port="thanks_metrics_port",
            local_metrics_port=9112,
            work=parts.thanking,
        ),
    ),
    commands={"greeting": "tests.greetings.greeting"},
    pages=lambda container, _: [
        Page(partial(parts.page, container), "/greetings", "Greetings", 30, HOME / "templates")
    ],
    checks=checks,
    parts=status_parts,
)
