"""What a wallet held, and its statements, over HTTP: for whoever may ask, in pieces, and broken off by an error."""

import http.client
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from app.contexts.funds.application import statement as statements
from app.kernel.errors import Unavailable
from app.kernel.principal import Role
from app.main.local.roles import Urls
from tests.api_fixtures import logged
from tests.api_harness import wait_until
from tests.fakes.people import Somebody
from tests.funds.asking_back import LONG_AGO, asked, busy, now, spelled
from tests.funds.wired import Bank, bank_over

__all__ = ["logged"]


@pytest.fixture(scope="module")
def bank(module_database: Urls) -> Iterator[Bank]:
    with bank_over(module_database) as bank:
        yield bank


def test_the_balance_of_a_time_is_what_stood_then(bank: Bank) -> None:
    alice, bob = busy(bank)
    times = [line["created_at"] for line in bank.lines(alice)]
    balances = [line["balance_after"] for line in bank.lines(alice)]
    for at, before in zip(times, [*balances[1:], 0], strict=True):
        answer = bank.get(alice, "/balance", currency="USD", at=at)
        assert answer.json() == {
            "user_id": str(alice.id), "currency": "USD", "at": at, "current_balance": before, "held": 0,
        }  # fmt: skip
        assert answer.headers["Cache-Control"] == "no-store"
    newest = bank.get(bob, "/balance", currency="USD", at=now(bank)).json()
    assert newest["current_balance"] == bank.balance(bob)


def test_a_statement_as_json_is_the_lines_of_the_transactions_oldest_first(bank: Bank) -> None:
    alice, _ = busy(bank)
    answer = asked(bank, alice)
    found = answer.json()
    assert found["lines"] == bank.lines(alice)[::-1]
    assert (found["opening"], found["closing"]) == (0, bank.balance(alice))
    signed = [line["amount"] * (-1 if line["direction"] == "DEBIT" else 1) for line in found["lines"]]
    assert found["opening"] + sum(signed) == found["closing"]
    middle = found["lines"][2]["created_at"]
    first, second = asked(bank, alice, to=middle).json(), asked(bank, alice, **{"from": middle}).json()
    assert first["closing"] == second["opening"]
    assert [*first["lines"], *second["lines"]] == found["lines"]
    assert asked(bank, alice, to=middle, **{"from": middle}).json()["lines"] == []
    assert "content-length" not in answer.headers


def test_a_statement_is_packed_for_who_takes_it_packed(bank: Bank) -> None:
    alice, _ = busy(bank)
    until = now(bank)
    packed = asked(bank, alice, to=until)
    assert packed.headers["Content-Encoding"] == "gzip"
    assert "Accept-Encoding" in packed.headers["Vary"]
    query = {"currency": "USD", "from": LONG_AGO, "to": until}
    plain = bank.client.get(
        "/v1/wallet/statement", headers=alice.bearer | {"Accept-Encoding": "identity"}, params=query
    )
    assert "Content-Encoding" not in plain.headers
    assert plain.content == packed.content


@pytest.mark.parametrize(
    ("what", "query", "details"),
    [
        ("/balance", {"currency": "USD"}, "at"),
        ("/balance", {"at": LONG_AGO}, "currency"),
        ("/balance", {"currency": "usd", "at": LONG_AGO}, "currency"),
        ("/balance", {"currency": "USD", "at": "yesterday"}, "at"),
        ("/balance", {"currency": "USD", "at": "2020-01-01"}, "at"),
        ("/balance", {"currency": "USD", "at": "2020-01-01T00:00:00"}, "at"),
        ("/balance", {"currency": "USD", "at": "0001-01-01T00:00:00+14:00"}, "at"),
        ("/balance", {"currency": "USD", "at": "2999-01-01T00:00:00Z"}, "at"),
        ("/balance", {"currency": "XYZ", "at": LONG_AGO}, "currency"),
        ("/statement", {"currency": "USD", "from": LONG_AGO}, "to"),
        ("/statement", {"currency": "USD", "from": LONG_AGO, "to": "2019-01-01T00:00:00Z"}, "from"),
        ("/statement", {"currency": "USD", "from": LONG_AGO, "to": "2999-01-01T00:00:00Z"}, "to"),
        ("/statement", {"currency": "USD", "from": LONG_AGO, "to": LONG_AGO, "format": "pdf"}, "format"),
        ("/statement", {"currency": "USD", "from": LONG_AGO, "to": LONG_AGO, "limit": "5"}, "limit"),
    ],
)
def test_what_is_malformed_is_named(bank: Bank, what: str, query: dict[str, str], details: str) -> None:
    somebody = bank.user(holding=5)
    answer = bank.get(somebody, what, **query)
    assert answer.status_code == 400, answer.text
    assert [*answer.json()["error"]["details"]] == [details]


def test_without_a_wallet_there_is_nothing_to_tell(bank: Bank) -> None:
    nobody = bank.user()
    for answer in (bank.get(nobody, "/balance", currency="USD", at=LONG_AGO), asked(bank, nobody)):
        assert (answer.status_code, answer.json()["error"]["code"]) == (404, "NOT_FOUND")


def test_admins_and_machines_that_may_read_finances_ask_about_those_of_their_tenant(bank: Bank) -> None:
    alice, _ = busy(bank)
    elsewhere = bank.user(tenant=bank.people.other_tenant)
    until = now(bank)
    query = {"currency": "USD", "from": LONG_AGO, "to": until}
    own = asked(bank, alice, to=until)

    def of(somebody: Somebody, who: Somebody, what: str = "statement", **more: str) -> httpx.Response:
        asked = (query if what == "statement" else {"currency": "USD", "at": until}) | more
        return bank.client.get(f"/v1/users/{somebody.id}/wallet/{what}", headers=who.bearer, params=asked)

    for who in (bank.user(role=Role.ADMIN), bank.people.machine("finance:read")):
        assert of(alice, who).content == own.content
        assert of(alice, who, format="csv").status_code == 200
        assert of(alice, who, "balance").json()["current_balance"] == bank.balance(alice)
        assert of(elsewhere, who).status_code == 404
    for who in (alice, bank.people.machine("wallet:receive"), bank.user(role=Role.SELLER)):
        assert of(alice, who).status_code == of(alice, who, "balance").status_code == 403
    assert bank.get(bank.people.machine("finance:read"), "/statement", **query).status_code == 403


@pytest.mark.parametrize("error", [statements.NotWhole(), Unavailable("the database is away")], ids=["bug", "away"])
def test_no_form_that_breaks_off_looks_whole(
    bank: Bank, monkeypatch: pytest.MonkeyPatch, logged: list[Any], error: Exception
) -> None:
    alice, _ = busy(bank)

    def broken(*_: Any) -> int:
        raise error

    monkeypatch.setattr(statements, "_followed", broken)
    until = now(bank)
    for version in (11, 10):
        connection = http.client.HTTPConnection("127.0.0.1", bank.served.port, timeout=60)
        connection._http_vsn, connection._http_vsn_str = version, f"HTTP/1.{version - 10}"  # type: ignore[attr-defined]
        connection.request(
            "GET", f"/v1/wallet/statement?currency=USD&from={LONG_AGO}&to={until}&format=csv", headers=alice.bearer
        )
        with pytest.raises((http.client.HTTPException, ConnectionError)):
            connection.getresponse().read()
        connection.close()
    wait_until(
        lambda: (
            sum(line["event"] == "request" and line.get("ended") == "unavailable" for line in logged) == 2
            or sum(line["event"] == "unexpected_error" for line in logged) == 2
        )
    )
    assert {line["event"] for line in logged} & {"unexpected_error"} == (
        {"unexpected_error"} if isinstance(error, statements.NotWhole) else set()
    )


def test_the_head_of_a_statement_says_it_all_without_a_line(bank: Bank) -> None:
    alice, _ = busy(bank)
    query = {"currency": "USD", "from": LONG_AGO, "to": now(bank), "format": "csv"}
    head = bank.client.head("/v1/wallet/statement", headers=alice.bearer, params=query)
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["Content-Disposition"] == 'attachment; filename="statement-USD.csv"'


def test_no_transaction_is_open_while_a_client_takes_its_time(bank: Bank) -> None:
    alice, bob = bank.user(holding=50_000), bank.user()
    for _ in range(20):
        items = [{"to": str(bob.id), "amount": 1, "currency": "USD"} for _ in range(500)]
        answer = bank.bulk(alice, items)
        assert answer.status_code == 201, answer.text
    query = {"currency": "USD", "from": LONG_AGO, "to": now(bank), "format": "csv"}
    plain = alice.bearer | {"Accept-Encoding": "identity"}
    with (
        bank.served.client() as client,
        client.stream("GET", "/v1/wallet/statement", headers=plain, params=query) as answer,
    ):
        pieces = answer.iter_raw()
        next(pieces)
        open_ = (
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
            " AND application_name = 'strongbox-past' AND xact_start < clock_timestamp() - interval '0.5 s'"
        )
        wait_until(lambda: bank.query(open_) == [(0,)])  # a page that is being read is one
        rest = b"".join(pieces)
    assert rest.count(b"\r\n") > 9_000


def test_times_may_be_spelled_with_an_offset(bank: Bank) -> None:
    alice, _ = busy(bank)
    at = datetime.now(UTC) - timedelta(days=1)
    answer = bank.get(alice, "/balance", currency="USD", at=at.isoformat())
    assert answer.json()["at"] == spelled(at)
