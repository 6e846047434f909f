"""Malformed requests for one's own wallet: each is refused in the envelope, and nothing comes of it."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from tests.api_answers import check_documented
from tests.fakes.people import Somebody
from tests.fakes.transfers import FakeTransfers
from tests.funds.malformed import BODIES, GOOD, KEYS, LISTS, QUERIES, RECEIVE, SEND, body
from tests.funds.served import Served, made_up, serving

JSON = {"Content-Type": "application/json"}
PATHS = ("/v1/wallet", *LISTS, SEND, RECEIVE)


@dataclass
class Wallets:
    """The API, what it was asked to move, and who asks."""

    served: Served
    transfers: FakeTransfers
    alice: Somebody
    machine: Somebody
    document: Any

    def asker(self, path: str) -> Somebody:
        return self.machine if path == RECEIVE else self.alice

    def post(self, path: str, raw: str | bytes, *headers: tuple[str, str | bytes], who: Any = None) -> httpx.Response:
        content = raw.encode("utf-8", "surrogatepass") if isinstance(raw, str) else raw
        who = (who or self.asker(path)).bearer if who is not False else {}
        with self.served.client() as client:
            return client.post(path, content=content, headers=[*who.items(), *headers])

    def get(self, target: str, headers: Any = None) -> httpx.Response:
        with self.served.client() as client:
            return client.get(target, headers=self.alice.bearer if headers is None else headers)

    def refused(self, answer: httpx.Response, status: int, code: str) -> dict[str, Any]:
        """The details of the refusal, which is as every one has to be."""
        assert (answer.status_code, answer.json()["error"]["code"]) == (status, code), answer.text
        assert not self.transfers.asked
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["x-request-id"]
        target = str(answer.request.url.raw_path, "ascii")
        check_documented(self.document, answer.request.method, target, status, answer.headers, answer.content)
        details: dict[str, Any] = answer.json()["error"]["details"]
        return details


@pytest.fixture(scope="module")
def wallets() -> Iterator[Wallets]:
    transfers = FakeTransfers()
    with serving(made_up(transfers)) as served:
        with served.client() as client:
            document = client.get("/openapi.json").json()
        alice, machine = served.people.user("alice"), served.people.machine("wallet:receive")
        served.people.user("bob")
        yield Wallets(served, transfers, alice, machine, document)


@pytest.fixture(autouse=True)
def nothing_asked(wallets: Wallets) -> None:
    wallets.transfers.asked.clear()


@pytest.mark.parametrize("name", BODIES)
def test_a_malformed_body_is_refused_by_the_member_that_is_wrong(wallets: Wallets, name: str) -> None:
    path, raw, wrong = BODIES[name]
    answer = wallets.post(path, raw, *JSON.items(), ("Idempotency-Key", "a"))
    assert wrong in wallets.refused(answer, 400, "VALIDATION_ERROR")


@pytest.mark.parametrize("path", GOOD)
@pytest.mark.parametrize("name", KEYS)
def test_a_malformed_key_is_refused(wallets: Wallets, path: str, name: str) -> None:
    keys = [("Idempotency-Key", value) for value in KEYS[name]]
    answer = wallets.post(path, body(path), *JSON.items(), *keys)
    assert "Idempotency-Key" in wallets.refused(answer, 400, "VALIDATION_ERROR")


@pytest.mark.parametrize("path", GOOD)
@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Content-Type": "text/plain"},
        {"Content-Type": "application/x-www-form-urlencoded"},
        {"Content-Type": "application/json; charset=latin-1"},
        {"Content-Type": "application/json-patch+json"},
        JSON | {"Content-Encoding": "gzip"},
    ],
    ids=str,
)
def test_what_is_not_plain_json_is_refused(wallets: Wallets, path: str, headers: dict[str, str]) -> None:
    answer = wallets.post(path, body(path), *headers.items(), ("Idempotency-Key", "a"))
    wallets.refused(answer, 415, "UNSUPPORTED_MEDIA_TYPE")


@pytest.mark.parametrize("path", GOOD)
def test_a_body_that_is_too_large_is_refused(wallets: Wallets, path: str) -> None:
    answer = wallets.post(path, "a" * 70_000, *JSON.items(), ("Idempotency-Key", "a"))
    wallets.refused(answer, 413, "PAYLOAD_TOO_LARGE")


@pytest.mark.parametrize("path", LISTS)
@pytest.mark.parametrize("name", QUERIES)
def test_a_malformed_query_is_refused_by_the_parameter_that_is_wrong(wallets: Wallets, path: str, name: str) -> None:
    query, wrong = QUERIES[name]
    assert wrong in wallets.refused(wallets.get(f"{path}?{query}"), 400, "VALIDATION_ERROR")


@pytest.mark.parametrize("currency", ["usd", "USD%0A", "", "U%D0%85D", "ZZZ"])
def test_a_currency_that_is_none_is_refused(wallets: Wallets, currency: str) -> None:
    answer = wallets.get(f"/v1/wallet/transactions?currency={currency}")
    assert "currency" in wallets.refused(answer, 400, "VALIDATION_ERROR")


@pytest.mark.parametrize("target", ["/v1/wallet?currency=USD", "/v1/wallet?a=1", "/v1/wallet/holds?currency=USD"])
def test_parameters_of_other_routes_are_none_of_this_one(wallets: Wallets, target: str) -> None:
    wallets.refused(wallets.get(target), 400, "VALIDATION_ERROR")


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    "headers",
    [
        [],
        [("Authorization", "Bearer nobody")],
        [("Authorization", "Bearer")],
        [("Authorization", "Basic YTpi")],
        [("Authorization", "Bearer a b")],
        [("X-API-Key", "the-key-of-the-tests")],
        [("Cookie", "strongbox_session=nobody")],
    ],
    ids=str,
)
def test_nobody_gets_in_who_is_not_known(wallets: Wallets, path: str, headers: list[tuple[str, str]]) -> None:
    with wallets.served.client() as client:
        if path in GOOD:
            given = [*headers, *JSON.items(), ("Idempotency-Key", "a")]
            answer = client.post(path, content=body(path), headers=given)
        else:
            answer = client.get(path, headers=headers)
    wallets.refused(answer, 401, "UNAUTHORIZED")
    assert answer.headers["www-authenticate"].startswith('Bearer realm="strongbox"')


@pytest.mark.parametrize("path", PATHS)
def test_two_authorizations_are_malformed(wallets: Wallets, path: str) -> None:
    twice = [*wallets.asker(path).bearer.items()] * 2
    with wallets.served.client() as client:
        answer = client.post(path, headers=twice) if path in GOOD else client.get(path, headers=twice)
    assert "Authorization" in wallets.refused(answer, 400, "VALIDATION_ERROR")


@pytest.mark.parametrize("path", [path for path in PATHS if path != RECEIVE])
def test_a_machine_has_no_wallet_of_its_own(wallets: Wallets, path: str) -> None:
    with wallets.served.client(headers=wallets.machine.bearer) as client:
        answer = client.post(path, content=b"no JSON") if path in GOOD else client.get(path)
    wallets.refused(answer, 403, "FORBIDDEN")


def test_paying_in_is_for_admins_and_for_machines_with_the_scope(wallets: Wallets) -> None:
    people = wallets.served.people
    for somebody in (wallets.alice, people.machine(), people.machine("purchases:write")):
        answer = wallets.post(RECEIVE, "no JSON", who=somebody)
        wallets.refused(answer, 403, "FORBIDDEN")
        assert 'scope="wallet:receive"' in answer.headers["www-authenticate"]


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("GET", SEND, "POST"),
        ("PUT", SEND, "POST"),
        ("DELETE", RECEIVE, "POST"),
        ("POST", "/v1/wallet", "GET, HEAD"),
        ("PATCH", "/v1/wallet/holds", "GET, HEAD"),
    ],
)
def test_other_methods_are_named_with_those_that_there_are(
    wallets: Wallets, method: str, path: str, allowed: str
) -> None:
    with wallets.served.client(headers=wallets.alice.bearer) as client:
        answer = client.request(method, path)
    assert (answer.status_code, answer.headers["allow"]) == (405, allowed)


@pytest.mark.parametrize(
    "path", ["/v1/wallets", "/v1/wallet/", "/v1/wallet/send/", "/v1//wallet", "/V1/wallet", "/v1/wallet/..%2fwallet"]
)
def test_paths_that_are_almost_right_lead_nowhere(wallets: Wallets, path: str) -> None:
    with wallets.served.client(headers=wallets.alice.bearer) as client:
        assert client.get(path).status_code == 404


def test_there_are_more_than_two_hundred_of_them() -> None:
    assert len(BODIES) + len(GOOD) * len(KEYS) + len(LISTS) * len(QUERIES) > 200
