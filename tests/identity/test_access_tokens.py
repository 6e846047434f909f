"""Access tokens: what is in one, and which are refused: of other keys, issuers, audiences and times."""

import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import jwt
import pytest

from app.main.local.roles import Urls
from tests.identity.processes import ME, Process, bearer, process, somebody
from tests.identity.tokens import LEFT_OUT, Claims, Header, key_of, parts, signed


@pytest.fixture(scope="module")
async def told(api: Process) -> dict[str, Any]:
    """What somebody who has logged in was told."""
    return await api.registered(somebody())


@pytest.fixture(scope="module")
def claims(told: dict[str, Any]) -> Claims:
    """What their token says."""
    return parts(told["access_token"])[1]


async def test_a_token_says_whose_it_is_and_nothing_more(api: Process, told: dict[str, Any]) -> None:
    header, claims = parts(told["access_token"])
    assert header == {"alg": "EdDSA", "kid": key_of(api).id, "typ": "at+jwt"}
    assert list(claims) == ["iss", "aud", "sub", "sid", "exp", "iat", "jti", "tenant", "role", "scope"]
    ((tenant,),) = api.rows("SELECT id::text FROM identity.tenants WHERE name = 'default'")
    ((family, _),) = api.heads(told["user"]["user_id"])
    assert claims | {"jti": "", "iat": 0, "exp": 0} == {
        "iss": "strongbox", "aud": "strongbox", "sub": told["user"]["user_id"], "sid": str(family), "exp": 0,
        "iat": 0, "jti": "", "tenant": tenant, "role": "customer", "scope": "",
    }  # fmt: skip
    assert claims["exp"] - claims["iat"] == 900
    assert abs(claims["iat"] - time.time()) < 60


async def test_another_library_verifies_it_by_the_published_keys(api: Process, told: dict[str, Any]) -> None:
    answer = await api.client().get("/.well-known/jwks.json")
    keys = jwt.PyJWKSet.from_dict(answer.json())
    token = told["access_token"]
    key = keys[jwt.get_unverified_header(token)["kid"]]
    found = jwt.decode(token, key, algorithms=["EdDSA"], audience="strongbox", issuer="strongbox")
    assert found["sub"] == told["user"]["user_id"]


async def test_a_token_signed_by_the_real_key_is_let_in(api: Process, claims: Claims) -> None:
    """So that what the tests below refuse is refused for what they change."""
    assert await api.status(signed(api, claims)) == 200


HEADERS: Mapping[str, Header] = {
    "no kid": {"kid": LEFT_OUT},
    "unknown kid": {"kid": "another"},
    "a path as kid": {"kid": "../../../../dev/null"},
    "SQL as kid": {"kid": "' OR 1=1 --"},
    "an empty kid": {"kid": ""},
    "plain JWT": {"typ": "JWT"},
    "an id token": {"typ": "id+jwt"},
    "no typ": {"typ": None},
    "crit": {"crit": ["exp"], "exp": 1},
    "crit of b64": {"crit": ["b64"], "b64": True},
    "jku": {"jku": "http://127.0.0.1:1/keys"},
    "x5u": {"x5u": "http://127.0.0.1:1/cert"},
    "x5c": {"x5c": ["MIIB"]},
    "jwk": {"jwk": {"kty": "oct", "k": "AAAA"}},
    "cty": {"cty": "JWT"},
}


@pytest.mark.parametrize("what", HEADERS)
async def test_a_header_that_is_not_ours_is_refused(api: Process, claims: Claims, what: str) -> None:
    assert await api.status(signed(api, claims, HEADERS[what])) == 401


CLAIMS: Mapping[str, Claims] = {
    "no exp": {"exp": LEFT_OUT},
    "exp as text": {"exp": "9999999999"},
    "exp as a fraction": {"exp": 9999999999.5},
    "exp null": {"exp": None},
    "exp negative": {"exp": -1},
    "expired by a second": {"exp": -2},
    "another issuer": {"iss": "somebody"},
    "no issuer": {"iss": LEFT_OUT},
    "another audience": {"aud": "somebody"},
    "several audiences": {"aud": ["strongbox", "somebody"]},
    "no audiences": {"aud": []},
    "an empty audience": {"aud": ""},
    "no audience": {"aud": LEFT_OUT},
    "no sub": {"sub": LEFT_OUT},
    "sub as a number": {"sub": 7},
    "another's sub": {"sub": str(uuid4())},
    "no sid": {"sid": LEFT_OUT},
    "an unknown sid": {"sid": str(uuid4())},
    "no tenant": {"tenant": LEFT_OUT},
    "an unknown tenant": {"tenant": str(uuid4())},
    "no role": {"role": LEFT_OUT},
    "an unknown role": {"role": "superuser"},
    "a machine's, with a family": {"role": None},
    "no jti": {"jti": LEFT_OUT},
    "no iat": {"iat": LEFT_OUT},
    "no scope": {"scope": LEFT_OUT},
}


@pytest.mark.parametrize("what", CLAIMS)
async def test_claims_that_are_not_ours_are_refused(api: Process, claims: Claims, what: str) -> None:
    changed = {**claims, **CLAIMS[what]}
    if changed.get("exp") == -2:
        changed["exp"] = int(time.time()) - 1
    assert await api.status(signed(api, changed)) == 401


async def test_what_a_token_says_of_role_and_scope_lets_nobody_do_more(api: Process, claims: Claims) -> None:
    token = signed(api, {**claims, "role": "admin", "scope": "wallet:receive"})
    async with api.client() as client:
        assert (await client.get(ME, headers=bearer(token))).json()["user"]["role"] == "customer"
        assert (await client.get("/v1/users", headers=bearer(token))).status_code == 403


@pytest.mark.parametrize("algorithm", ["RS256", "HS256"])
async def test_every_algorithm_signs_and_verifies(
    module_database: Urls, superuser_url: str, tmp_path: Path, algorithm: str
) -> None:
    async with process(module_database.app_url, superuser_url, tmp_path, algorithm) as api:
        told = await api.registered(somebody())
        assert parts(told["access_token"])[0]["alg"] == algorithm
        assert await api.knows(told["access_token"])
        keys = (await api.client().get("/.well-known/jwks.json")).json()["keys"]
        assert [key["kty"] for key in keys] == ({"RS256": ["RSA"], "HS256": []}[algorithm])
        secret = {"d", "p", "q", "dp", "dq", "qi", "k", "oth"}
        assert not [key for key in keys if secret & key.keys()]


async def test_a_token_ends_by_the_databases_clock_whatever_this_process_thinks(
    api: Process, told: dict[str, Any], claims: Claims, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(time, "time", lambda: 0.0)
    assert await api.knows(told["access_token"])
    assert await api.status(signed(api, {**claims, "exp": claims["iat"] - 1})) == 401


async def test_other_settings_are_another_issuer_and_audience(
    module_database: Urls, superuser_url: str, tmp_path: Path, api: Process, told: dict[str, Any]
) -> None:
    """With the very same keys."""
    keys = {"JWT_KEYS": str(api.container.settings().jwt_keys)}
    for other in ({"JWT_ISSUER": "another"}, {"JWT_AUDIENCE": "another"}):
        async with process(module_database.app_url, superuser_url, tmp_path, **keys, **other) as theirs:
            assert await theirs.status(told["access_token"]) == 401
            assert not await api.knows((await theirs.log_in(told["user"]["email"]))["access_token"])


def test_a_key_is_what_it_says_of_itself(api: Process) -> None:
    key = replace(key_of(api), verifies_until_s=10.0)
    assert (key.verifies(9.9), key.verifies(10.0), key.signs(10.0)) == (True, False, False)
