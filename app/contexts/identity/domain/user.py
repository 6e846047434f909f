"""A person with an account."""

from dataclasses import dataclass
from datetime import datetime

from app.kernel.ids import UserId
from app.kernel.principal import Role, TenantId


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """A person of a tenant. What is not known of one is None; whoever has no e-mail signs in with a wallet."""

    id: UserId
    tenant_id: TenantId
    role: Role
    created_at: datetime
    username: str | None = None
    email: str | None = None
    wallet_address: str | None = None
    """In its EIP-55 spelling."""
    first_name: str | None = None
    last_name: str | None = None
    avatar_url: str | None = None
    phone: str | None = None
    email_verified: bool = False
    is_active: bool = True
    last_login_at: datetime | None = None
