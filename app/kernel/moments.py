"""What happened to something, told on a time line."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Moment:
    """A point of the time line. `source` is where it is recorded."""

    at: datetime
    source: str
    what: str
    details: Mapping[str, object] = field(default_factory=dict)
