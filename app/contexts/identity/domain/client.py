"""A machine with an account of its own."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from app.kernel.principal import TenantId


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """A machine of a tenant. Its generation counts the secrets that it had: a token is of one of them."""

    tenant_id: TenantId
    id: UUID
    name: str
    scopes: frozenset[str]
    generation: int
    created_at: datetime
