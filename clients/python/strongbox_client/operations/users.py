"""Other people."""

from datetime import datetime
from uuid import UUID

from msgspec import Struct

from strongbox_client.operation import Resource, W, listing, operation
from strongbox_client.operations.auth import Role, User
from strongbox_client.values import UNSET, UnsetType


class Somebody(Struct, frozen=True, kw_only=True):
    """A person, to others. What follows the role is for admins alone: for anybody else it is `UNSET`."""

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
    created_at: datetime | UnsetType = UNSET
    last_login_at: datetime | UnsetType | None = UNSET
    is_active: bool | UnsetType = UNSET


class AnyUser(User, frozen=True, kw_only=True):
    """A person, to an admin: one who is not active is let in nowhere."""

    is_active: bool


class Users(Resource[W]):
    """The people of the tenant."""

    @operation("GET", "/v1/users/{user_id}", "user")
    def get(self, user_id: UUID | str) -> Somebody:
        """Who somebody is."""

    @listing("/v1/users", "users")
    def list(
        self,
        *,
        q: str | None = None,
        role: Role | str | None = None,
        is_active: bool | None = None,
        limit: int | None = None,
        cursor: str | None = None,
    ) -> AnyUser:
        """All of them, for admins, the newest first: with `q` in username, e-mail or name, or as id or address."""

    @operation("PATCH", "/v1/users/{user_id}", "user", repeats=True)
    def change(
        self, user_id: UUID | str, *, role: Role | str | UnsetType = UNSET, is_active: bool | UnsetType = UNSET
    ) -> AnyUser:
        """Change somebody's role, or whether they are let in. For admins."""
