"""A statement as CSV: RFC 4180, a header line, then a line a movement."""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

from app.contexts.funds.application.statement import OpenStatement, StatementLine
from app.contexts.funds.application.wallet_reader import DEBITS
from app.platform.http.shapes import timestamp
from app.platform.people import Person

COLUMNS: Final = (
    "transaction_id",
    "kind",
    "direction",
    "amount",
    "currency",
    "status",
    "balance_after",
    "payment_id",
    "provider_id",
    "external_reference",
    "created_at",
    "account",
    "counterparty_user_id",
    "counterparty_username",
    "note",
    "business_id",
)
_NEEDS_QUOTES: Final = re.compile('[,"\r\n]')
_FORMULAS: Final = frozenset("=+-@\t\r＝＋－＠")


class CsvForm:
    """Lines of text. It implements `Form`."""

    media_type = "text/csv; charset=utf-8; header=present"
    ending = "csv"

    def begin(self, _statement: OpenStatement, _now: datetime) -> bytes:
        """See `Form.begin`."""
        return (",".join(COLUMNS) + "\r\n").encode()

    def lines(self, page: Sequence[StatementLine], people: Mapping[str, Person]) -> bytes:
        """See `Form.lines`."""
        return "".join([_row(line, people) for line in page]).encode()

    def end(self, _: OpenStatement) -> bytes:
        """See `Form.end`."""
        return b""


def harmless(text: str | None) -> str | None:
    """The text as no spreadsheet takes it for a formula."""
    return f"'{text}" if text and text[0] in _FORMULAS else text


def _row(line: StatementLine, people: Mapping[str, Person]) -> str:
    """The line as text. Only what people wrote, or may have, can need quotes."""
    other = people.get(line.counterparty) if line.counterparty else None
    side = "DEBIT" if line.kind in DEBITS else "CREDIT"
    whom = f"{other.id},{_cell(other.username)}" if other else ","
    return (
        f"{line.transaction_id},{line.kind},{side},{line.amount},{line.currency},{line.status},{line.balance_after},"
        f"{line.payment_id or ''},{line.provider_id or ''},{_cell(line.external_reference)},"
        f"{timestamp(line.created_at)},wallet,{whom},{_cell(line.note)},{line.business_id or ''}\r\n"
    )


def _cell(text: str | None) -> str:
    if not text:
        return ""
    safe = harmless(text) or ""
    return '"' + safe.replace('"', '""') + '"' if _NEEDS_QUOTES.search(safe) else safe
