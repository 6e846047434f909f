"""The lines of a message: each in its place, once, and ended by a line feed alone."""

import time
from contextlib import suppress

import pytest

from app.contexts.identity.domain.siwe import NotAMessage
from tests.identity.wallets import at, message_text, read
from tests.pace import slow

LAST = f"\nExpiration Time: {at(60)}\nNot Before: {at()}\nRequest ID: 1\nResources:\n- a:b"
WHOLE = message_text(statement="I agree.", rest=LAST)
LINES = WHOLE.split("\n")


def test_the_message_that_is_broken_here_is_whole() -> None:
    assert read(WHOLE).resources == ("a:b",)


@pytest.mark.parametrize("number", [0, 1, 2, *range(4, len(LINES) - 5)])
def test_without_a_line_that_there_has_to_be_it_is_none(number: int) -> None:
    left = LINES[:number] + LINES[number + 1 :]
    with pytest.raises(NotAMessage):
        read("\n".join(left))


@pytest.mark.parametrize("number", range(len(LINES) - 1))
def test_with_a_line_twice_it_is_none(number: int) -> None:
    with pytest.raises(NotAMessage):
        read("\n".join([*LINES[: number + 1], *LINES[number:]]))


@pytest.mark.parametrize("number", range(len(LINES) - 2))
def test_with_two_lines_the_other_way_round_it_is_none(number: int) -> None:
    first, second = LINES[number : number + 2]
    with pytest.raises(NotAMessage):
        read("\n".join([*LINES[:number], second, first, *LINES[number + 2 :]]))


@pytest.mark.parametrize("number", range(len(LINES)))
@pytest.mark.parametrize("end", ["\r", " ", "\t", "\0", "\v", "\x85", "\u2028"])
def test_with_anything_behind_a_line_it_is_none(number: int, end: str) -> None:
    left = LINES.copy()
    left[number] += end if number != 3 else end.replace(" ", "\t")  # a statement may end with a blank
    with pytest.raises(NotAMessage):
        read("\n".join(left))


@pytest.mark.parametrize(
    "text", ["", "\n", "\n" * 100_000, WHOLE + "\n", "\n" + WHOLE, "\ufeff" + WHOLE, WHOLE + "\n" + WHOLE]
)
def test_with_anything_around_it_it_is_none(text: str) -> None:
    with pytest.raises(NotAMessage):
        read(text)


@pytest.mark.parametrize("end", ["\r\n", "\r", "\u2028", "\v", "\x0c", "\x1e", "\x85"])
def test_with_lines_that_end_otherwise_it_is_none(end: str) -> None:
    with pytest.raises(NotAMessage):
        read(WHOLE.replace("\n", end))


@pytest.mark.parametrize(
    ("field", "others"),
    [
        ("URI", ("Uri", "URL")),
        ("Chain ID", ("Chain Id", "Chain-ID", "ChainID")),
        ("Issued At", ("issued at", "Issued at")),
    ],
)
def test_the_names_of_fields_are_spelled_in_one_way(field: str, others: tuple[str, ...]) -> None:
    for other in others:
        with pytest.raises(NotAMessage):
            read(WHOLE.replace(f"{field}: ", f"{other}: "))
    for gap in (":", ":  ", " : ", ":\t"):
        with pytest.raises(NotAMessage):
            read(WHOLE.replace(f"{field}: ", f"{field}{gap}"))


@pytest.mark.parametrize(
    "rest", ["\nResources: ", "\nResources: \n- a:b", "\nResources:\n", "\nResources:\n-a:b", "\nResources:\n- "]
)
def test_resources_are_a_list_of_one_form(rest: str) -> None:
    with pytest.raises(NotAMessage):
        read(message_text(rest=rest))


def test_what_is_wrong_is_told_without_a_word_of_the_text() -> None:
    with pytest.raises(NotAMessage) as refused:
        read(message_text(statement="canary\x00"))
    assert "canary" not in str(refused.value)


@pytest.mark.parametrize(
    "text",
    [
        message_text(rest="\nResources:" + "\n- a:b" * 100_000),
        message_text(rest="\nRequest ID: " + "%41" * 100_000),
        message_text(rest="\nRequest ID: " + "a" * 300_000 + " "),
        message_text(statement="a" * 300_000),
        message_text(uri="https://" + "a@" * 100_000),
        message_text(uri="https://[" + ":" * 100_000 + "]"),
        message_text(uri="a:" + "%41" * 100_000 + "%"),
        message_text(domain="a:" * 100_000, uri="a:b"),
        message_text(nonce="a" * 300_000 + "-"),
        message_text(chain_id="9" * 300_000),
        message_text(issued_at="2026-01-31T12:00:00." + "1" * 300_000 + "Z"),
        "\n" * 300_000,
        WHOLE * 1_000,
    ],
    ids=lambda text: f"{text[:1]!r}{len(text)}",
)
def test_a_message_of_any_length_is_gone_over_once(text: str) -> None:
    """By a square of its length it would take a minute and more."""
    began = time.process_time()
    with suppress(NotAMessage):
        read(text)
    assert time.process_time() - began < slow(3.0)
