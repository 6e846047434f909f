"""The keys of JWT_KEYS: which are taken, and how they change without logging anybody out."""

import json
import stat
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

from app.contexts.identity.adapters.jwt.jwk import AlgorithmName, InvalidKeys, new_jwk
from app.contexts.identity.adapters.jwt.key_set import LOOK_EVERY_S, KeyRing
from app.contexts.identity.adapters.jwt.rotation import CLOCK_ERROR_S, make, rotate
from app.main.local.roles import Urls
from tests.identity.processes import comes_within, process, somebody

NOW_S = 1_800_000_000.0
TTL_S = 900.0


class Clock:
    def __init__(self, now: float = NOW_S) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "keys.json"


@pytest.fixture
def clock() -> Clock:
    return Clock()


def ring(file: Path, clock: Clock) -> KeyRing:
    return KeyRing(file, clock, clock)


def write(file: Path, *jwks: Any, mode: int = 0o600) -> None:
    file.write_text(json.dumps({"keys": list(jwks)}))
    file.chmod(mode)


@pytest.mark.parametrize("algorithm", ["RS256", "EdDSA", "HS256"])
def test_a_new_key_signs_and_is_its_owners_alone(file: Path, clock: Clock, algorithm: AlgorithmName) -> None:
    make(file, algorithm, NOW_S)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    key = ring(file, clock).signing()
    assert key.algorithm == algorithm
    before = file.read_bytes()
    make(file, algorithm, NOW_S)
    assert file.read_bytes() == before


def test_a_rotation_shows_a_key_before_it_signs_and_keeps_the_old_one_until_its_last_token_ends(
    file: Path, clock: Clock
) -> None:
    make(file, "RS256", NOW_S)
    keys = ring(file, clock)
    old = keys.signing()
    rotated = rotate(file, "EdDSA", TTL_S, NOW_S)
    clock.now += LOOK_EVERY_S
    assert [key["kid"] for key in keys.public()] == [old.id, rotated.key_id]
    assert keys.signing().id == old.id
    clock.now = NOW_S + TTL_S - 1
    assert keys.signing().id == old.id
    clock.now = rotated.signs_from_s
    assert clock.now - NOW_S <= TTL_S + 1
    assert keys.signing().id == rotated.key_id
    last_token_ends = rotated.signs_from_s + 3_600
    clock.now = last_token_ends
    assert keys.verifying(old.id)
    clock.now = last_token_ends + CLOCK_ERROR_S
    assert keys.verifying(old.id) is None
    assert [key["kid"] for key in keys.public()] == [rotated.key_id]
    rotate(file, "EdDSA", TTL_S, clock.now)
    assert old.id not in file.read_text()


def test_rotated_twice_at_once_no_key_is_lost(file: Path, clock: Clock) -> None:
    make(file, "HS256", NOW_S)
    first = ring(file, clock).signing().id
    made = {rotate(file, "HS256", TTL_S, NOW_S).key_id for _ in range(2)}
    assert {*ring(file, clock).keys.keys} == {first, *made}


def test_a_set_whose_keys_have_all_ended_gets_one_that_signs_at_once(file: Path, clock: Clock) -> None:
    write(file, {**new_jwk("EdDSA"), "exp": NOW_S - 1})
    with pytest.raises(InvalidKeys, match="none of its keys signs now"):
        _ = ring(file, clock).keys
    assert ring_signs(file, clock, rotate(file, "EdDSA", TTL_S, NOW_S).key_id)


def ring_signs(file: Path, clock: Clock, key_id: str) -> bool:
    return ring(file, clock).signing().id == key_id


def small_rsa() -> Any:
    return {**RSAAlgorithm.to_jwk(rsa.generate_private_key(65_537, 1_024), as_dict=True), "kid": "x"}


UNFIT: Mapping[str, tuple[Any, str]] = {
    "RSA of 1024 bits": (small_rsa(), "1024 bits"),
    "a short secret": ({"kty": "oct", "k": "c2hvcnQ", "kid": "x"}, "5 bytes"),
    "an elliptic curve": ({"kty": "EC", "crv": "P-256", "kid": "x", "x": "AA", "y": "AA"}, "kty"),
    "another curve": ({"kty": "OKP", "crv": "X25519", "kid": "x", "x": "AA"}, "another algorithm"),
    "no kid": ({**new_jwk("EdDSA"), "kid": ""}, "no `kid`"),
    "a kid that is a number": ({**new_jwk("EdDSA"), "kid": 1}, "kid"),
    "another algorithm": ({**new_jwk("RS256"), "alg": "PS256"}, "another algorithm"),
    "for encryption": ({**new_jwk("EdDSA"), "use": "enc"}, "use"),
    "numbers that are none": ({"kty": "RSA", "kid": "x", "n": "~", "e": "~"}, "cannot be read"),
    "no object": ("x", "key 1"),
    "public only": ({n: v for n, v in new_jwk("EdDSA").items() if n != "d"}, "none of its keys signs"),
    "not yet": ({**new_jwk("EdDSA"), "nbf": NOW_S + 1}, "none of its keys signs"),
}


@pytest.mark.parametrize("what", UNFIT)
def test_what_is_unfit_is_refused_and_not_quoted(file: Path, clock: Clock, what: str) -> None:
    jwk, why = UNFIT[what]
    write(file, jwk)
    with pytest.raises(InvalidKeys, match=why) as refused:
        _ = ring(file, clock).keys
    secrets = [value for name, value in (jwk.items() if isinstance(jwk, dict) else ()) if name in ("d", "k", "p")]
    assert not [secret for secret in secrets if secret in str(refused.value)]


def test_two_keys_of_one_id_are_refused(file: Path, clock: Clock) -> None:
    write(file, {**new_jwk("EdDSA"), "kid": "x"}, {**new_jwk("HS256"), "kid": "x"})
    with pytest.raises(InvalidKeys, match="same `kid`"):
        _ = ring(file, clock).keys


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644, 0o660, 0o601])
def test_a_file_that_others_may_read_is_refused(file: Path, clock: Clock, mode: int) -> None:
    write(file, new_jwk("EdDSA"), mode=mode)
    with pytest.raises(InvalidKeys, match="0600"):
        _ = ring(file, clock).keys


@pytest.mark.parametrize("text", ["", "{", "[]", '{"keys": {}}', '{"keys": []}', "\xff", "[" * 100_000])
def test_a_file_that_is_no_set_is_refused(file: Path, clock: Clock, text: str) -> None:
    file.write_text(text, encoding="latin-1")
    file.chmod(0o600)
    with pytest.raises(InvalidKeys):
        _ = ring(file, clock).keys


@pytest.mark.parametrize("change", ["malformed", "gone", "readable by others", "weak"])
def test_what_a_file_becomes_that_cannot_be_used_leaves_the_keys_before(
    file: Path, clock: Clock, change: str, lines: list[Any]
) -> None:
    write(file, new_jwk("EdDSA"))
    keys = ring(file, clock)
    before = keys.signing()
    match change:
        case "malformed":
            file.write_text("{")
        case "gone":
            file.unlink()
        case "readable by others":
            write(file, new_jwk("EdDSA"), mode=0o644)
        case "weak":
            write(file, {"kty": "oct", "k": "c2hvcnQ", "kid": "x"})
    clock.now += LOOK_EVERY_S
    assert keys.signing() is before
    clock.now += LOOK_EVERY_S
    assert keys.signing() is before
    assert [(line["event"], line["setting"], line["log_level"]) for line in lines] == [
        ("keys_kept", "JWT_KEYS", "warning")
    ]
    write(file, mended := new_jwk("EdDSA"))
    clock.now += LOOK_EVERY_S
    assert keys.signing().id == mended["kid"]
    assert LOOK_EVERY_S < 1


async def test_a_rotation_logs_nobody_out(module_database: Urls, superuser_url: str, tmp_path: Path) -> None:
    async with process(module_database.app_url, superuser_url, tmp_path, ACCESS_TTL_S="100") as api:
        before = await api.registered(somebody())
        keys = Path(api.container.settings().jwt_keys)
        rotated = rotate(keys, "RS256", 100, time.time())

        async def signs() -> bool:
            token = (await api.log_in(before["user"]["email"]))["access_token"]
            assert await api.knows(token)
            return bool(jwt.get_unverified_header(token)["kid"] == rotated.key_id)

        async def is_shown() -> bool:
            answer = await api.client().get("/.well-known/jwks.json")
            assert answer.headers["cache-control"] == "public, max-age=50"
            return rotated.key_id in [key["kid"] for key in answer.json()["keys"]]

        await comes_within(1, is_shown)
        assert not await signs()
        its_time_comes(keys, rotated.key_id)
        await comes_within(5, signs)
        assert await api.knows(before["access_token"])


def its_time_comes(file: Path, key_id: str) -> None:
    """Have the key sign from now on, as if so long had passed."""
    jwks = json.loads(file.read_text())["keys"]
    write(file, *({**jwk, "nbf": int(time.time())} if jwk["kid"] == key_id else jwk for jwk in jwks))


def test_a_public_key_shows_nothing_that_signs(file: Path, clock: Clock) -> None:
    write(file, new_jwk("RS256"), new_jwk("EdDSA"), new_jwk("HS256"))
    shown = ring(file, clock).public()
    assert [set(key) for key in shown] == [
        {"kty", "n", "e", "kid", "alg", "use"},
        {"kty", "crv", "x", "kid", "alg", "use"},
    ]
