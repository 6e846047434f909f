"""The message that a wallet signs (EIP-4361), by its grammar, over the text as it came: nothing is trimmed or mended.

Whoever signed has signed these bytes, so what is held against them is these bytes: `Chain ID: 01` is chain 1.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, NoReturn

from app.contexts.identity.domain.instants import instant
from app.contexts.identity.domain.uris import is_authority, is_request_id, is_scheme, is_statement, is_uri

Spell = Callable[[str], str]
"""Spells an address as EIP-55 does."""

_WANTS: Final = " wants you to sign in with your Ethereum account:"
_ADDRESS: Final = re.compile("0x[0-9A-Fa-f]{40}")
_NUMBER: Final = re.compile("[0-9]++")
_NONCE: Final = re.compile("[A-Za-z0-9]{8,}+")


class NotAMessage(Exception):  # noqa: N818 -- it says what the text is
    """The text is not of the grammar. Says which part of it, in words, and quotes nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What the text says. Times are in microseconds since 1970."""

    scheme: str | None
    domain: str
    address: str
    """In its EIP-55 spelling."""
    statement: str | None
    uri: str
    version: str
    chain_id: str
    """Digits, without the noughts that they may begin with."""
    nonce: str
    issued_at_us: int
    expires_at_us: int | None
    not_before_us: int | None
    request_id: str | None
    resources: tuple[str, ...]


def parse(text: str, spell: Spell) -> Message:
    """The message.

    Raises:
        NotAMessage: the text is none.
    """
    lines = _Lines(text)
    scheme, domain = _origin(lines.take("the first line"))
    address = _address(lines.take("the address"), spell)
    lines.take_empty("a line that is empty behind the address")
    return Message(
        scheme=scheme,
        domain=domain,
        address=address,
        statement=_statement(lines),
        uri=_checked(is_uri, lines.field("URI"), "URI"),
        version=_matched(_NUMBER, lines.field("Version"), "Version"),
        chain_id=_matched(_NUMBER, lines.field("Chain ID"), "Chain ID").lstrip("0") or "0",
        nonce=_matched(_NONCE, lines.field("Nonce"), "Nonce"),
        issued_at_us=_time(lines.field("Issued At"), "Issued At"),
        expires_at_us=_optional_time(lines, "Expiration Time"),
        not_before_us=_optional_time(lines, "Not Before"),
        request_id=_request_id(lines),
        resources=_resources(lines),
    )


class _Lines:
    """The lines of the text that are still to be read. Only a line feed ends one; a carriage return fits nowhere."""

    def __init__(self, text: str) -> None:
        self._lines = text.split("\n")
        self._next = 0

    @property
    def next(self) -> str | None:
        """The next line, which stays; None behind the last."""
        return self._lines[self._next] if self._next < len(self._lines) else None

    def take(self, what: str) -> str:
        """The next line, of which there has to be one."""
        line = self.next
        if line is None:
            raise NotAMessage(f"{what} is missing")
        self._next += 1
        return line

    def take_empty(self, what: str) -> None:
        """Pass over the next line, which has to be empty."""
        if self.take(what):
            raise NotAMessage(f"{what} is missing")

    def field(self, name: str) -> str:
        """What the next line says, which has to be this field's."""
        line = self.take(name)
        if not line.startswith(f"{name}: "):
            raise NotAMessage(f"{name} is missing, or not in its place")
        return line[len(name) + 2 :]

    def optional(self, name: str) -> str | None:
        """The same, where the next line is this field's."""
        return self.field(name) if self.next is not None and self.next.startswith(f"{name}: ") else None

    def end(self) -> None:
        """There is nothing more."""
        if self.next is not None:
            raise NotAMessage("there is a line that does not belong where it is")


def _origin(line: str) -> tuple[str | None, str]:
    if not line.endswith(_WANTS):
        raise NotAMessage(f"the first line does not end with “{_WANTS.strip()}”")
    before, scheme_ends, behind = line[: -len(_WANTS)].partition("://")
    scheme, domain = (before, behind) if scheme_ends else (None, before)
    if scheme is not None and not is_scheme(scheme):
        raise NotAMessage("the scheme before the domain is none")
    # The grammar's authority may be empty; the domain is required.
    if not domain or not is_authority(domain):
        raise NotAMessage("the domain is none")
    return scheme, domain


def _address(line: str, spell: Spell) -> str:
    if not _ADDRESS.fullmatch(line) or spell(line) != line:
        raise NotAMessage("the address is not one in its EIP-55 spelling")
    return line


def _statement(lines: _Lines) -> str | None:
    """The line that there may be between two empty ones. One that is empty itself is a statement as well."""
    statement = lines.take("an empty line before URI")
    if not statement and lines.next:
        return None
    if not is_statement(statement):
        raise NotAMessage("the statement has characters that a URI has not")
    lines.take_empty("an empty line behind the statement")
    return statement


def _request_id(lines: _Lines) -> str | None:
    given = lines.optional("Request ID")
    return None if given is None else _checked(is_request_id, given, "Request ID")


def _resources(lines: _Lines) -> tuple[str, ...]:
    if lines.next != "Resources:":
        lines.end()
        return ()
    lines.take("Resources")
    resources = []
    while (line := lines.next) is not None:
        if not line.startswith("- "):
            lines.end()
        resources.append(_checked(is_uri, line[2:], "a resource"))
        lines.take("a resource")
    return tuple(resources)


def _optional_time(lines: _Lines, name: str) -> int | None:
    given = lines.optional(name)
    return None if given is None else _time(given, name)


def _time(text: str, name: str) -> int:
    at_us = instant(text)
    if at_us is None:
        _refuse(name)
    return at_us


def _matched(pattern: re.Pattern[str], text: str, name: str) -> str:
    return _checked(lambda each: pattern.fullmatch(each) is not None, text, name)


def _checked(fits: Callable[[str], bool], text: str, name: str) -> str:
    if not fits(text):
        _refuse(name)
    return text


def _refuse(name: str) -> NoReturn:
    raise NotAMessage(f"{name} is not of its form")
