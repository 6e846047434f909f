"""What a genuine access token says of whose it is."""

from dataclasses import dataclass
from uuid import UUID

from app.kernel.principal import TenantId


@dataclass(frozen=True, slots=True)
class AccessToken:
    """A user's, of a log-in, or a machine's, of one of its secrets. Whether it still lets in is not in it."""

    tenant_id: TenantId
    id: UUID
    """The user's or the client's."""
    family_id: UUID | None
    """The log-in; a machine has none."""
    generation: int
    """Which of a machine's secrets it was asked for with."""
    scopes: frozenset[str]
    expires_at_s: float
    """In seconds of the epoch, by the database's clock."""
