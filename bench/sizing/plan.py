"""What is planned for: each input with its unit, its bounds and its default, which the answer names again."""

import math
from dataclasses import dataclass, field, fields
from typing import Any, Final, NamedTuple

HOURS_A_DAY: Final = 24
HOURS_A_MONTH: Final = 730
MIB: Final = 2**20
GIB: Final = 2**30


def _input(what: str, unit: str, default: float | None, least: float = 0.0, most: float = math.inf) -> Any:
    """A number above `least`, at most `most`. One that is given as whole stays whole. Without a default: see `Plan`."""
    return field(default=default, metadata={"what": what, "unit": unit, "least": least, "most": most})


_OR_NONE: Final = -1e-9  # above it is 0, too


@dataclass(frozen=True, kw_only=True)
class Plan:
    """The inputs. What is None was not given: nothing is reckoned of it, and nothing guessed."""

    payments_per_second: float = field(
        metadata={"what": "the most there are at a time", "unit": "payments/s", "least": 0.0, "most": 1e9}
    )
    share: float = _input("of each core, disk and queue that is planned with: the rest is headroom", "%", 60, most=100)
    mean: float = _input("the mean rate, by which disks fill, of the most", "%", 100, most=100)
    cores: int = _input("of a node of PostgreSQL or RabbitMQ, like those that were measured", "cores", 16, most=1024)
    standbys: int = _input("of each PostgreSQL, with a copy of everything", "nodes", 1, _OR_NONE, 100)
    members: int = _input("of a cluster of RabbitMQ, each with a copy of every queue", "nodes", 3, most=9)
    limits: float = _input(
        "that a payment is counted by: 2 on /v1, by address and user; 0 on /wallets", "a payment", 2, _OR_NONE, 100
    )
    events: float = _input("that sent events and inboxes are kept", "hours", 24, most=1e6)
    keys: float = _input("that idempotency keys are kept", "hours", 24, most=1e6)
    audit: float = _input("that the audit log is kept", "days", 365, most=1e5)
    payments: float = _input("that payments and their entries are kept", "days", 365, most=1e5)
    outage: float = _input("of a consumer, for which its queue has room on the broker's disk", "hours", 1, most=1e5)
    disk: float | None = _input("that a node's disk writes for good", "MiB/s", None, most=1e6)
    core_hour: float | None = _input("the price of a core for an hour", "of your currency", None, _OR_NONE, 1e9)
    gib_month: float | None = _input("the price of a GiB of disk for a month", "of your currency", None, _OR_NONE, 1e9)

    @property
    def part(self) -> float:
        """`share` as a factor."""
        return self.share / 100

    @property
    def hours_kept(self) -> dict[str, float]:
        """How long what a payment leaves is kept, in hours, by kind."""
        by_day = {"payments": self.payments * HOURS_A_DAY, "audit": self.audit * HOURS_A_DAY}
        return by_day | {"events": self.events, "keys": self.keys}


class Input(NamedTuple):
    """An input as it is asked for and told."""

    name: str
    what: str
    unit: str
    default: float | None
    least: float
    most: float
    is_whole: bool

    @property
    def option(self) -> str:
        return f"--{self.name.replace('_', '-')}"

    def of(self, text: str) -> float:
        """The number that was typed.

        Raises:
            ValueError: it is none, or not within the bounds; the message says which these are.
        """
        bounds = f"above {self.least:g}" if self.least >= 0 else "0 or more"
        refused = f"a {'whole ' if self.is_whole else ''}number {bounds}, at most {self.most:g}: {self.unit}"
        try:
            value = int(text) if self.is_whole else float(text)
        except ValueError:
            raise ValueError(refused) from None
        if not self.least < value <= self.most:  # NaN is not either
            raise ValueError(refused)
        return value


INPUTS: Final = tuple(
    Input(
        each.name,
        each.metadata["what"],
        each.metadata["unit"],
        each.default if isinstance(each.default, int | float) else None,
        each.metadata["least"],
        each.metadata["most"],
        each.type is int,
    )
    for each in fields(Plan)
)
