"""Logging in and registering: who is let in, and what whoever is not learns by it, which is nothing."""

import time
from collections.abc import AsyncIterator
from statistics import fmean
from uuid import uuid4

import bcrypt
import pytest

from app.contexts.identity.domain.refusals import EmailTaken, LogInRefused, UsernameTaken
from app.contexts.identity.domain.user import User
from app.main.local.roles import Urls
from tests import pace
from tests.identity.people import HOST, PASSWORD, Population, population

FLOOR_MS = 500
SAMPLES = 6


@pytest.fixture(scope="module")
async def slow(module_database: Urls, superuser_url: str) -> AsyncIterator[Population]:
    """The same people, where refusals take as long as they do by default."""
    async with population(module_database.app_url, superuser_url, LOGIN_FLOOR_MS=str(FLOOR_MS)) as people:
        yield people


@pytest.fixture(scope="module")
async def ada(people: Population) -> User:
    return await people.register(email="ada@example.org", username="ada")


async def log_in(people: Population, user: User, password: str) -> User:
    found, _ = await people.container.log_in()(user.tenant_id, user.email, password)
    return found


async def test_the_right_password_lets_in_and_no_other(people: Population, ada: User) -> None:
    assert (await log_in(people, ada, PASSWORD)).id == ada.id
    for wrong in (PASSWORD.upper(), PASSWORD + " ", "", "\0", "\ud800", "x" * 256):
        with pytest.raises(LogInRefused):
            await log_in(people, ada, wrong)
    assert len(people.live_families(ada)) == 1


async def test_nobody_is_let_in_who_is_disabled_has_no_password_or_is_of_another_tenant(people: Population) -> None:
    disabled = await people.register(email="disabled@example.org")
    await people.container.change_user()(disabled.tenant_id, disabled.id, is_active=False)
    without = await people.add(email="without@example.org")
    elsewhere = await people.register("elsewhere", email="elsewhere@example.org")
    for user in (disabled, without):
        with pytest.raises(LogInRefused):
            await log_in(people, user, PASSWORD)
    with pytest.raises(LogInRefused):
        await people.container.log_in()(await people.tenant(), elsewhere.email, PASSWORD)
    assert (await log_in(people, elsewhere, PASSWORD)).id == elsewhere.id


async def test_a_hash_from_elsewhere_is_made_anew_at_the_first_log_in(people: Population) -> None:
    old = bcrypt.hashpw(b"imported song", bcrypt.gensalt(4)).decode()
    user = await people.add(email="imported@example.org", password_hash=old)
    with pytest.raises(LogInRefused):
        await log_in(people, user, "another song")
    for _ in range(2):
        await log_in(people, user, "imported song")
        ((kept,),) = people.rows("SELECT password_hash FROM identity.users WHERE id = %s", user.id)
        assert kept.startswith("$argon2id$")


async def test_no_refusal_comes_before_the_floor_and_all_take_as_long(slow: Population, ada: User) -> None:
    """The means are compared: with the floor they differ by less than the machine's noise."""
    disabled = await slow.register(email="slow@example.org")
    await slow.container.change_user()(disabled.tenant_id, disabled.id, is_active=False)
    took = dict[str, list[float]]()
    for _ in range(SAMPLES):
        for email in (ada.email, disabled.email, "nobody@example.org", None):
            started = time.monotonic()
            with pytest.raises(LogInRefused):
                await slow.container.log_in()(ada.tenant_id, email, "another")
            took.setdefault(str(email), []).append(time.monotonic() - started)
    assert min(map(min, took.values())) >= FLOOR_MS / 1_000
    # A machine that is busy with something else may hold up one, not most of them: what is fastest says what it takes.
    typical = [fmean(sorted(times)[: SAMPLES // 2]) for times in took.values()]
    assert max(typical) / min(typical) < 1 + pace.slow(0.1)


@pytest.mark.long
async def test_means_of_two_hundred_refusals_are_within_ten_percent(slow: Population, ada: User) -> None:
    means = []
    for email in (ada.email, "nobody@example.org"):
        started = time.monotonic()
        for _ in range(200):
            with pytest.raises(LogInRefused):
                await slow.container.log_in()(ada.tenant_id, email, "another")
        means.append((time.monotonic() - started) / 200)
    assert max(means) / min(means) < 1.1


async def test_what_is_taken_is_refused_as_slowly_as_registering_is(slow: Population, ada: User) -> None:
    for members, refusal in (({"email": ada.email}, EmailTaken), ({"username": "ada"}, UsernameTaken)):
        started = time.monotonic()
        with pytest.raises(refusal):
            await slow.register(**{"email": "fresh@example.org"} | members)
        assert time.monotonic() - started >= FLOOR_MS / 1_000
    started = time.monotonic()
    await slow.register(email="fresh@example.org")
    assert time.monotonic() - started >= FLOOR_MS / 1_000


async def test_every_refusal_has_the_same_bytes(people: Population, ada: User) -> None:
    disabled = await people.register(email="same@example.org")
    await people.container.change_user()(disabled.tenant_id, disabled.id, is_active=False)
    bodies = set()
    async with people.client() as client:
        for email, password in (
            ("ada@example.org", "wrong"),
            ("same@example.org", PASSWORD),
            ("nobody@example.org", PASSWORD),
            ("no e-mail at all", PASSWORD),
            ("nul\0@example.org", PASSWORD),
            ("ada@example.org", "\0"),
        ):
            answer = await client.post("/v1/auth/login", json={"email": email, "password": password})
            headers = {name: value for name, value in answer.headers.items() if name != "x-request-id"}
            bodies.add((answer.status_code, answer.content, tuple(sorted(headers.items()))))
    ((status, _, told),) = bodies
    assert status == 401
    assert ("www-authenticate", 'Bearer realm="strongbox"') in told
    assert ("cache-control", "no-store") in told


async def test_an_email_is_looked_for_as_it_is_kept_and_the_host_says_whose_it_is(
    people: Population, ada: User
) -> None:
    await people.register("other", email="ada@example.org", password="another song")
    async with people.client() as client:
        body = {"email": "  ADA@Example.org ", "password": PASSWORD}
        answer = await client.post("/v1/auth/login", json=body)
        assert answer.status_code == 200
        assert answer.json()["user"]["user_id"] == str(ada.id)
        assert {cookie.partition("=")[0] for cookie in answer.headers.get_list("set-cookie")} == {
            "__Host-strongbox_session",
            "__Secure-strongbox_refresh",
        }
        assert (await client.post("http://other.test/v1/auth/login", json=body)).status_code == 401
        body["password"] = "another song"
        assert (await client.post("http://other.test/v1/auth/login", json=body)).status_code == 200
        assert (await client.post(f"http://{HOST}/v1/auth/login", json=body)).status_code == 401


async def test_a_token_that_is_none_is_refused_though_none_is_needed_and_an_old_cookie_is_not(
    people: Population, ada: User
) -> None:
    body = {"email": "ada@example.org", "password": PASSWORD}
    async with people.client() as client:
        bad = await client.post("/v1/auth/login", json=body, headers={"Authorization": f"Bearer {uuid4()}"})
        assert bad.status_code == 401
        old = await client.post("/v1/auth/login", json=body, headers={"Cookie": f"session={uuid4()}"})
        assert old.status_code == 200
