"""What sessions and tokens leave behind: nothing in the logs, and in the database only what still has a use."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from app.contexts.identity.adapters.jwt.access_tokens import JwtAccessTokens
from app.contexts.identity.adapters.jwt.key_set import LOOK_EVERY_S, KeyRing
from app.contexts.identity.adapters.jwt.known_tokens import KnownTokens
from app.contexts.identity.adapters.jwt.rotation import make, rotate
from app.contexts.identity.domain.user import User
from app.contexts.identity.processes import serving
from app.kernel.ids import UserId
from app.kernel.principal import Role, TenantId
from app.main.local.roles import Urls
from app.platform.people import NotLetIn
from tests.identity.processes import ME, PASSWORD, Process, bearer, comes_within, process, somebody


async def test_no_line_of_the_log_has_a_secret_or_an_email(api: Process, lines: list[Any]) -> None:
    email, browser = somebody(), api.client()
    await api.registered(email)
    told = await api.log_in(email, browser)
    cookies = list(browser.cookies.values())
    await browser.get(ME, headers=bearer(told["access_token"]))
    await browser.get(f"{ME}?token={told['access_token']}")
    renewed = (await browser.post("/v1/auth/refresh")).json()
    await api.refresh(f"{told['refresh_token']}x")
    await api.client().get(ME, headers=bearer(f"{told['access_token']}x"))
    form = {"grant_type": "client_credentials", "client_id": "a-client", "client_secret": "a-secret-of-a-client"}
    await api.client().post("/v1/auth/token", data=form)
    await browser.post("/v1/auth/logout", json={"refresh_token": renewed["refresh_token"]})
    text = str(lines)
    assert text.count("'event': 'request'") >= 9
    secrets = [email, PASSWORD, form["client_secret"], *cookies, *browser.cookies.values()]
    secrets += [one[name] for one in (told, renewed) for name in ("access_token", "refresh_token")]
    secrets += [part for secret in secrets for part in secret.split(".") if len(part) > 20 and part != secret]
    tenant = told["refresh_token"].partition(".")[0]
    assert not [secret for secret in secrets if secret != tenant and secret in text]


async def test_what_has_had_its_time_goes_while_the_api_serves(
    module_database: Urls, superuser_url: str, tmp_path: Path, lines: list[Any]
) -> None:
    async with process(module_database.app_url, superuser_url, tmp_path, COOKIE_SECURE="false") as api:
        told = await api.registered(somebody())
        ((family, _),) = api.heads(told["user"]["user_id"])
        api.rows("UPDATE identity.families SET expires_at = now() - interval '1 s' WHERE id = %s", family)
        api.rows(
            "INSERT INTO identity.nonces SELECT id, 'old', now() - interval '1 s' FROM identity.tenants"
            " UNION ALL SELECT id, 'new', now() + interval '1 h' FROM identity.tenants"
        )
        async with serving(api.container):

            async def is_gone() -> bool:
                return api.rows("SELECT nonce FROM identity.nonces GROUP BY nonce") == [("new",)]

            await comes_within(4, is_gone)
        assert api.heads(told["user"]["user_id"]) == []
        assert [line["setting"] for line in lines if line["log_level"] == "warning"] == ["COOKIE_SECURE"]


async def test_nobody_opens_a_session_who_was_disabled_or_changed_the_password_meanwhile(api: Process) -> None:
    told = await api.registered(somebody())
    user_id = told["user"]["user_id"]
    ((tenant_id, stored),) = api.rows("SELECT tenant_id, password_hash FROM identity.users WHERE id = %s", user_id)
    user = User(
        id=UserId(UUID(user_id)),
        tenant_id=TenantId(tenant_id),
        role=Role.CUSTOMER,
        created_at=datetime.now(UTC),
        email="x",
    )
    open_session = api.container.open_session()
    assert (await open_session(user, stored)).logged_in_at
    assert (await open_session(user)).expires_in_s == 900
    with pytest.raises(NotLetIn):
        await open_session(user, "another hash")
    api.rows("UPDATE identity.users SET is_active = false WHERE id = %s", user_id)
    with pytest.raises(NotLetIn):
        await open_session(user, stored)
    assert len(api.heads(user_id)) == 3


def test_a_signature_is_looked_at_once_as_long_as_the_keys_stay(tmp_path: Path) -> None:
    now, path = 1_800_000_000.0, tmp_path / "keys.json"
    ticks = iter(float(n) for n in range(10_000))
    make(path, "EdDSA", now)
    tokens = JwtAccessTokens(KeyRing(path, lambda: now, lambda: next(ticks)), "i", "a", 900)
    known = KnownTokens(tokens, most=2)
    at = datetime.fromtimestamp(now, UTC)
    signed = [tokens.of_user(TenantId(uuid4()), UserId(uuid4()), Role.ADMIN, uuid4(), at) for _ in range(3)]
    first = known.verify(signed[0])
    assert known.verify(signed[0]) is first
    for text in signed[1:]:
        known.verify(text)
    again = known.verify(signed[0])  # there was no room for it any more
    assert (again is first, again) == (False, first)
    with pytest.raises(NotLetIn):
        known.verify(f"{signed[0]}x")
    rotate(path, "EdDSA", 900, now)
    assert known.verify(signed[0]) is not again
    path.unlink()
    make(path, "EdDSA", now)
    with pytest.raises(NotLetIn):  # its key is gone
        known.verify(signed[0])
    assert LOOK_EVERY_S < 1


async def test_a_purge_that_ends_leaves_nothing_running(api: Process) -> None:
    before = asyncio.all_tasks()
    async with serving(api.container):
        pass
    assert asyncio.all_tasks() <= before
