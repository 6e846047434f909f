"""An endpoint: where a tenant's events are sent to, and which of them it asks for."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from app.contexts.webhooks.domain.ids import EndpointId
from app.kernel.principal import TenantId

MOST_OF_A_TENANT: Final = 20
MOST_TYPES: Final = 50
EVERYTHING: Final = "*"
TYPE_PATTERN: Final = r"^(\*|[a-z][a-z0-9_]{0,39}\.(\*|[a-z][a-z0-9_]{0,39}))$"

_TYPE: Final = re.compile(TYPE_PATTERN[1:-1])
KEPT_FROM_ALL: Final = "hold"
"""The first word of events that nobody outside hears of: by a hold's amount one could see a bidder's maximum."""


class Status(StrEnum):
    """Whether anything is sent there."""

    ACTIVE = "ACTIVE"
    DISABLED = "DISABLED"


class Reason(StrEnum):
    """Why the service itself has disabled an endpoint."""

    GONE = "gone"
    """It answered 410."""
    FAILING = "failing"
    """For 72 hours nothing was delivered, and something failed."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An endpoint as it stands. `reason` is why the service has disabled it, where it has. `version` counts up."""

    id: EndpointId
    tenant_id: TenantId
    url: str
    types: tuple[str, ...]
    description: str | None
    status: Status
    version: int
    created_at: datetime
    updated_at: datetime
    reason: Reason | None = None
    told: int = 0
    """How many events there were about it."""


@dataclass(frozen=True, slots=True)
class Version:
    """What an endpoint asked for from `starts_at` on."""

    endpoint_id: EndpointId
    types: tuple[str, ...]
    status: Status
    starts_at: datetime

    def asks_for(self, kind: str) -> bool:
        """Whether it wants events of this type, and gets any."""
        return self.status is Status.ACTIVE and wants(self.types, kind)


def is_a_type(text: str) -> bool:
    """Whether it is a type that can be asked for: `payment.completed`, `order.*`, or `*` for all."""
    return _TYPE.fullmatch(text) is not None


def wants(types: Iterable[str], kind: str) -> bool:
    """Whether events of this type are among these."""
    return any(one in (EVERYTHING, kind, f"{kind.partition('.')[0]}.*") for one in types)


def in_force(versions: Sequence[Version], at: datetime) -> Version | None:
    """What stood at that time; `versions` are one endpoint's, the oldest first."""
    return next((one for one in reversed(versions) if one.starts_at <= at), None)


def is_kept_from_all(kind: str) -> bool:
    """Whether events of this type are sent to nobody."""
    return kind.partition(".")[0] == KEPT_FROM_ALL
