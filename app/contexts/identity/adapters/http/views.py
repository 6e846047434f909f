"""People as JSON: as they see themselves, as any other sees them, and as an admin does."""

from typing import Any
from uuid import UUID

from msgspec import UNSET, Struct, UnsetType

from app.contexts.identity.domain.user import User
from app.kernel.principal import Role
from app.platform.http.shapes import Time, timestamp


class UserShape(Struct, frozen=True):
    """A person, to themselves. What is not known of one is null; the address is in its EIP-55 spelling."""

    user_id: UUID
    username: str | None
    email: str | None
    wallet_address: str | None
    role: Role
    first_name: str | None
    last_name: str | None
    avatar_url: str | None
    phone: str | None
    email_verified: bool
    created_at: Time
    last_login_at: Time | None


class SomebodyShape(Struct, frozen=True):
    """A person, to others. What follows the role only an admin sees: for anybody else it is left out."""

    user_id: UUID
    username: str | None
    role: Role
    email: str | UnsetType | None = UNSET
    wallet_address: str | UnsetType | None = UNSET
    first_name: str | UnsetType | None = UNSET
    last_name: str | UnsetType | None = UNSET
    avatar_url: str | UnsetType | None = UNSET
    phone: str | UnsetType | None = UNSET
    email_verified: bool | UnsetType = UNSET
    created_at: Time | UnsetType = UNSET
    last_login_at: Time | UnsetType | None = UNSET
    is_active: bool | UnsetType = UNSET


class AdminUserShape(UserShape, frozen=True):
    """A person, to an admin: one who is not active is let in nowhere."""

    is_active: bool


class UserAnswer(Struct, frozen=True):
    """Oneself."""

    user: UserShape


class SomebodyAnswer(Struct, frozen=True):
    """Another."""

    user: SomebodyShape


class AdminUserAnswer(Struct, frozen=True):
    """Anybody, to an admin."""

    user: AdminUserShape


class UsersAnswer(Struct, frozen=True):
    """A page of people, newest first. `next_cursor` asks for the next page."""

    users: list[AdminUserShape]
    next_cursor: str | None


def user_view(user: User) -> UserShape:
    """The person as one sees oneself: the `user` of log-in."""
    return UserShape(**_fields(user))


def public_view(user: User) -> SomebodyShape:
    """The person as any other sees one."""
    return SomebodyShape(user.id, user.username, user.role)


def view_for_admins(user: User) -> SomebodyShape:
    """The same, as an admin sees one."""
    return SomebodyShape(**_fields(user), is_active=user.is_active)


def admin_view(user: User) -> AdminUserShape:
    """The person as an admin sees one."""
    return AdminUserShape(**_fields(user), is_active=user.is_active)


def _fields(user: User) -> dict[str, Any]:
    return {
        "user_id": user.id,
        "username": user.username,
        "email": user.email,
        "wallet_address": user.wallet_address,
        "role": user.role,
        "first_name": user.first_name,
        "last_name": user.last_name,
        "avatar_url": user.avatar_url,
        "phone": user.phone,
        "email_verified": user.email_verified,
        "created_at": timestamp(user.created_at),
        "last_login_at": None if user.last_login_at is None else timestamp(user.last_login_at),
    }
