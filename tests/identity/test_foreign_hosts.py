"""What renews a session, and a machine's secret, are good on their tenant's hosts alone, as what they give is."""

from collections.abc import AsyncIterator

import httpx
import pytest

from app.kernel.scopes import SCOPES
from tests.identity.processes import PASSWORD, Process, comes_within, somebody

THEIRS = "hosted.test"
REFRESH = "__Secure-strongbox_refresh"


@pytest.fixture
async def hosted(api: Process) -> AsyncIterator[httpx.AsyncClient]:
    """A browser at the host of another tenant, which is known by now."""
    known = api.container.known_tenants()
    if not any(tenant.host == THEIRS for tenant in await known.all()):
        await api.container.operate().add_tenant("hosted", THEIRS)

    async def is_known() -> bool:
        return await known.of_host(THEIRS) != await known.of_host("nobodys.test")

    await comes_within(2, is_known)
    async with api.client(THEIRS) as client:
        yield client


async def their_token(hosted: httpx.AsyncClient) -> str:
    body = {"email": somebody(), "password": PASSWORD}
    assert (await hosted.post("/v1/auth/register", json=body)).status_code == 201
    answer = await hosted.post("/v1/auth/login", json=body)
    hosted.cookies.clear()
    token: str = answer.json()["refresh_token"]
    return token


async def test_a_refresh_token_renews_nothing_at_another_tenants_host(api: Process, hosted: httpx.AsyncClient) -> None:
    theirs, ours = await their_token(hosted), (await api.registered(somebody()))["refresh_token"]
    refused = [
        await api.refresh(theirs),
        await api.client().post("/v1/auth/refresh", headers={"Cookie": f"{REFRESH}={theirs}"}),
        await hosted.post("/v1/auth/refresh", json={"refresh_token": ours}),
    ]
    nobody = await api.refresh(f"{'0' * 32}.{'x' * 43}")
    assert [(answer.status_code, answer.content) for answer in refused] == [(401, nobody.content)] * 3
    # None of it was spent by that.
    assert (await hosted.post("/v1/auth/refresh", json={"refresh_token": theirs})).status_code == 200
    assert (await api.refresh(ours)).status_code == 200


async def test_nor_does_it_end_a_log_in_there(api: Process, hosted: httpx.AsyncClient) -> None:
    token = await their_token(hosted)
    assert (await api.client().post("/v1/auth/logout", json={"refresh_token": token})).status_code == 204
    assert (await hosted.post("/v1/auth/refresh", json={"refresh_token": token})).status_code == 200


async def test_a_machine_gets_no_token_at_another_tenants_host(api: Process, hosted: httpx.AsyncClient) -> None:
    made = await api.container.manage_clients().add("hosted", "robot", frozenset(SCOPES))
    form = {"grant_type": "client_credentials", "client_id": made.client_id, "client_secret": made.client_secret}
    refused = await api.client().post("/v1/auth/token", data=form)
    nobody = await api.client().post("/v1/auth/token", data=form | {"client_secret": "x"})
    assert (refused.status_code, refused.content) == (401, nobody.content)
    assert (await hosted.post("/v1/auth/token", data=form)).status_code == 200
