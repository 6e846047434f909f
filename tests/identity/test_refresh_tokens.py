"""Refresh tokens: each has one successor, and whoever comes late with a spent one ends the log-in."""

import asyncio
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import psycopg
import pytest

from app.contexts.identity.domain.secret import digest
from app.main.local.roles import Urls
from tests.identity.processes import Process, bearer, comes_within, process, somebody
from tests.pace import slow
from tests.pgbouncer import pgbouncer


@pytest.fixture
async def short(module_database: Urls, superuser_url: str, tmp_path: Path) -> AsyncIterator[Process]:
    """One with next to no grace."""
    async with process(module_database.app_url, superuser_url, tmp_path, REFRESH_GRACE_S="0.001") as api:
        yield api


async def test_a_refresh_token_is_answered_with_another_pair(api: Process) -> None:
    first = await api.registered(somebody())
    second = (await api.refresh(first["refresh_token"])).json()
    assert second.keys() == first.keys()
    assert second["user"] == first["user"]
    assert (second["token_type"], second["expires_in"]) == ("Bearer", 900)
    assert second["refresh_token"] != first["refresh_token"]
    assert await api.knows(first["access_token"])
    assert await api.knows(second["access_token"])
    assert (await api.refresh(second["refresh_token"])).status_code == 200


async def test_within_the_grace_a_spent_one_is_answered_the_same_successor(api: Process) -> None:
    first = await api.registered(somebody())
    answers = [(await api.refresh(first["refresh_token"])) for _ in range(3)]
    assert len({answer.json()["refresh_token"] for answer in answers}) == 1
    cookies = {tuple(cookie.partition(";")[0] for cookie in a.headers.get_list("set-cookie")) for a in answers}
    assert len(cookies) == 1
    assert api.heads(first["user"]["user_id"])[0][1] == 1


async def test_within_the_grace_a_spent_one_whose_successor_is_spent_is_refused_and_the_log_in_lives(
    api: Process,
) -> None:
    first = await api.registered(somebody())
    second = (await api.refresh(first["refresh_token"])).json()
    third = (await api.refresh(second["refresh_token"])).json()
    refused = await api.refresh(first["refresh_token"])
    assert (refused.status_code, refused.json()["error"]["code"]) == (401, "UNAUTHORIZED")
    assert refused.headers["www-authenticate"] == 'Bearer realm="strongbox", error="invalid_token"'
    assert (await api.refresh(third["refresh_token"])).status_code == 200


async def test_after_the_grace_a_spent_one_ends_the_log_in_with_its_access_tokens(short: Process) -> None:
    first = await short.registered(somebody())
    second = (await short.refresh(first["refresh_token"])).json()
    await asyncio.sleep(0.01)
    assert (await short.refresh(first["refresh_token"])).status_code == 401
    assert (await short.refresh(second["refresh_token"])).status_code == 401
    for told in (first, second):
        await comes_within(1, partial(_is_refused, short, told["access_token"]))


async def _is_refused(api: Process, token: str) -> bool:
    return not await api.knows(token)


async def test_fifty_at_once_get_one_successor(api: Process, module_database: Urls, tmp_path: Path) -> None:
    """In two processes."""
    first = await api.registered(somebody())
    async with process(module_database.app_url, api.owner_url, tmp_path) as other:
        answers = await asyncio.gather(
            *(each.refresh(first["refresh_token"]) for _ in range(25) for each in (api, other))
        )
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.json()["refresh_token"] for answer in answers}) == 1
    ((family, heads),) = api.heads(first["user"]["user_id"])
    assert heads == 1
    assert api.rows("SELECT count(*) FROM identity.refresh_tokens WHERE family_id = %s", family) == [(2,)]


async def test_fifty_at_once_get_one_successor_behind_a_pooler(
    api: Process, module_database: Urls, tmp_path: Path
) -> None:
    with pgbouncer(tmp_path, module_database.app_url, sessions=2) as (url,):
        async with process(url, api.owner_url, tmp_path) as pooled:
            first = await pooled.registered(somebody())
            answers = await asyncio.gather(*(pooled.refresh(first["refresh_token"]) for _ in range(50)))
            assert {answer.status_code for answer in answers} == {200}
            assert len({answer.json()["refresh_token"] for answer in answers}) == 1
            assert await pooled.knows(answers[0].json()["access_token"])


async def test_a_log_in_ends_when_its_time_is_over_however_often_it_was_renewed(
    module_database: Urls, superuser_url: str, tmp_path: Path
) -> None:
    async with process(module_database.app_url, superuser_url, tmp_path, REFRESH_TTL_H="0.0003") as api:
        told = await api.registered(somebody())
        began = asyncio.get_running_loop().time()
        while (answer := await api.refresh(told["refresh_token"])).status_code == 200:
            told = answer.json()
            assert asyncio.get_running_loop().time() - began < slow(3)
            await asyncio.sleep(0.05)
        assert answer.status_code == 401
        await comes_within(1, partial(_is_refused, api, told["access_token"]))


@pytest.mark.parametrize(
    "token",
    ["", "x", "a.b", "0" * 32 + "." + "x" * 43, "é" * 40, "\x00", "0" * 5_000, "../../etc/passwd", "١" * 32 + ".x"],
    ids=repr,
)
async def test_what_is_no_token_is_refused(api: Process, token: str) -> None:
    assert (await api.refresh(token)).status_code == 401


async def test_a_token_of_another_tenant_by_its_beginning_is_none(api: Process) -> None:
    told = await api.registered(somebody())
    secret = told["refresh_token"].partition(".")[2]
    assert (await api.refresh(f"{'0' * 32}.{secret}")).status_code == 401
    assert (await api.refresh(told["refresh_token"])).status_code == 200


async def test_nobody_without_one_is_let_in_anew(api: Process) -> None:
    answer = await api.client().post("/v1/auth/refresh")
    assert (answer.status_code, answer.headers["www-authenticate"]) == (401, 'Bearer realm="strongbox"')


@pytest.mark.parametrize("body", ['{"refresh_token": 1}', '{"refresh_token": null}', '{"x": "y"}', "[]", "{"])
async def test_a_malformed_body_is_told(api: Process, body: str) -> None:
    answer = await api.client().post("/v1/auth/refresh", content=body, headers={"Content-Type": "application/json"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "VALIDATION_ERROR")


async def test_no_secret_is_in_the_database(api: Process) -> None:
    client = api.client()
    email = somebody()
    await api.registered(email)
    told = await api.log_in(email, client)
    renewed = (await api.refresh(told["refresh_token"])).json()
    secrets = [told["refresh_token"], renewed["refresh_token"], *client.cookies.values()]
    for table in ("families", "refresh_tokens", "sessions", "users"):
        text = str(api.rows(f"SELECT t::text, t FROM identity.{table} t"))
        assert not [secret for secret in secrets if secret in text or secret.partition(".")[2] in text]
        assert not [secret for secret in secrets if secret.encode().hex() in text]
    (found,) = api.rows(
        "SELECT spent_at IS NOT NULL FROM identity.refresh_tokens WHERE token_hash = %s", digest(secrets[0])
    )
    assert found == (True,)


async def test_a_disabled_user_renews_nothing(api: Process) -> None:
    told = await api.registered(somebody())
    api.rows("UPDATE identity.users SET is_active = false WHERE id = %s", told["user"]["user_id"])
    assert (await api.refresh(told["refresh_token"])).status_code == 401
    api.rows("UPDATE identity.users SET is_active = true WHERE id = %s", told["user"]["user_id"])
    assert (await api.refresh(told["refresh_token"])).status_code == 200


async def test_cut_off_between_its_statements_a_rotation_leaves_one_head(api: Process, superuser_url: str) -> None:
    told = await api.registered(somebody())
    with psycopg.connect(superuser_url) as blocker, psycopg.connect(superuser_url, autocommit=True) as killer:
        blocker.execute("LOCK TABLE identity.sessions IN SHARE MODE")  # all before it is written, and waits there
        body = {"refresh_token": told["refresh_token"]}
        under_way = asyncio.create_task(api.client().post("/v1/auth/refresh", json=body))
        waiting = (
            "SELECT pid FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%%identity.sessions%%'"
            " AND datname = current_database()"
        )

        async def is_waiting() -> bool:
            return bool(killer.execute(waiting).fetchall())

        await comes_within(20, is_waiting)
        killer.execute(f"SELECT pg_terminate_backend(pid) FROM ({waiting}) AS w (pid)")
        assert (await under_way).status_code == 503
    ((_, heads),) = api.heads(told["user"]["user_id"])
    assert heads == 1
    assert (await api.refresh(told["refresh_token"])).status_code == 200


async def test_a_family_cannot_have_two_heads(api: Process) -> None:
    told = await api.registered(somebody())
    ((family, _),) = api.heads(told["user"]["user_id"])
    with pytest.raises(psycopg.errors.UniqueViolation, match="refresh_tokens_one_unspent"):
        api.rows(
            "INSERT INTO identity.refresh_tokens (tenant_id, token_hash, family_id, created_at)"
            " SELECT tenant_id, 'x', id, now() FROM identity.families WHERE id = %s",
            family,
        )


async def test_a_sealed_successor_goes_when_its_grace_is_over(short: Process) -> None:
    told = await short.registered(somebody())
    await short.refresh(told["refresh_token"])
    sealed = (
        "SELECT count(*) FROM identity.refresh_tokens t JOIN identity.families f ON f.id = t.family_id"
        " WHERE f.user_id = %s AND sealed_successor IS NOT NULL"
    )
    user_id = told["user"]["user_id"]
    assert short.rows(sealed, user_id) == [(1,)]
    await asyncio.sleep(0.01)
    for tenant in await short.container.known_tenants().all():
        assert not await short.container.leftovers().purge(tenant.id, 0.001)
    assert short.rows(sealed, user_id) == [(0,)]


async def test_the_sessions_of_a_log_in_do_not_pile_up(api: Process) -> None:
    told = await api.registered(somebody())
    for _ in range(4):
        answer = await api.refresh(told["refresh_token"])
        told = answer.json()
    assert api.rows(
        "SELECT count(*) FROM identity.sessions s JOIN identity.families f ON f.id = s.family_id WHERE f.user_id = %s",
        told["user"]["user_id"],
    ) == [(2,)]


async def test_bearer_and_refresh_token_together_are_the_refresh_tokens_business(api: Process) -> None:
    """A client sends along what it has: an access token that has ended is no reason to refuse."""
    told = await api.registered(somebody())
    answer = await api.client().post(
        "/v1/auth/refresh", json={"refresh_token": told["refresh_token"]}, headers=bearer("ended.long.ago")
    )
    assert answer.status_code == 200
