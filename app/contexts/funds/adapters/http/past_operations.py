"""What is asked of wallets as they were, and what the answers look like."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from msgspec import Struct

from app.contexts.funds.adapters.http.bodies import ALICE, BOB
from app.contexts.funds.adapters.http.own_wallet import TAG
from app.contexts.funds.adapters.http.views import BalanceAmount
from app.contexts.funds.adapters.statements.camt import NAMESPACE
from app.contexts.funds.adapters.statements.csv_form import COLUMNS, CsvForm
from app.contexts.funds.adapters.statements.forms import FORMS
from app.contexts.funds.adapters.statements.json_form import StatementShape
from app.contexts.funds.domain.refusals import UserNotFound, WalletNotFound
from app.kernel.currencies import is_well_formed
from app.kernel.money import Currency
from app.kernel.principal import Role
from app.platform.http import codes
from app.platform.http.errors import validation
from app.platform.http.operations import ANY_USER, BEARER, Access, Handler, Operation, Parameter, Success
from app.platform.http.parameters import CURRENCY, USER_ID
from app.platform.http.shapes import CURRENCY_RULE, TIME_RULE, Code, Time, time_of

READ_SCOPE: Final = "finance:read"


def _read_currency(text: str | None) -> Currency:
    if text is None or not is_well_formed(text):
        raise validation({"currency": CURRENCY_RULE})
    return Currency(text)


def _time(name: str, key: str, description: str, example: str) -> Parameter[datetime]:
    """A time that has to be there."""

    def read(text: str | None) -> datetime:
        at = None if text is None else time_of(text)
        if at is None:
            raise validation({name: f"{TIME_RULE} (a + is spelled %2B)"})
        return at

    schema = {"type": "string", "format": "date-time"}
    return Parameter(
        name=name, key=key, where="query", read=read, description=description, schema=schema, required=True,
        example=example,
    )  # fmt: skip


def _read_format(text: str | None) -> str:
    name = "json" if text is None else text
    if name not in FORMS:
        raise validation({"format": f"must be one of {', '.join(FORMS)}"})
    return name


WALLET: Final[Parameter[Currency]] = Parameter(
    name="currency",
    key="wallet_currency",
    where="query",
    read=_read_currency,
    description="The wallet's currency.",
    schema=CURRENCY.schema,
    required=True,
    example="USD",
)
AT: Final = _time(
    "at", "balance_at", "The time, which is not to come: what happened before it counts.", "2026-01-31T00:00:00Z"
)
SINCE: Final = _time("from", "statement_from", "The first time that belongs to it.", "2026-01-01T00:00:00Z")
UNTIL: Final = _time("to", "statement_to", "The first time that does not; it is not to come.", "2026-02-01T00:00:00Z")
FORMAT: Final[Parameter[str]] = Parameter(
    name="format",
    key="statement_format",
    where="query",
    read=_read_format,
    description="How to say it. camt.053 is camt.053.001.08: of a currency of ISO 4217, amounts of 18 digits at most.",
    schema={"type": "string", "enum": [*FORMS], "default": "json"},
)


class PastBalanceShape(Struct, frozen=True):
    """What could be spent of a wallet just before a time, and what was set aside."""

    user_id: UUID
    currency: Code
    at: Time
    current_balance: BalanceAmount
    held: BalanceAmount


@dataclass(frozen=True, slots=True)
class Whose:
    """Whose wallet a route is about, and who may ask for it."""

    root: str
    suffix: str
    words: str
    access: Access
    parameters: tuple[Parameter[Any], ...] = ()


ONES_OWN: Final = Whose("/v1/wallet", "OwnWallet", "one's own wallet", ANY_USER)
OF_OTHERS: Final = Whose(
    "/v1/users/{user_id}/wallet",
    "UsersWallet",
    "a user's wallet",
    Access(frozenset({Role.ADMIN}), READ_SCOPE),
    (USER_ID,),
)

_REFUSALS: Final = (
    replace(codes.VALIDATION_ERROR, details={"at": f"{TIME_RULE} (a + is spelled %2B)"}),
    replace(
        codes.NOT_FOUND,
        when="There is no such user of this tenant, or no wallet in that currency.",
        message=str(WalletNotFound(Currency("USD"))),
        refusals=(UserNotFound, WalletNotFound),
    ),
    codes.UNAVAILABLE,
)
_LINE: Final[Mapping[str, Any]] = {
    "transaction_id": "0193a5b2-7c4e-7d11-a1b2-5e8d7c6b4a31",
    "kind": "TRANSFER_OUT",
    "direction": "DEBIT",
    "amount": 1250,
    "currency": "USD",
    "status": "COMPLETED",
    "balance_after": 8750,
    "payment_id": None,
    "provider_id": None,
    "external_reference": None,
    "created_at": "2026-01-31T12:00:00.000000Z",
    "account": "wallet",
    "counterparty": {"user_id": BOB, "username": "bob"},
    "note": "for the concert",
    "business_id": None,
}
_ENDS: Final = {"from": "2026-01-01T00:00:00.000000Z", "to": "2026-02-01T00:00:00.000000Z"}
_CSV_LINE: Final = (
    f"{_LINE['transaction_id']},TRANSFER_OUT,DEBIT,1250,USD,COMPLETED,8750,,,,{_LINE['created_at']},wallet,{BOB},bob,"
    "for the concert,"
)
_BALANCE: Final = Success(
    status=200,
    description="What stood then, from the entries: the same whenever it is asked for.",
    type=PastBalanceShape,
    example={
        "user_id": ALICE,
        "currency": "USD",
        "at": "2026-01-31T00:00:00.000000Z",
        "current_balance": 10000,
        "held": 2000,
    },
)
_SAID: Final = "In pieces, oldest line first. An answer that breaks off is none: its end is missing."
_STATEMENT: Final = (
    Success(
        status=200,
        description=f"The statement. {_SAID}",
        type=StatementShape,
        example={
            "user_id": ALICE,
            "currency": "USD",
            **_ENDS,
            "opening": 10000,
            "lines": [dict(_LINE)],
            "closing": 8750,
        },
    ),
    Success(
        status=200,
        description="The lines, by RFC 4180; text that a spreadsheet would take for a formula has a `'` before it.",
        type=str,
        example=f"{','.join(COLUMNS)}\r\n{_CSV_LINE}\r\n",
        media_type=CsvForm.media_type.partition(";")[0],
    ),
    Success(
        status=200,
        description="camt.053.001.08, valid by its published schema.",
        type=str,
        example=f'<?xml version="1.0" encoding="UTF-8"?>\n<Document xmlns="{NAMESPACE}">…</Document>\n',
        media_type="application/xml",
    ),
)


def reading(whose: Whose, balance: Handler, statement: Handler) -> Sequence[Operation]:
    """Both questions about somebody's wallet."""
    return [
        Operation(
            method="GET",
            template=f"{whose.root}/balance",
            name=f"get{whose.suffix}Balance",
            tag=TAG,
            summary=f"Read what {whose.words} held at a time",
            who=BEARER,
            access=whose.access,
            handler=balance,
            parameters=(*whose.parameters, WALLET, AT),
            successes=(_BALANCE,),
            refusals=_REFUSALS,
        ),
        Operation(
            method="GET",
            template=f"{whose.root}/statement",
            name=f"get{whose.suffix}Statement",
            tag=TAG,
            summary=f"Read a statement of {whose.words}",
            description=_SAID,
            who=BEARER,
            access=whose.access,
            handler=statement,
            parameters=(*whose.parameters, WALLET, SINCE, UNTIL, FORMAT),
            successes=_STATEMENT,
            refusals=_REFUSALS,
        ),
    ]
