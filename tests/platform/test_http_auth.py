"""API keys: kept as digests only, and compared in constant time."""

import pickle

import pytest

from app.platform.http import auth
from app.platform.http.auth import ApiKeys
from app.platform.http.errors import Problem
from app.platform.http.headers import Head

KEYS = ("first-key", "second-key-of-another-length", "third")


def head(*keys: str) -> Head:
    return Head([(b"x-api-key", key.encode()) for key in keys])


@pytest.mark.parametrize("key", KEYS)
def test_each_key_opens(key: str) -> None:
    ApiKeys(KEYS).check(head(key))


@pytest.mark.parametrize("keys", [(), ("",), ("first-ke",), ("first-key-",), ("FIRST-KEY",), KEYS, ("third", "third")])
def test_nothing_else_does(keys: tuple[str, ...]) -> None:
    with pytest.raises(Problem, match="UNAUTHORIZED"):
        ApiKeys(KEYS).check(head(*keys))


def test_without_keys_nothing_opens() -> None:
    for given in (head(), head(""), head("first-key")):
        with pytest.raises(Problem, match="UNAUTHORIZED"):
            ApiKeys(()).check(given)


@pytest.mark.parametrize("given", [*KEYS, "wrong", "first-kez", ""])
def test_the_time_of_a_check_tells_nothing_of_the_keys(given: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """All of them are compared, whichever fits, by a comparison that takes its time, over digests of one length."""
    compared: list[tuple[bytes, bytes]] = []

    def compare(one: bytes, other: bytes) -> bool:
        compared.append((one, other))
        return one == other

    monkeypatch.setattr(auth, "compare_digest", compare)
    try:
        ApiKeys(KEYS).check(head(given))
    except Problem:
        assert given not in KEYS
    assert len(compared) == len(KEYS)
    assert {len(digest) for pair in compared for digest in pair} == {32}


def test_no_key_is_kept_as_it_is() -> None:
    kept = pickle.dumps(ApiKeys(KEYS))
    assert not [key for key in KEYS if key.encode() in kept]
