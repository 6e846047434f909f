"""A statement as ISO 20022 has it: camt.053.001.08, BankToCustomerStatement."""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from hashlib import sha256
from typing import Final
from xml.sax.saxutils import escape

from app.contexts.funds.application.statement import OpenStatement, StatementLine
from app.kernel.currencies import ISO_4217, minor_digits
from app.platform.http.shapes import timestamp
from app.platform.people import Person

MOST_DIGITS: Final = 18
"""Of an amount, those of its fraction included."""
NAMESPACE: Final = "urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"
_ISSUER: Final = "Strongbox"
# What XML has no place for, not even escaped.
_NO_TEXT: Final = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def why_not(currency: str, largest_minor: int) -> str | None:
    """Why no such statement can be made of a wallet, if it cannot: of its currency, and of its largest amount."""
    if currency not in ISO_4217:
        return f"{currency} is no currency of ISO 4217"
    if largest_minor >= 10**MOST_DIGITS:
        return f"an amount has more than {MOST_DIGITS} digits"
    return None


class Camt:
    """One XML document, said in pieces. It implements `Form`.

    Its amounts are in units of the currency. Every entry is booked at its time: that is what the ledger knows.
    """

    media_type = "application/xml"
    ending = "xml"

    def begin(self, statement: OpenStatement, now: datetime) -> bytes:
        """See `Form.begin`."""
        self._currency = statement.currency
        # The same for the same statement: whoever has read it knows it again.
        asked = statement.user_id, statement.currency, timestamp(statement.since), timestamp(statement.until)
        id_ = sha256("\n".join(map(str, asked)).encode()).hexdigest()[:32]
        return "".join((
            f'<?xml version="1.0" encoding="UTF-8"?>\n<Document xmlns="{NAMESPACE}"><BkToCstmrStmt>',
            f"<GrpHdr><MsgId>{id_}</MsgId><CreDtTm>{timestamp(now)}</CreDtTm></GrpHdr>",
            f"<Stmt><Id>{id_}</Id><CreDtTm>{timestamp(now)}</CreDtTm>",
            f"<FrToDt><FrDtTm>{timestamp(statement.since)}</FrDtTm>",
            f"<ToDtTm>{timestamp(statement.until)}</ToDtTm></FrToDt>",
            f"<Acct><Id><Othr><Id>{statement.user_id.hex}</Id></Othr></Id><Ccy>{statement.currency}</Ccy></Acct>",
            self._balance("OPBD", statement.opening_minor, statement.since),
            self._balance("CLBD", statement.closing_minor, statement.until),
        )).encode()  # fmt: skip

    def lines(self, page: Sequence[StatementLine], people: Mapping[str, Person]) -> bytes:
        """See `Form.lines`."""
        return "".join([piece for line in page for piece in self._entry(line, people)]).encode()

    def end(self, _: OpenStatement) -> bytes:
        """See `Form.end`."""
        return b"</Stmt></BkToCstmrStmt></Document>\n"

    def _amount(self, minor: int) -> str:
        digits = minor_digits(self._currency)
        text = str(minor).rjust(digits + 1, "0")
        units = f"{text[:-digits]}.{text[-digits:]}" if digits else text
        return f'<Amt Ccy="{self._currency}">{units}</Amt>'

    def _balance(self, code: str, minor: int, at: datetime) -> str:
        return (
            f"<Bal><Tp><CdOrPrtry><Cd>{code}</Cd></CdOrPrtry></Tp>{self._amount(minor)}"
            f"<CdtDbtInd>CRDT</CdtDbtInd><Dt><DtTm>{timestamp(at)}</DtTm></Dt></Bal>"
        )

    def _entry(self, line: StatementLine, people: Mapping[str, Person]) -> Iterator[str]:
        amount, side = self._amount(line.amount), "DBIT" if line.is_debit else "CRDT"
        at, id_ = timestamp(line.created_at), line.transaction_id.replace("-", "")
        yield f"<Ntry>{amount}<CdtDbtInd>{side}</CdtDbtInd><Sts><Cd>BOOK</Cd></Sts>"
        yield f"<BookgDt><DtTm>{at}</DtTm></BookgDt><ValDt><DtTm>{at}</DtTm></ValDt><AcctSvcrRef>{id_}</AcctSvcrRef>"
        yield f"<BkTxCd><Prtry><Cd>{line.kind}</Cd><Issr>{_ISSUER}</Issr></Prtry></BkTxCd>"
        yield f"<NtryDtls><TxDtls><Refs><AcctSvcrRef>{id_}</AcctSvcrRef>"
        if line.payment_id:
            yield f"<InstrId>{line.payment_id.replace('-', '')}</InstrId>"
        yield f"</Refs>{amount}<CdtDbtInd>{side}</CdtDbtInd>"
        other = people.get(line.counterparty) if line.counterparty else None
        if other:
            party = "Cdtr" if line.is_debit else "Dbtr"
            name = other.username or str(other.id)
            yield f"<RltdPties><{party}><Pty><Nm>{escape(name)}</Nm></Pty></{party}></RltdPties>"
        if line.note:
            yield f"<RmtInf><Ustrd>{_xml(line.note)}</Ustrd></RmtInf>"
        if line.external_reference:
            yield f"<AddtlTxInf>{_xml(line.external_reference)}</AddtlTxInf>"
        yield "</TxDtls></NtryDtls></Ntry>"


def _xml(text: str) -> str:
    return escape(_NO_TEXT.sub("\ufffd", text))
