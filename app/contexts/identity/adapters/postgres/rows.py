"""Users as they come out of the database."""

from typing import Final

from app.contexts.identity.domain.account import Account
from app.contexts.identity.domain.user import User
from app.kernel.ids import UserId
from app.kernel.principal import Role, TenantId
from app.platform.postgres.pipeline import Row

ACCOUNT: Final = """u.id, u.tenant_id, u.role, u.created_at, u.username, u.email, u.wallet_address, u.first_name,
           u.last_name, u.avatar_url, u.phone, u.email_verified, u.is_active, u.last_login_at, u.password_hash,
           u.version"""
"""The columns of an account, in the order of `account_of`; the table is `u`."""


def account_of(row: Row) -> Account:
    """The account of a row of `ACCOUNT`."""
    (
        user_id, tenant_id, role, created_at, username, email, wallet_address, first_name, last_name, avatar_url, phone,
        email_verified, is_active, last_login_at, password_hash, version,
    ) = row  # fmt: skip
    user = User(
        id=UserId(user_id),
        tenant_id=TenantId(tenant_id),
        role=Role(role),
        created_at=created_at,
        username=username,
        email=email,
        wallet_address=wallet_address,
        first_name=first_name,
        last_name=last_name,
        avatar_url=avatar_url,
        phone=phone,
        email_verified=email_verified,
        is_active=is_active,
        last_login_at=last_login_at,
    )
    return Account(user, password_hash, version)
