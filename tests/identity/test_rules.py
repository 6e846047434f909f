"""What may be written of a person."""

import time

import pytest

from app.contexts.identity.domain import passwords, rules
from app.contexts.identity.domain.tenant import is_host, is_name
from tests.pace import slow


@pytest.mark.parametrize("text", ["abc", "a_1", "0123456789", "x" * 30, "___"])
def test_usernames_are_lower_case_letters_digits_and_underscores(text: str) -> None:
    assert rules.username(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "ab",
        "x" * 31,
        "Ada",
        "ada ",
        "ada\n",
        "a-b",
        "é" * 5,
        "0xabc",
        "0x" + "a" * 28,
        "ada\x00",
        "",
        "аda",
        "0193a5b2-7c4e-7d10-8f21-3b6a9c0e5d42",
        "0193a5b27c4e7d108f213b6a9c0e5d42",
        "a.b",
        "١٢٣",
    ],
)
def test_no_username_is_anything_else_a_uuid_or_an_address(text: str) -> None:
    assert rules.username(text) is None


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("ada@example.org", "ada@example.org"),
        ("  Ada.Lovelace+x@Example.ORG\t", "ada.lovelace+x@example.org"),
        ("o'neil@a.b-c.example", "o'neil@a.b-c.example"),
        ("x" * 64 + "@example.org", "x" * 64 + "@example.org"),
    ],
)
def test_an_email_is_kept_trimmed_and_in_lower_case(text: str, kept: str) -> None:
    assert rules.email(text) == kept


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ada",
        "@example.org",
        "ada@",
        "ada@localhost",
        "a b@example.org",
        "a@b@example.org",
        "ada@.org",
        "a@b..org",
        ".a@example.org",
        "a.@example.org",
        "a..b@example.org",
        "x" * 65 + "@example.org",
        "ada@-a.org",
        "ada@a-.org",
        "a\x00@example.org",
        "ada@example.org\x00",
        "ä@example.org",
        "ada@exämple.org",
        "Kate@example.org",
        "ada@example.org,eve@example.org",
        "<ada@example.org>",
        "a" * 60 + "@" + "a." * 100 + "org",
        '"a"@example.org',
    ],
)
def test_what_is_no_email_in_ascii_is_none(text: str) -> None:
    assert rules.email(text) is None


def test_names_are_of_any_script_and_kept_in_one_spelling() -> None:
    assert rules.name("  Zoe\u0308 ") == "Zoë"
    assert rules.name("李小龍") == "李小龍"
    assert rules.name("x" * 100) == "x" * 100
    assert rules.name("👩\u200d🚀") is not None
    for text in ("", "   ", "x" * 101, "a\0b", "a\nb", "a\u2028b", "a\u202eb", "a\x85b", "\ud800", "a\ue000"):
        assert rules.name(text) is None, text


def test_phones_are_digits_with_what_people_put_between_them() -> None:
    for text in ("+49 (30) 123-456", "12345", "030.123.45"):
        assert rules.phone(f" {text} ") == text
    for text in (
        "1234",
        "1" * 16,
        "+",
        "12a45",
        "++12345",
        "12345+",
        "1 2 3 4",
        "١٢٣٤٥",
        "12345\0",
        "1" + " " * 40 + "2345",
    ):
        assert rules.phone(text) is None, text


def test_pictures_come_over_https() -> None:
    for text in ("https://a.example/x.png?y=1#z", "https://[::1]:8443/", "https://xn--exmple-cua.org/a%20b"):
        assert rules.avatar_url(text) == text
    for text in (
        "http://a.example/",
        "https://",
        "https:///x",
        "javascript:alert(1)",
        "https://a b",
        "https://u:p@a.b/",
    )[:]:
        assert rules.avatar_url(text) is None, text
    for text in (
        "https://a/" + "x" * 2_048,
        "https://é.org",
        'https://a/"',
        "https://a:0/",
        "https://a:x/",
        " https://a/",
    ):
        assert rules.avatar_url(text) is None, text


def test_tenants_have_names_that_can_be_typed_and_hosts_without_ports() -> None:
    assert all(is_name(text) for text in ("default", "a", "shop-1.eu", "x" * 64))
    assert not any(is_name(text) for text in ("", "A", "-a", "a-", "a b", "x" * 65, "ä", "a\n"))
    assert all(is_host(text) for text in ("localhost", "shop.example.org", "127.0.0.1", "[::1]"))
    assert not any(is_host(text) for text in ("", "a:80", "A.org", "a..b", "http://a", "-a.org", "a/b", "x" * 64))


MARKS = "a" + "\u0301\u0316" * 15_000
"""A body full of marks that are not in their order: putting them into it takes seconds."""


def test_what_is_too_long_is_refused_without_being_composed() -> None:
    began = time.process_time()
    assert rules.name(MARKS) is None
    assert passwords.complaint(MARKS, 8) is not None
    assert passwords.tried(MARKS) is None
    assert time.process_time() - began < slow(0.5)


def test_a_name_has_as_many_characters_as_are_seen_and_blanks_around_it_do_not_count() -> None:
    # No character is written with more than these four.
    assert rules.name(" " * 500 + "\u03b1\u0313\u0300\u0345" * 100) == "\u1f82" * 100
    assert rules.name("\u03b1\u0313\u0300\u0345" * 101) is None
