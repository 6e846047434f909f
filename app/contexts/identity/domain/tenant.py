"""A tenant: a house of its own under this roof."""

import re
from dataclasses import dataclass
from typing import Final

from app.kernel.ids import UserId
from app.kernel.principal import TenantId

DEFAULT: Final = "default"
"""The name of the tenant that is there from the beginning: whoever comes to nobody's host comes to it."""

MOST_CHARACTERS_OF_A_HOST: Final = 253
_NAME = re.compile(r"[a-z0-9]([a-z0-9._-]{0,62}[a-z0-9])?")
_LABEL = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
_HOST = re.compile(rf"{_LABEL}(\.{_LABEL})*|\[[0-9a-f:.]{{2,45}}\]")


@dataclass(frozen=True, slots=True)
class Tenant:
    """One of several houses. `house_user_id` is who its fees are booked to."""

    id: TenantId
    name: str
    host: str | None
    house_user_id: UserId


def is_name(text: str) -> bool:
    """Whether a tenant may have this name: it is typed, and stands in what is asked for."""
    return _NAME.fullmatch(text) is not None


def is_host(text: str) -> bool:
    """Whether it is a host as requests are told apart by it: in lower case, without a port."""
    return len(text) <= MOST_CHARACTERS_OF_A_HOST and _HOST.fullmatch(text) is not None
