"""What a body costs that is refused."""

import time
from typing import Annotated

import pytest
from msgspec import UNSET, Struct, UnsetType

from app.platform.http import json_body
from app.platform.http.errors import Problem
from app.platform.http.json_body import JsonBody, Rule
from tests.pace import slow


class Said(Struct, frozen=True, forbid_unknown_fields=True):
    """A body of one member."""

    text: Annotated[str, Rule("must be a string")]


def test_a_member_that_is_there_thousands_of_times_is_told_at_once() -> None:
    """And not after each of them was held against all others."""
    body = JsonBody(Said, {"text": "x"})
    raw = b"{" + b",".join([b'"text":"x"'] * 40_000) + b"}"
    began = time.process_time()
    with pytest.raises(Problem) as refused:
        body.decode(raw)
    assert refused.value.details == {"text": "must be there once, not several times"}
    assert time.process_time() - began < slow(1)


class Noted(Struct, frozen=True, forbid_unknown_fields=True):
    """A body of which something may be left out."""

    text: Annotated[str, Rule("must be a string")]
    count: Annotated[int | UnsetType, Rule("must be a number")] = UNSET
    note: Annotated[str | UnsetType, Rule("must be a string")] = UNSET


@pytest.mark.parametrize(
    ("raw", "twice"),
    [
        (b'{"text":"a","text":"b"}', "text"),
        (b'{"text":"a","note":"b","note":"c"}', "note"),
        (b'{"text":"a","count":1,"count":2}', "count"),
        (b'{"count":1,"text":"a","note":"b","count":2}', "count"),
        (b'{"text":"a","note":"b","n\\u006fte":"c"}', "note"),
        (b'{"text":"\\"","text":"a"}', "text"),
    ],
)
def test_a_member_that_is_there_twice_is_told_whatever_else_is_there(raw: bytes, twice: str) -> None:
    with pytest.raises(Problem) as refused:
        JsonBody(Noted, {"text": "x"}).decode(raw)
    assert refused.value.details == {twice: "must be there once, not several times"}


def test_what_may_be_left_out_may_be_there_and_values_may_look_like_members() -> None:
    body = JsonBody(Noted, {"text": "x"})
    assert body.decode(b'{"text":"note"}') == Noted("note")
    assert body.decode(b'{"note":"text","text":"note","count":3}') == Noted("note", 3, "text")
    assert body.decode(b'{"note":"\\"text\\"","text":"{}"}') == Noted("{}", note='"text"')


def test_whether_one_is_there_twice_is_seen_without_reading_the_body_again(monkeypatch: pytest.MonkeyPatch) -> None:
    body = JsonBody(Noted, {"text": "x"})

    def again(_: bytes) -> bool:
        raise AssertionError("it is read again")

    monkeypatch.setattr(json_body, "_repeats", again)
    assert body.decode(b'{"text":"a"}') == Noted("a")
    assert body.decode(b'{"text":"a","note":"b","count":1}') == Noted("a", 1, "b")
