"""What a unique key refuses, in identity's words."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Final

from psycopg.errors import UniqueViolation

from app.contexts.identity.domain.refusals import AddressTaken, EmailTaken, IdTaken, TenantTaken, UsernameTaken
from app.kernel.refusals import Refusal

_BY_KEY: Final[Mapping[str | None, Refusal]] = {
    "users_pkey": IdTaken(),
    "users_email_key": EmailTaken(),
    "users_username_key": UsernameTaken(),
    "users_wallet_address_key": AddressTaken(),
    "tenants_name_key": TenantTaken("name"),
    "tenants_host_key": TenantTaken("host"),
}


@contextmanager
def refusing_what_is_taken() -> Iterator[None]:
    """Within: what a key refuses is a refusal.

    Raises:
        EmailTaken, UsernameTaken, AddressTaken, IdTaken, TenantTaken: somebody has it.
    """
    try:
        yield
    except UniqueViolation as error:
        refusal = _BY_KEY.get(error.diag.constraint_name)
        if refusal is None:
            raise
        raise type(refusal)(*refusal.args) from None
