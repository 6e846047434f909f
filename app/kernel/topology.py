"""Exchanges and queues, as values: what each context publishes to, and which queues have to have it.

A context that publishes has one exchange. The queues of its contract are those that an event needs to be in before it
counts as sent: one context's missing or full queue holds up that context's events, and no other's. A queue may be fed
by several exchanges: each names it, with the routing keys that it gets from there.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Queue:
    """A queue: its name, its dead-letter queue, and the routing keys that one exchange feeds it with: words, and `*`
    for any one word.

    Of the consumers of an `ordered` queue one gets all the messages, and when it is gone the next one does. One that
    `yields` and is full gives its oldest messages to its dead letters; others refuse the newest, and with them whoever
    publishes: an exchange that a queue only listens to must not wait for it.
    """

    name: str
    dead_letters: str
    bindings: tuple[str, ...]
    ordered: bool = False
    yields: bool = False

    def takes(self, routing_key: str) -> bool:
        """Whether a message with this key is routed here."""
        return any(_matches(binding, routing_key) for binding in self.bindings)


@dataclass(frozen=True, slots=True)
class Exchange:
    """A topic exchange, and the queues of its contract. Without any its events count as sent once it has them."""

    name: str
    queues: tuple[Queue, ...]

    @property
    def bindings(self) -> tuple[tuple[str, str], ...]:
        """Each queue's name with each key that it is bound with."""
        return tuple((queue.name, key) for queue in self.queues for key in queue.bindings)

    def queue(self, name: str) -> Queue:
        """The queue of that name.

        Raises:
            LookupError: the contract has none.
        """
        for queue in self.queues:
            if queue.name == name:
                return queue
        raise LookupError(f"{self.name} feeds no {name}")


@dataclass(frozen=True, slots=True)
class Publication:
    """What a context publishes: the events of the outbox in its schema, to its exchange."""

    schema: str
    exchange: Exchange


def listening(exchanges: Iterable[Exchange], name: str) -> tuple[Queue, ...]:
    """The queues that these exchanges have under the name, each once: those of whoever listens to it."""
    return queues_of(exchange for exchange in exchanges if exchange.name == name)


def exchange_of(exchanges: Iterable[Exchange], queue: str, routing_key: str) -> str | None:
    """From which of the exchanges the queue gets messages with this key; None if from none."""
    for exchange in exchanges:
        if any(fed.name == queue and fed.takes(routing_key) for fed in exchange.queues):
            return exchange.name
    return None


def queues_of(exchanges: Iterable[Exchange]) -> tuple[Queue, ...]:
    """The queues of all the exchanges, each once, with all that feeds it.

    Raises:
        ValueError: two of them say different things of a queue.
    """
    found: dict[str, Queue] = {}
    for queue in (queue for exchange in exchanges for queue in exchange.queues):
        known = found.get(queue.name)
        if known and _nature(known) != _nature(queue):
            raise ValueError(f"two exchanges feed {queue.name}, and differ in what it is")
        bindings = dict.fromkeys((known.bindings if known else ()) + queue.bindings)
        found[queue.name] = replace(queue, bindings=tuple(bindings))
    return tuple(found.values())


def dead_letters_of(queue: str) -> str:
    """Where the dead letters of a queue lie: those of `NAME.queue` in `NAME.dlq`, the contract's and anybody's."""
    return f"{queue.removesuffix('.queue')}.dlq"


def _nature(queue: Queue) -> tuple[str, bool, bool]:
    return queue.dead_letters, queue.ordered, queue.yields


def _matches(binding: str, routing_key: str) -> bool:
    words, given = binding.split("."), routing_key.split(".")
    return len(words) == len(given) and all(word in ("*", key) for word, key in zip(words, given, strict=True))
