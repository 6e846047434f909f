"""Machines: an account, a token in OAuth's words, and what ends both."""

import json
import re
from base64 import b64encode, urlsafe_b64decode
from collections.abc import AsyncIterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest
from click.testing import CliRunner, Result

from app.main.cli import main
from app.main.local.roles import Urls
from app.platform.people import Credential, NotLetIn
from tests.identity.processes import HOST, ME, Process, bearer, comes_within, process, somebody

GRANT = {"grant_type": "client_credentials"}
Made = dict[str, str]


def command(api: Process, *words: str) -> Result:
    """A command on the process's database."""
    given = {"DATABASE_URL": api.container.database().url, "CONTEXTS": "identity"}
    with ThreadPoolExecutor(1) as thread:  # a test's own may have an event loop under way
        return thread.submit(CliRunner(env=given).invoke, main, ["client", *words]).result()


def added(api: Process, *scopes: str) -> Made:
    """A new machine."""
    words = [word for scope in scopes for word in ("--scope", scope)]
    done = command(api, "add", "robot", *words, "--json")
    assert done.exit_code == 0, done.output
    made: Made = json.loads(done.stdout)
    return made


@pytest.fixture
def machine(api: Process) -> Made:
    return added(api, "wallet:receive", "purchases:write")


def basic(machine: Made) -> Mapping[str, str]:
    pair = f"{machine['client_id']}:{machine['client_secret']}"
    return {"Authorization": f"Basic {b64encode(pair.encode()).decode()}"}


async def asked(api: Process, form: Mapping[str, str], headers: Mapping[str, str] = {}) -> httpx.Response:
    return await api.client().post("/v1/auth/token", data=dict(form), headers=dict(headers))


async def given(api: Process, machine: Made, **form: str) -> str:
    answer = await asked(api, GRANT | form, basic(machine))
    assert answer.status_code == 200, answer.text
    token: str = answer.json()["access_token"]
    return token


async def scopes_of(api: Process, token: str) -> frozenset[str]:
    credential = Credential(token, is_cookie=False, host=HOST)
    return (await api.container.authenticator().authenticate(credential)).scopes


async def is_refused(api: Process, token: str) -> bool:
    try:
        await scopes_of(api, token)
    except NotLetIn:
        return True
    return False


def test_a_new_machine_is_shown_once_with_what_is_easy_to_type(api: Process, machine: Made) -> None:
    ((tenant,),) = api.rows("SELECT replace(id::text, '-', '') FROM identity.tenants WHERE name = 'default'")
    assert machine.keys() == {"client_id", "client_secret"}
    assert machine["client_id"].startswith(f"{tenant}.")
    assert re.fullmatch("[A-Za-z0-9._-]+", machine["client_id"] + machine["client_secret"])
    assert machine["client_secret"] not in str(api.rows("SELECT c::text FROM identity.clients c"))
    in_words = command(api, "add", "robot", "--scope", "wallet:receive").stdout
    assert re.fullmatch(r"client_id      [0-9a-f]{32}\.[0-9a-f]{32}\nclient_secret  [A-Za-z0-9_-]{43}\n", in_words)


@pytest.mark.parametrize(
    "words",
    [
        ("robot",),
        ("robot", "--scope", "wallet:steal"),
        ("", "--scope", "wallet:receive"),
        ("a\nb", "--scope", "wallet:receive"),
    ],
    ids=repr,
)
def test_a_machine_needs_a_name_and_known_scopes(api: Process, words: tuple[str, ...]) -> None:
    assert command(api, "add", *words).exit_code == 2


def test_what_there_is_not_is_not_changed(api: Process, machine: Made) -> None:
    nobody = f"{machine['client_id'][:33]}{'0' * 32}"
    for words in (("rotate", nobody), ("disable", nobody), ("disable", "x"), ("rotate", f"{'0' * 32}.{'0' * 32}")):
        assert command(api, *words).exit_code == 1
    assert command(api, "rotate", machine["client_id"], "--tenant", "nobodys").exit_code == 1
    assert command(api, "disable", machine["client_id"]).exit_code == 0
    assert command(api, "disable", machine["client_id"]).exit_code == 0
    assert command(api, "rotate", machine["client_id"]).exit_code == 1


@pytest.mark.parametrize("how", ["Basic and a form", "Basic and JSON", "a form", "JSON"])
async def test_a_machine_gets_a_token_for_all_that_it_may(api: Process, machine: Made, how: str) -> None:
    shown = {} if "Basic" in how else machine
    headers = basic(machine) if "Basic" in how else {}
    client, body = api.client(), GRANT | shown
    if "form" in how:
        answer = await client.post("/v1/auth/token", data=body, headers=headers)
    else:
        answer = await client.post("/v1/auth/token", json=body, headers=headers)
    told = answer.json()
    assert (answer.status_code, told) == (
        200,
        {
            "access_token": told["access_token"],
            "token_type": "Bearer",
            "expires_in": 3600,
            "scope": "purchases:write wallet:receive",
        },
    )
    assert answer.headers["cache-control"] == "no-store"
    assert "set-cookie" not in answer.headers
    assert await scopes_of(api, told["access_token"]) == {"purchases:write", "wallet:receive"}


async def test_its_token_says_whose_it_is(api: Process, machine: Made) -> None:
    token = await given(api, machine, scope="wallet:receive")
    claims = json.loads(urlsafe_b64decode(token.split(".")[1] + "=="))
    assert list(claims) == ["iss", "aud", "sub", "exp", "iat", "jti", "tenant", "role", "scope"]
    assert (claims["sub"], claims["role"], claims["scope"]) == (machine["client_id"], None, "wallet:receive")
    assert claims["exp"] - claims["iat"] == 3_600
    assert await scopes_of(api, token) == {"wallet:receive"}


async def test_a_machine_has_nothing_of_its_own(api: Process, machine: Made) -> None:
    token = await given(api, machine)
    for method, path in (("GET", ME), ("POST", "/v1/auth/logout"), ("GET", "/v1/users")):
        answer = await api.client().request(method, path, headers=bearer(token))
        assert (answer.status_code, answer.json()["error"]["code"]) == (403, "FORBIDDEN"), path


REFUSED: Mapping[str, tuple[Mapping[str, str], Mapping[str, str] | None, int, str]] = {
    "no grant": ({}, None, 400, "invalid_request"),
    "another grant": ({"grant_type": "password"}, None, 400, "unsupported_grant_type"),
    "a scope that there is not": (GRANT | {"scope": "x"}, None, 400, "invalid_scope"),
    "a scope that it has not": (GRANT | {"scope": "wallet:receive cache:invalidate"}, None, 400, "invalid_scope"),
    "scopes with two blanks": (GRANT | {"scope": "wallet:receive  purchases:write"}, None, 400, "invalid_scope"),
    "a scope in quotes": (GRANT | {"scope": '"wallet:receive"'}, None, 400, "invalid_scope"),
    "no machine": (GRANT, {}, 401, "invalid_client"),
    "an id without a secret": (GRANT | {"client_id": "x"}, {}, 401, "invalid_client"),
    "nobody": (GRANT | {"client_id": f"{'0' * 32}.{'0' * 32}", "client_secret": "x"}, {}, 401, "invalid_client"),
    "an id that is none": (GRANT | {"client_id": "\u0000é", "client_secret": "x"}, {}, 401, "invalid_client"),
    "both ways": (GRANT | {"client_id": "x", "client_secret": "y"}, None, 400, "invalid_request"),
    "an id in the body, too": (GRANT | {"client_id": "x"}, None, 400, "invalid_request"),
    "Bearer": (GRANT, {"Authorization": "Bearer x"}, 401, "invalid_client"),
    "Basic of nothing": (GRANT, {"Authorization": "Basic"}, 401, "invalid_client"),
    "Basic without a colon": (GRANT, {"Authorization": "Basic eA=="}, 401, "invalid_client"),
    "Basic that is no base64": (GRANT, {"Authorization": "Basic ~~~"}, 401, "invalid_client"),
}


@pytest.mark.parametrize("what", REFUSED)
async def test_what_is_refused_is_told_in_oauths_words(api: Process, machine: Made, what: str) -> None:
    form, headers, status, error = REFUSED[what]
    answer = await asked(api, form, basic(machine) if headers is None else headers)
    told = answer.json()
    assert (answer.status_code, told.keys(), told["error"]) == (status, {"error", "error_description"}, error)
    assert answer.headers.get("www-authenticate") == ('Basic realm="strongbox"' if status == 401 else None)
    assert answer.headers["cache-control"] == "no-store"


async def test_two_authorizations_are_malformed(api: Process, machine: Made) -> None:
    twice = [("Authorization", basic(machine)["Authorization"])] * 2
    answer = await api.client().post("/v1/auth/token", data=GRANT, headers=twice)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "VALIDATION_ERROR")


@pytest.mark.parametrize(
    "body", ["{", "[]", '{"grant_type": 1}', '{"grant_type": "client_credentials", "grant_type": "x"}', '{"x": "y"}']
)
async def test_malformed_json_is_an_invalid_request(api: Process, machine: Made, body: str) -> None:
    headers = {"Content-Type": "application/json", **basic(machine)}
    answer = await api.client().post("/v1/auth/token", content=body, headers=headers)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")


async def test_a_parameter_that_is_there_twice_is_malformed(api: Process, machine: Made) -> None:
    headers = {"Content-Type": "application/x-www-form-urlencoded", **basic(machine)}
    body = "grant_type=client_credentials&scope=wallet%3Areceive&scope=purchases%3Awrite"
    answer = await api.client().post("/v1/auth/token", content=body, headers=headers)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")


async def test_another_kind_of_body_is_refused_in_the_envelope(api: Process, machine: Made) -> None:
    headers = {"Content-Type": "text/plain", **basic(machine)}
    answer = await api.client().post("/v1/auth/token", content="x", headers=headers)
    assert (answer.status_code, answer.json()["error"]["code"]) == (415, "UNSUPPORTED_MEDIA_TYPE")


async def test_unknown_wrong_and_disabled_are_one_answer(api: Process, machine: Made) -> None:
    disabled = added(api, "wallet:receive")
    command(api, "disable", disabled["client_id"])
    nobody = {**machine, "client_id": f"{machine['client_id'][:33]}{'0' * 32}"}
    wrong = {**machine, "client_secret": "x" * 43}
    answers = [await asked(api, GRANT, basic(each)) for each in (disabled, nobody, wrong)]
    assert len({(answer.status_code, answer.content, len(answer.headers)) for answer in answers}) == 1


async def test_with_a_new_secret_the_old_one_and_its_tokens_are_good_no_more(api: Process, machine: Made) -> None:
    token = await given(api, machine)
    assert not await is_refused(api, token)
    done = command(api, "rotate", machine["client_id"], "--json")
    rotated = json.loads(done.stdout)
    assert rotated["client_id"] == machine["client_id"]
    assert (await asked(api, GRANT, basic(machine))).status_code == 401
    await comes_within(1, lambda: is_refused(api, token))
    assert not await is_refused(api, await given(api, rotated))


async def test_disabled_it_is_let_in_no_more(api: Process, machine: Made) -> None:
    token = await given(api, machine)
    assert not await is_refused(api, token)
    assert command(api, "disable", machine["client_id"]).exit_code == 0
    await comes_within(1, lambda: is_refused(api, token))
    assert (await asked(api, GRANT, basic(machine))).status_code == 401


@pytest.fixture
async def elsewhere(module_database: Urls, superuser_url: str, tmp_path: Path) -> AsyncIterator[Process]:
    async with process(module_database.app_url, superuser_url, tmp_path) as elsewhere:
        yield elsewhere


async def test_a_users_token_and_a_machines_are_not_taken_for_one_another(api: Process, machine: Made) -> None:
    """The same key signs both: what each is must be said by what is signed."""
    told: dict[str, Any] = await api.registered(somebody())
    assert await scopes_of(api, told["access_token"]) == frozenset()
    assert (await asked(api, GRANT, basic({**machine, "client_secret": told["refresh_token"]}))).status_code == 401


async def test_a_token_of_keys_from_elsewhere_is_none(api: Process, elsewhere: Process, machine: Made) -> None:
    assert await is_refused(api, await given(elsewhere, machine))
