"""Whether the schema's rules are those of the migrations."""

from collections.abc import Mapping
from typing import Any, Final

from psycopg import AsyncConnection

_FORM: Final = r"~ '\A[A-Z]{3,5}\Z'"
CURRENCY: Final = f"currency {_FORM}"

# The definition is written as this session reads texts: with what it has in it, nothing doubled.
_MISREAD: Final = """
    SELECT FROM pg_constraint
    WHERE conrelid = to_regclass('wallet_balances') AND conname = 'wallet_balances_currency'
        AND position(%b::text IN pg_get_constraintdef(oid)) = 0
"""


async def misread(connection: AsyncConnection[Any]) -> Mapping[str, str]:
    """The rules that were taken for others when they were made, by what they hold, with what mends them.

    A migration that was run under `standard_conforming_strings = off`, as it can no longer be, lost its backslashes:
    then no currency is one, and no wallet can be opened.
    """
    if not await (await connection.execute(_MISREAD, (_FORM,))).fetchall():
        return {}
    mended = (
        "ALTER TABLE wallet_balances DROP CONSTRAINT wallet_balances_currency, "
        f"ADD CONSTRAINT wallet_balances_currency CHECK ({CURRENCY})"
    )
    return {"currencies": f"all refused by a rule that was made under standard_conforming_strings = off: {mended}"}
