"""Users of an import: a JSON object a line."""

from collections.abc import Sequence
from typing import Annotated, Final
from uuid import UUID

from msgspec import Struct

from app.contexts.identity.adapters.passwords.hashes import is_known
from app.contexts.identity.domain import rules
from app.contexts.identity.domain.account import NewUser
from app.contexts.identity.domain.refusals import LinesRefused
from app.kernel.ids import UserId
from app.kernel.new_ids import Ids
from app.kernel.principal import Role, TenantId
from app.platform.eip55 import checksummed
from app.platform.http.errors import Problem
from app.platform.http.json_body import JsonBody, Rule

MOST_LINES: Final = 50_000
"""Of a file. They are one transaction."""

_HEX: Final = frozenset("0123456789abcdefABCDEF")
_HASH_RULE: Final = "must be a hash of bcrypt ($2a, $2b or $2y, of cost 4 to 14) or of argon2id"
_ADDRESS_RULE: Final = "must be 0x and 40 hexadecimal digits"


def _is_address(text: str) -> bool:
    return len(text) == 42 and text[:2] == "0x" and set(text[2:]) <= _HEX


def _text(rule: str, name: str) -> Rule:
    made = getattr(rules, name)
    return Rule(rule, lambda given: given is None or made(given) is not None)


class ImportedUser(Struct, frozen=True, forbid_unknown_fields=True):
    """A line. Whoever imports vouches for e-mails, unless a line says that it is not verified."""

    user_id: Annotated[UUID | None, Rule("must be a UUID")] = None
    email: Annotated[str | None, _text(rules.EMAIL_RULE, "email")] = None
    password_hash: Annotated[str | None, Rule(_HASH_RULE, lambda given: given is None or is_known(given))] = None
    wallet_address: Annotated[str | None, Rule(_ADDRESS_RULE, lambda given: given is None or _is_address(given))] = None
    username: Annotated[str | None, _text(rules.USERNAME_RULE, "username")] = None
    first_name: Annotated[str | None, _text(rules.NAME_RULE, "name")] = None
    last_name: Annotated[str | None, _text(rules.NAME_RULE, "name")] = None
    avatar_url: Annotated[str | None, _text(rules.AVATAR_RULE, "avatar_url")] = None
    phone: Annotated[str | None, _text(rules.PHONE_RULE, "phone")] = None
    role: Annotated[Role, Rule("must be customer, seller or admin")] = Role.CUSTOMER
    email_verified: Annotated[bool, Rule("must be true or false")] = True
    is_active: Annotated[bool, Rule("must be true or false")] = True


_LINE: Final = JsonBody(ImportedUser, {"email": "ada@example.org"}, "a user of an import")


def read_users(content: bytes, tenant_id: TenantId, ids: Ids) -> Sequence[tuple[int, NewUser]]:
    """The users, each with the number of its line; lines with nothing in them are none.

    Raises:
        LinesRefused: some are not as they have to be, or there are too many.
    """
    found, wrong = list[tuple[int, NewUser]](), list[tuple[int, str]]()
    for number, line in enumerate(content.splitlines(), start=1):
        if not line.strip():
            continue
        if len(found) == MOST_LINES:
            raise LinesRefused([(number, f"a file has {MOST_LINES} users at the most: import it in parts")])
        try:
            found.append((number, _user(_LINE.decode(line), tenant_id, ids)))
        except Problem as problem:
            wrong += [(number, f"{name} {why}") for name, why in problem.details.items()]
        except ValueError as error:
            wrong.append((number, str(error)))
    if wrong:
        raise LinesRefused(wrong)
    return found


def _user(line: ImportedUser, tenant_id: TenantId, ids: Ids) -> NewUser:
    """The user of a line.

    Raises:
        ValueError: nobody could log in as that one.
    """
    if line.email is None and line.wallet_address is None:
        raise ValueError("email or wallet_address is required")
    if line.password_hash is not None and line.email is None:
        raise ValueError("email is required with a password_hash")
    return NewUser(
        id=UserId(line.user_id or ids()),
        tenant_id=tenant_id,
        role=line.role,
        username=line.username,
        email=line.email and rules.email(line.email),
        wallet_address=line.wallet_address and checksummed(line.wallet_address),
        password_hash=line.password_hash,
        first_name=line.first_name and rules.name(line.first_name),
        last_name=line.last_name and rules.name(line.last_name),
        avatar_url=line.avatar_url,
        phone=line.phone and rules.phone(line.phone),
        email_verified=line.email is not None and line.email_verified,
        is_active=line.is_active,
    )
