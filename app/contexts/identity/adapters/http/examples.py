"""People of the examples."""

from typing import Any, Final

USER_ID: Final = "0193a5b2-7c4e-7d10-8f21-3b6a9c0e5d42"

PUBLIC: Final[dict[str, Any]] = {"user_id": USER_ID, "username": "ada", "role": "customer"}

USER: Final[dict[str, Any]] = {
    "user_id": USER_ID,
    "username": "ada",
    "email": "ada@example.org",
    "wallet_address": "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
    "role": "customer",
    "first_name": "Ada",
    "last_name": None,
    "avatar_url": None,
    "phone": None,
    "email_verified": False,
    "created_at": "2026-01-31T12:00:00.000000Z",
    "last_login_at": None,
}

ANYBODY: Final[dict[str, Any]] = {**USER, "is_active": True}
