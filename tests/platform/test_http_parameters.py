"""Cursors, queries and headers, beyond what a request over a socket can show."""

from base64 import urlsafe_b64encode
from datetime import UTC, datetime
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.kernel.ids import UserId
from app.platform.http import queries
from app.platform.http.auth import ApiKeys
from app.platform.http.errors import Problem
from app.platform.http.headers import Head, idempotency_key

USER = UserId(UUID("6f0d5c1e-8a3b-4f39-9a52-0c1b7e2d4a10"))


@given(st.datetimes(timezones=st.just(UTC)), st.uuids())
def test_a_cursor_brings_back_its_position(at: datetime, line: UUID) -> None:
    cursor = queries.to_cursor(USER, (at, line))
    assert queries.from_cursor(USER, {"cursor": cursor}) == (at, line)


@given(st.text(max_size=50))
def test_no_text_that_was_not_handed_out_is_a_cursor(text: str) -> None:
    with pytest.raises(Problem):
        queries.from_cursor(USER, {"cursor": text})


def test_a_cursor_is_good_for_its_owner_its_list_and_its_filters_only() -> None:
    at = (datetime(2026, 1, 31, tzinfo=UTC), UUID(int=7))
    lists: list[tuple[UUID, tuple[str, ...]]] = [
        (USER, ()), (UUID(int=1), ()), (USER, ("/a",)), (USER, ("/a", "")), (USER, ("/a", "USD")),
        (USER, ("/b", "USD")), (UUID(int=1), ("/a", "USD")),
    ]  # fmt: skip
    cursors = [queries.to_cursor(owner, at, *of) for owner, of in lists]
    for cursor, mine in zip(cursors, lists, strict=True):
        for owner, of in lists:
            if (owner, of) == mine:
                assert queries.position_of(owner, cursor, *of) == at
            else:
                with pytest.raises(Problem):
                    queries.position_of(owner, cursor, *of)


def test_a_forged_cursor_beyond_all_time_is_refused() -> None:
    """Its check is no secret, so anyone can make one."""
    forged = queries.to_cursor(USER, (datetime.max.replace(tzinfo=UTC), UUID(int=0)))
    assert queries.from_cursor(USER, {"cursor": forged})
    content = b"\x7f" + b"\xff" * 7 + b"\0" * 16
    raw = urlsafe_b64encode(content + queries._check(USER, content)).decode()
    with pytest.raises(Problem):
        queries.from_cursor(USER, {"cursor": raw})


@given(st.binary(max_size=100))
def test_no_query_does_anything_but_be_read_or_refused(query: bytes) -> None:
    try:
        read = queries.parameters(query, {"limit"})
    except Problem:
        return
    assert read.keys() <= {"limit"}


@given(st.binary(max_size=300))
def test_no_key_is_taken_that_could_not_be_stored(value: bytes) -> None:
    try:
        key = idempotency_key(Head([(b"idempotency-key", value)]))
    except Problem:
        return
    assert 1 <= len(key) <= 255
    assert all("!" <= letter <= "~" for letter in key)


@given(st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=1, max_size=255))
def test_every_key_can_be_quoted(key: str) -> None:
    quoted = '"' + key.replace("\\", "\\\\").replace('"', '\\"') + '"'
    assert idempotency_key(Head([(b"idempotency-key", quoted.encode())])) == key


@pytest.mark.parametrize("given_key", [None, b"", b"a", b"abc", b"ab\x00", b"AB"])
def test_only_a_whole_key_opens(given_key: bytes | None) -> None:
    keys = ApiKeys(("ab", "ef"))
    keys.check(Head([(b"x-api-key", b"ef")]))
    with pytest.raises(Problem):
        keys.check(Head([] if given_key is None else [(b"x-api-key", given_key)]))
    with pytest.raises(Problem):
        ApiKeys(()).check(Head([(b"x-api-key", b"")]))
