"""What contexts publish and hear: the outboxes that are emptied, the exchanges that are fed, the queues that get it."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from app.kernel.topology import Exchange, Publication, Queue, queues_of
from app.main import contexts
from app.main.house import House
from app.platform.metrics.gauges import Look, OutboxMetrics
from app.platform.postgres.outbox import PostgresOutbox
from app.platform.process.settings import Settings

if TYPE_CHECKING:
    from app.platform.operations.replay_range import Sources


def publications(settings: Settings) -> Sequence[tuple[str, Publication]]:
    """What is published, each with the URL of the database that its outbox is in."""
    return [(settings.home(each.name).url, each.publication) for each in contexts.of(settings) if each.publication]


def heard(settings: Settings) -> Sequence[Exchange]:
    """What the consumers of contexts hear: exchanges, each with the queue that listens to it."""
    return [exchange for each in contexts.of(settings) for consumer in each.consumers for exchange in consumer.hears]


def exchanges(settings: Settings) -> Sequence[Exchange]:
    """The exchanges of the contexts that publish, with their contracts; then as `heard` has them."""
    return [*(publication.exchange for _, publication in publications(settings)), *heard(settings)]


def queues(settings: Settings) -> Sequence[Queue]:
    """The queues of the contracts, and those that listen."""
    return queues_of(exchanges(settings))


def sources(settings: Settings) -> "Sources":
    """From where, and by which broker, events are published again."""
    from app.platform.operations.replay_range import Sources  # noqa: PLC0415 -- most know no broker

    return Sources(
        [(url, publication.schema) for url, publication in publications(settings)],
        queues(settings),
        settings.consumers_url,
        settings.rabbitmq_url,
        settings.outbox_retention_h,
    )


def outbox_looks(house: House) -> Sequence[Look]:
    """What gauges show of what waits in the outboxes."""
    metrics = OutboxMetrics(house.platform.registry())
    return [
        metrics.at(PostgresOutbox(house.at(url).upkeep_pool, publication.schema))
        for url, publication in publications(house.settings)
    ]
