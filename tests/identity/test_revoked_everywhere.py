"""What was revoked is refused within a second, in every process; and whoever cannot know lets nobody in."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from app.contexts.identity.adapters.postgres import standings
from app.contexts.identity.application import known_tenants, who_stands
from app.main.local.postgres import PostgresServer
from app.main.local.roles import Urls
from app.platform.postgres import pool
from tests.conftest import MakeDatabase
from tests.identity.processes import ME, PASSWORD, Process, bearer, comes_within, process, somebody
from tests.pace import slow
from tests.plans import plan_of


@pytest.fixture(scope="module")
async def other(
    module_database: Urls, superuser_url: str, tmp_path_factory: pytest.TempPathFactory, api: Process
) -> AsyncIterator[Process]:
    """A second process, with the same keys."""
    keys = {"JWT_KEYS": str(api.container.settings().jwt_keys)}
    async with process(module_database.app_url, superuser_url, tmp_path_factory.mktemp("other"), **keys) as other:
        yield other


Told = dict[str, Any]


async def disable(api: Process, told: Told) -> None:
    await _by_an_admin(api, told, {"is_active": False})


async def _by_an_admin(api: Process, told: Told, change: dict[str, object]) -> None:
    admin = await api.registered(somebody())
    api.rows("UPDATE identity.users SET role = 'admin' WHERE id = %s", admin["user"]["user_id"])
    api.container.who_stands().forget(_id(admin))
    path = f"/v1/users/{told['user']['user_id']}"
    answer = await api.client().patch(path, json=change, headers=bearer(admin["access_token"]))
    assert answer.status_code == 200, answer.text


def _id(told: Told) -> UUID:
    return UUID(told["user"]["user_id"])


async def change_password(api: Process, told: Told) -> None:
    again = await api.log_in(told["user"]["email"])
    answer = await api.client().patch(
        ME, json={"password": "another line of it", "current_password": PASSWORD}, headers=bearer(again["access_token"])
    )
    assert answer.status_code == 200, answer.text
    assert await api.knows(again["access_token"])  # it is the others that end


async def log_out(api: Process, told: Told) -> None:
    answer = await api.client().post("/v1/auth/logout", json={"refresh_token": told["refresh_token"]})
    assert answer.status_code == 204


async def replay(api: Process, told: Told) -> None:
    for _ in range(2):
        await api.refresh(told["refresh_token"])
        api.rows("UPDATE identity.refresh_tokens SET spent_at = spent_at - interval '1 min' WHERE spent_at IS NOT NULL")


REVOKED: Mapping[str, Callable[[Process, Told], Awaitable[None]]] = {
    "logged out": log_out,
    "disabled": disable,
    "password changed": change_password,
    "a spent token replayed": replay,
}


@pytest.mark.parametrize("how", REVOKED)
async def test_what_is_revoked_is_refused_at_once_here_and_within_a_second_elsewhere(
    api: Process, other: Process, how: str
) -> None:
    email, browser = somebody(), api.client()
    await api.registered(email)
    told = await api.log_in(email, browser)
    elsewhere = other.client()
    elsewhere.cookies = browser.cookies
    ways = {
        "bearer": partial(other.knows, told["access_token"]),
        "cookie": partial(_is_let_in, elsewhere),
    }
    assert [await way() for way in ways.values()] == [True, True]
    await REVOKED[how](api, told)
    assert not await api.knows(told["access_token"])
    for way in ways.values():
        await comes_within(1, partial(_not, way))


async def _not(way: Callable[[], Awaitable[bool]]) -> bool:
    return not await way()


async def _is_let_in(browser: httpx.AsyncClient) -> bool:
    return (await browser.get(ME)).status_code == 200


async def test_a_role_is_what_it_is_now(api: Process, other: Process) -> None:
    told = await api.registered(somebody())
    headers = bearer(told["access_token"])

    async def may() -> bool:
        return (await other.client().get("/v1/users", headers=headers)).status_code == 200

    assert not await may()
    await _by_an_admin(api, told, {"role": "admin"})
    await comes_within(1, may)
    await _by_an_admin(api, told, {"role": "seller"})

    async def may_not() -> bool:
        return not await may()

    await comes_within(1, may_not)


async def test_a_credential_is_good_on_its_tenants_hosts_alone(api: Process) -> None:
    operate = api.container.operate()
    await operate.add_tenant("hosted", "hosted.test")
    await comes_within(2, lambda: _is_known(api, "hosted.test"))
    told = await api.registered(somebody())
    body = {"email": somebody(), "password": PASSWORD}
    async with api.client("hosted.test") as hosted:
        await hosted.post("/v1/auth/register", json=body)
        theirs = (await hosted.post("/v1/auth/login", json=body)).json()
        assert (await hosted.get(ME)).status_code == 200
        session = {"Cookie": "; ".join(f"{name}={value}" for name, value in hosted.cookies.items())}
    assert await api.status(theirs["access_token"], "hosted.test") == 200
    assert await api.status(theirs["access_token"], "HOSTED.test:8443") == 200
    assert await api.status(theirs["access_token"]) == 401
    assert await api.status(told["access_token"], "hosted.test") == 401
    assert await api.status(told["access_token"], "nobodys.test") == 200
    assert (await api.client().get(ME, headers=session)).status_code == 401


async def _is_known(api: Process, host: str) -> bool:
    tenants = api.container.known_tenants()
    return await tenants.of_host(host) != await tenants.of_host("nobodys.test")


async def test_without_a_database_nobody_is_let_in_and_afterwards_all_are(
    mortal_postgres: PostgresServer,
    make_mortal_database: MakeDatabase,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(pool, "WAIT_S", 1.0)  # as they are: here they are tested
    monkeypatch.setattr(who_stands, "OLDEST_S", known_tenants.OLDEST_S)
    monkeypatch.setattr(known_tenants, "WITHIN_S", known_tenants.OLDEST_S)
    urls = make_mortal_database()
    async with process(urls.app_url, urls.owner_url, tmp_path) as api:
        told = await api.registered(somebody())
        await comes_within(20, partial(api.knows, told["access_token"]))
        mortal_postgres.kill()
        try:

            async def is_not_known() -> bool:
                return await api.status(told["access_token"]) == 503

            await comes_within(2, is_not_known)
            began = asyncio.get_running_loop().time()
            answers = await asyncio.gather(*(api.status(told["access_token"]) for _ in range(20)))
            assert set(answers) == {503}
            assert asyncio.get_running_loop().time() - began < slow(4)
        finally:
            mortal_postgres.start()

        async def is_known() -> bool:
            return await api.knows(told["access_token"])

        await comes_within(20, is_known)


def test_who_stands_is_looked_up_by_keys(module_database: Urls) -> None:
    """Under row-level security, too, where only some operators may use an index."""
    for statement, values in (
        (standings.FAMILIES, (uuid4(), [uuid4()])),
        (standings.SESSIONS, (uuid4(), [b"x"])),
        (standings.CLIENTS, (uuid4(), [uuid4()])),
    ):
        for mode in ("force_custom_plan", "force_generic_plan"):
            plan = plan_of(module_database.app_url, mode, statement.text, values)
            conditions = [line for line in plan.splitlines() if "Cond" in line]
            assert conditions, plan
            assert "_pkey" in plan, plan
