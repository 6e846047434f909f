"""Parameters of requests about people."""

from uuid import UUID

from app.contexts.identity.adapters.http import examples
from app.kernel.principal import Role
from app.platform.http import queries
from app.platform.http.errors import validation
from app.platform.http.operations import Parameter
from app.platform.http.parameters import read_uuid
from app.platform.http.shapes import is_plain

MOST_OF_A_SEARCH = 100


def _read_text(text: str | None) -> str | None:
    if text is not None and not (1 <= len(text.strip()) <= MOST_OF_A_SEARCH and is_plain(text)):
        raise validation({"q": f"must be 1 to {MOST_OF_A_SEARCH} characters, none of them a control character"})
    return None if text is None else text.strip()


def _read_role(text: str | None) -> Role | None:
    try:
        return None if text is None else Role(text)
    except ValueError:
        raise validation({"role": "must be customer, seller or admin"}) from None


def _read_is_active(text: str | None) -> bool | None:
    if text not in (None, "true", "false"):
        raise validation({"is_active": "must be true or false"})
    return None if text is None else text == "true"


USER: Parameter[UUID] = Parameter(
    name="id",
    key="person",
    where="path",
    read=lambda text: read_uuid("id", text),
    required=True,
    description="The user, in any spelling of a UUID.",
    schema={"type": "string", "format": "uuid"},
    example=examples.USER_ID,
)
CURSOR: Parameter[str | None] = Parameter(
    name="cursor",
    key="users_cursor",
    where="query",
    read=lambda text: text,  # it belongs to the filters, and is read with them
    description="The `next_cursor` of an earlier answer with the same filters.",
    schema={"type": "string", "pattern": queries.CURSOR_PATTERN},
)
TEXT: Parameter[str | None] = Parameter(
    name="q",
    where="query",
    read=_read_text,
    description="Only those with this in their username, e-mail or name, or with this id or address.",
    schema={"type": "string", "minLength": 1, "maxLength": MOST_OF_A_SEARCH},
    example="ada",
)
ROLE: Parameter[Role | None] = Parameter(
    name="role",
    where="query",
    read=_read_role,
    description="Only those of this role.",
    schema={"type": "string", "enum": [role.value for role in Role]},
    example="seller",
)
IS_ACTIVE: Parameter[bool | None] = Parameter(
    name="is_active",
    where="query",
    read=_read_is_active,
    description="Only those that are let in, or that are not.",
    schema={"type": "boolean"},
    example=True,
)
