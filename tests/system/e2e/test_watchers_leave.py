"""Somebody who is signed in watches an auction: with what let them in it ends, within a second, and not before."""

import threading
import time
from collections.abc import Iterator, Mapping
from uuid import UUID, uuid4

import httpx
import pytest

from app.main.local.postgres import PostgresServer
from tests.auctions.gallery import at_once
from tests.auctions.two_apis import FIRST, TwoApis, two_apis
from tests.auctions.watched import events_of, live
from tests.conftest import MakeDatabase
from tests.pace import slow
from tests.system.e2e.house import body
from tests.system.e2e.people import PASSWORD

ACCESS_TTL_S = 12
"""Whoever is put out by something else is so long before, on a busy machine, too."""


@pytest.fixture(scope="module")
def apis(
    make_fresh_database: MakeDatabase, postgres_server: PostgresServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[TwoApis]:
    folder = tmp_path_factory.mktemp("watched")
    settings = {"ACCESS_TTL_S": str(ACCESS_TTL_S)}
    with two_apis(make_fresh_database(), postgres_server, folder, **settings) as apis:
        apis.house.stop(FIRST)  # one of them is enough here
        yield apis


@pytest.fixture
def auction_id(apis: TwoApis) -> UUID:
    return at_once(apis.hammer.opened()).id


class LogIn:
    """Somebody who has just logged in."""

    def __init__(self, apis: TwoApis) -> None:
        self.url = apis.url
        email = f"{uuid4().hex}@example.com"
        about = {"email": email, "password": PASSWORD}
        self.user_id = body(httpx.post(f"{self.url}/v1/auth/register", json=about), 201)["user"]["user_id"]
        self.asked_at = time.monotonic()
        answer = httpx.post(f"{self.url}/v1/auth/login", json=about)
        self.token = body(answer, 200)["access_token"]
        self.at = time.monotonic()
        cookies = [each.partition(";")[0] for each in answer.headers.get_list("set-cookie")]
        self.cookie = next(each for each in cookies if "session" in each)

    @property
    def shown(self) -> Mapping[str, Mapping[str, str]]:
        """By what this side may know them."""
        return {"token": {"Authorization": f"Bearer {self.token}"}, "cookie": {"Cookie": self.cookie}}

    def log_out(self) -> None:
        """End it."""
        httpx.post(f"{self.url}/v1/auth/logout", headers=self.shown["token"]).raise_for_status()


class Watcher:
    """Somebody who watches an auction from here on."""

    def __init__(self, apis: TwoApis, auction_id: UUID, headers: Mapping[str, str]) -> None:
        self._began, self._text, self._ended_at = threading.Event(), "", 0.0
        self._thread = threading.Thread(target=self._follow, args=(apis.url + live(auction_id), headers))
        self._thread.start()
        assert self._began.wait(60)
        assert [each.kind for each in events_of(self._text)] == ["state"]

    def _follow(self, url: str, headers: Mapping[str, str]) -> None:
        with httpx.stream("GET", url, headers=headers, timeout=60) as answer:
            for piece in answer.iter_text():
                self._text += piece
                self._began.set()
        self._ended_at = time.monotonic()

    @property
    def is_watching(self) -> bool:
        """Whether it goes on."""
        return self._thread.is_alive()

    def end(self) -> float:
        """Wait for the end; when it was."""
        self._thread.join(60)
        assert not self.is_watching
        return self._ended_at


@pytest.mark.parametrize("by", ["token", "cookie"])
def test_a_log_out_ends_what_its_credentials_let_in(apis: TwoApis, auction_id: UUID, by: str) -> None:
    somebody = LogIn(apis)
    watcher = Watcher(apis, auction_id, somebody.shown[by])
    somebody.log_out()
    out_at = time.monotonic()
    assert watcher.end() - out_at < slow(1)
    again = httpx.get(apis.url + live(auction_id), headers=somebody.shown[by])
    assert again.status_code == 401


def test_with_the_end_of_a_token_it_ends_and_not_before(apis: TwoApis, auction_id: UUID) -> None:
    somebody = LogIn(apis)
    ended_at = Watcher(apis, auction_id, somebody.shown["token"]).end()
    assert ended_at - somebody.asked_at > ACCESS_TTL_S - 1  # a token's times are whole seconds
    assert ended_at - somebody.at < slow(ACCESS_TTL_S + 1)


def test_whom_an_operator_disables_sees_no_more(apis: TwoApis, auction_id: UUID) -> None:
    somebody, another = LogIn(apis), LogIn(apis)
    watcher, other = (Watcher(apis, auction_id, each.shown["cookie"]) for each in (somebody, another))
    apis.house.command("user", "disable", somebody.user_id)
    out_at = time.monotonic()
    assert watcher.end() - out_at < slow(1)
    assert other.is_watching
    another.log_out()
    other.end()
