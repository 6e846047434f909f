"""Who asks: what everybody may know of somebody who was let in."""

from dataclasses import dataclass
from enum import StrEnum
from typing import NewType
from uuid import UUID

TenantId = NewType("TenantId", UUID)
"""One of several houses under this roof: each with people of its own, who see nothing of the others'."""


class Role(StrEnum):
    """What a person is here. Machines have scopes instead."""

    CUSTOMER = "customer"
    SELLER = "seller"
    ADMIN = "admin"


@dataclass(frozen=True, slots=True)
class Principal:
    """Somebody who was let in: a user, who has a role, or a machine, which has scopes and no role."""

    tenant_id: TenantId
    id: UUID
    """The user's id, or the client's: no other in any tenant has it."""
    role: Role | None = None
    scopes: frozenset[str] = frozenset()
    session_id: UUID | None = None
    """The log-in that a user's credential belongs to."""
    by_cookie: bool = False
    """Whether a browser's cookie was the credential, which it sends along whoever made the page."""

    @property
    def is_machine(self) -> bool:
        """Whether it is a program with an account of its own."""
        return self.role is None
