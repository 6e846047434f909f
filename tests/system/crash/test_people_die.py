"""The API dies, or loses its database, at each point of a log-in: no user half made, no family with two live heads."""

import uuid
from collections.abc import Callable

import httpx
import pytest

from tests.identity.wallets import Wallet
from tests.system.crash.deeds import COMMITTED, later, places
from tests.system.crash.fragile import Fragile
from tests.system.crash.proxy import Then
from tests.system.crash.trade import insist
from tests.system.crash.visitor import Visitor
from tests.system.e2e.crowd import person
from tests.system.e2e.house import LIMIT_S

PASSWORD = "a line of a song"
SESSION = r"strongbox-people: \s*"
# What a work sends first, and what it sends together with its COMMIT.
REGISTER = (SESSION + "INSERT INTO identity.users", SESSION + "INSERT INTO identity.outbox_events")
LOG_IN = (SESSION + "UPDATE identity.users SET last_login_at", SESSION + "INSERT INTO identity.families")
REFRESH = (SESSION + "SELECT id FROM identity.families", SESSION + "INSERT INTO identity.sessions")
ENDS = ("before it began", "with everything locked", "inside", "behind its commit")


@pytest.fixture
def visitor(house: Fragile) -> Visitor:
    """Somebody new."""
    return Visitor(house)


def dies(house: Fragile, work: tuple[str, str], end: str, table: str, do: Callable[[], object]) -> None:
    """Do it, and kill the API at that point."""
    first_words, last_words = work
    if end == "inside":
        house.dies_waiting(do, table, "strongbox-people")
        return
    words, then = {
        "before it began": (first_words, Then.HOLD),
        "with everything locked": (last_words, Then.HOLD),
        "behind its commit": (last_words, Then.SWALLOW_ANSWERS),
    }[end]
    with house.postgres.trap(words, then, COMMITTED) as trap:
        first = later(do)
        trap.wait() if then is Then.HOLD else trap.wait_for_the_answer()
        house.kill("api")
        trap.drop()
    house.wait_until_rolled_back("strongbox-people")
    died = first.exception(60)
    assert isinstance(died, httpx.HTTPError), f"a dead process answered {died or first.result()}"


def points(*tables: str, short: tuple[str, ...] = ()) -> pytest.MarkDecorator:
    """Each point, inside once for each table: the long form but for the short ones."""
    pairs = [(end, table) for end in ENDS for table in (tables if end == "inside" else ("",))]
    return pytest.mark.parametrize(
        ("end", "table"),
        [
            pytest.param(end, table, id=f"{end} {table}".strip(), marks=() if table in short or end in short else LONG)
            for end, table in pairs
        ],
    )


LONG = (pytest.mark.long,)


@points("identity.users", "identity.outbox_events", short=("identity.outbox_events", ENDS[-1]))
def test_who_registers_is_a_user_or_is_none(house: Fragile, visitor: Visitor, end: str, table: str) -> None:
    email = f"{uuid.uuid4()}@example.org"
    who = {"email": email, "password": PASSWORD}
    dies(house, REGISTER, end, table, lambda: visitor.post("register", **who))
    made = end == ENDS[-1]
    assert visitor.rows("SELECT count(*) FROM identity.users WHERE email = %s", email) == [(int(made),)]
    assert visitor.halves() == []
    house.begin("api")
    again = visitor.post("register", **who)
    assert (again.status_code, again.json().get("error", {}).get("code")) == (
        (409, "EMAIL_TAKEN") if made else (201, None)
    )
    assert visitor.post("login", **who).status_code == 200
    assert visitor.halves() == []
    house.verify()


@points("identity.families", "identity.refresh_tokens", "identity.sessions", short=("identity.sessions",))
def test_a_log_in_is_made_whole_or_not_at_all(house: Fragile, visitor: Visitor, end: str, table: str) -> None:
    who = {"email": f"{uuid.uuid4()}@example.org", "password": PASSWORD}
    user = visitor.post("register", **who).json()["user"]["user_id"]
    dies(house, LOG_IN, end, table, lambda: visitor.post("login", **who))
    made = end == ENDS[-1]
    assert visitor.heads(user) == [1] * made
    assert visitor.halves() == []
    last = visitor.rows("SELECT last_login_at IS NOT NULL FROM identity.users WHERE id = %s", uuid.UUID(user))
    assert last == [(made,)]
    house.begin("api")
    assert visitor.post("login", **who).status_code == 200
    assert visitor.heads(user) == [1] * (made + 1)
    house.verify()


@points(
    "identity.refresh_tokens", "identity.sessions",
    short=("with everything locked", "identity.sessions", "behind its commit"),
)  # fmt: skip
def test_who_shows_a_refresh_token_again_gets_its_one_successor(
    house: Fragile, visitor: Visitor, end: str, table: str
) -> None:
    who = person(house)
    dies(house, REFRESH, end, table, lambda: visitor.post("refresh", refresh_token=who.refresh_token))
    assert visitor.heads(who.id) == [1]
    assert visitor.halves() == []
    house.begin("api")
    answers = [visitor.post("refresh", refresh_token=who.refresh_token) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 200]
    (successor,) = {answer.json()["refresh_token"] for answer in answers}
    assert visitor.heads(who.id) == [1]
    assert visitor.post("refresh", refresh_token=successor).status_code == 200
    assert visitor.heads(who.id) == [1]
    house.verify()


@pytest.mark.parametrize("then", [Then.CUT, Then.LOSE_THE_ANSWER], ids=["not sent", "not answered"])
def test_a_rotation_whose_commit_is_lost_is_answered_503_and_repeated_once(
    house: Fragile, visitor: Visitor, then: Then
) -> None:
    who = person(house)
    with house.postgres.trap(REFRESH[1], then, COMMITTED) as trap:
        answer = visitor.post("refresh", refresh_token=who.refresh_token)
        trap.wait()
    assert (answer.status_code, "Retry-After" in answer.headers) == (503, True)
    assert visitor.heads(who.id) == [1]
    again = visitor.post("refresh", refresh_token=who.refresh_token)
    assert again.status_code == 200
    assert visitor.post("refresh", refresh_token=again.json()["refresh_token"]).status_code == 200
    assert visitor.heads(who.id) == [1]
    house.verify()


def test_of_two_who_show_one_token_the_second_waits_and_gets_the_same_successor(
    patient: Fragile, visitor: Visitor
) -> None:
    house = patient
    who = person(house)
    other = places(house)["api"].another()
    there = f"http://127.0.0.1:{other.port}/v1/auth/refresh"
    shown = {"refresh_token": who.refresh_token}
    with house.postgres.trap(REFRESH[1], Then.HOLD) as rotating:
        first = later(lambda: visitor.post("refresh", **shown))
        rotating.wait()
        meanwhile = httpx.post(there, json=shown, timeout=LIMIT_S)
        assert (meanwhile.status_code, "Retry-After" in meanwhile.headers) == (503, True)
        rotating.let_go()
        told = first.result(60)
    assert told.status_code == 200
    again = insist(lambda: httpx.post(there, json=shown, timeout=LIMIT_S))
    assert again.json()["refresh_token"] == told.json()["refresh_token"]
    assert visitor.heads(who.id) == [1]
    assert house.stop(other.name) == 0
    house.verify()


READY = b"Z\0\0\0\5I"
"""The end of what was sent before one Sync, which is a transaction by itself: it is committed right before this."""
SPENDING = r"strongbox-people: \s*DELETE FROM identity.nonces WHERE tenant_id = \$1::uuid AND nonce = \$2::text"


@pytest.mark.parametrize(
    "words",
    [
        pytest.param(SPENDING, id="before the nonce is spent"),
        pytest.param(r"strongbox-people: \s*INSERT INTO identity.users", id="spent", marks=LONG),
        pytest.param(r"strongbox-people: \s*INSERT INTO identity.outbox_events", id="half a user", marks=LONG),
        pytest.param(r"strongbox-people: \s*INSERT INTO identity.families", id="half a log-in"),
    ],
)
def test_a_nonce_whose_process_dies_lets_nobody_in_twice(house: Fragile, visitor: Visitor, words: str) -> None:
    wallet = Wallet(uuid.uuid4().int % 2**200)
    signed = visitor.message(wallet)
    with house.postgres.trap(words, Then.HOLD) as trap:
        first = later(lambda: visitor.post("siwe", **signed))
        trap.wait()
        house.kill("api")
        trap.drop()
        assert isinstance(first.exception(60), httpx.HTTPError)
    house.wait_until_rolled_back("strongbox-people")
    assert visitor.halves() == []
    house.begin("api")
    again = visitor.post("siwe", **signed)
    assert again.status_code == (200 if words == SPENDING else 401), again.text
    assert visitor.post("siwe", **signed).json()["error"]["details"] == {"reason": "nonce"}
    anew = visitor.post("siwe", **visitor.message(wallet))
    assert anew.status_code == 200
    assert visitor.heads(anew.json()["user"]["user_id"]) == [1] * (2 if words == SPENDING else 1)
    assert visitor.halves() == []
    house.verify()


def test_a_nonce_whose_spending_is_not_answered_lets_nobody_in(house: Fragile, visitor: Visitor) -> None:
    """It is spent by then: who asks again cannot tell whether by itself."""
    wallet = Wallet(uuid.uuid4().int % 2**200)
    signed = visitor.message(wallet)
    with house.postgres.trap(SPENDING, Then.LOSE_THE_ANSWER, READY) as trap:
        lost = visitor.post("siwe", **signed)
        trap.wait_for_the_answer()
    assert (lost.status_code, lost.json()["error"]["details"]) == (401, {"reason": "nonce"})
    assert visitor.rows("SELECT FROM identity.users WHERE wallet_address = %s", wallet.address) == []
    assert visitor.post("siwe", **visitor.message(wallet)).status_code == 200
    house.verify()
