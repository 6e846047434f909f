"""What PostgreSQL makes of a search, read so far as to know which lexemes a document has to have to be found.

Under row-level security no index serves `@@`. So what may fit is looked up by the lexemes that are *required*; where
none is, by a *cover*: lexemes of which every document that fits has one at least. What is found is held against the
query.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

_TOKEN: Final = re.compile(r"\s*(?:'((?:[^'\\]|''|\\.)*)'(?::[*A-D]+)?|(<(?:-|\d+)>)|([!&|()]))")
_ESCAPED: Final = re.compile(r"''|\\(.)")


@dataclass(frozen=True, slots=True)
class Lexeme:
    """A document has it."""

    text: str


@dataclass(frozen=True, slots=True)
class AllOf:
    """All of it holds."""

    parts: tuple["Query", ...]


@dataclass(frozen=True, slots=True)
class Phrase(AllOf):
    """The same, and one stands behind the other."""


@dataclass(frozen=True, slots=True)
class AnyOf:
    """Some of it holds."""

    parts: tuple["Query", ...]


@dataclass(frozen=True, slots=True)
class Absent:
    """It does not hold: no index of what is there tells."""


Query = Lexeme | AllOf | AnyOf | Absent


def read(text: str) -> Query | None:
    """The query that a `tsquery` is in writing; None where nothing is left of it, which nothing fits.

    Raises:
        ValueError: it is no such text.
    """
    if not text:
        return None
    tokens = [*_tokens(text)]
    query, rest = _any(tokens)
    if rest:
        raise ValueError("a query ends before its text does")
    return query


def lexemes(query: Query) -> Iterator[str]:
    """All that a cover may be made of."""
    match query:
        case Lexeme(text):
            yield text
        case AllOf(parts) | AnyOf(parts):
            for part in parts:
                yield from lexemes(part)


def required(query: Query) -> Iterator[str]:
    """Lexemes that every document has which fits."""
    match query:
        case Lexeme(text):
            yield text
        case AllOf(parts):
            for part in parts:
                yield from required(part)


def is_plain(query: Query) -> bool:
    """Whether every document fits that has what is required."""
    match query:
        case Lexeme():
            return True
        case AllOf(parts):
            return not isinstance(query, Phrase) and all(map(is_plain, parts))
        case _:
            return False


def cover(query: Query, counts: Mapping[str, int]) -> frozenset[str] | None:
    """Lexemes of which every document that fits has one at least; None where there may be one that has none.

    Of all that will do, those that the fewest documents have.
    """
    match query:
        case Lexeme(text):
            return frozenset({text})
        case AllOf(parts):
            covers = [each for part in parts if (each := cover(part, counts)) is not None]
            return min(covers, key=lambda each: sum(counts.get(text, 0) for text in each), default=None)
        case AnyOf(parts):
            united: frozenset[str] = frozenset()
            for part in parts:
                each = cover(part, counts)
                if each is None:
                    return None
                united |= each
            return united
        case _:
            return None


def ranked_by(query: Query) -> str | None:
    """A `tsquery` of what has to be there alone; None where that is nothing.

    PostgreSQL ranks whatever fits a query with something in it that must not be there alike.
    """
    match query:
        case Lexeme(text):
            return "'" + text.replace("\\", "\\\\").replace("'", "''") + "'"
        case AllOf(parts) | AnyOf(parts):
            sign = " & " if isinstance(query, AllOf) else " | "
            there = [each for part in parts if (each := ranked_by(part)) is not None]
            return f"({sign.join(there)})" if there else None
        case _:
            return None


_Tokens = list["Lexeme | str"]


def _tokens(text: str) -> Iterator[Lexeme | str]:
    at = 0
    while at < len(text):
        found = _TOKEN.match(text, at)
        if found is None:
            raise ValueError("no query is written so")
        at = found.end()
        if found[1] is not None:
            yield Lexeme(_ESCAPED.sub(lambda escape: escape[1] or "'", found[1]))
        else:
            yield "<->" if found[2] else found[3]  # whatever the distance


def _any(tokens: _Tokens) -> tuple[Query, _Tokens]:
    return _joined(tokens, "|", _all, AnyOf)


def _all(tokens: _Tokens) -> tuple[Query, _Tokens]:
    return _joined(tokens, "&", _phrase, AllOf)


def _phrase(tokens: _Tokens) -> tuple[Query, _Tokens]:
    return _joined(tokens, "<->", _one, Phrase)


def _joined(
    tokens: _Tokens,
    sign: str,
    read_part: Callable[[_Tokens], tuple[Query, _Tokens]],
    join: Callable[[tuple[Query, ...]], Query],
) -> tuple[Query, _Tokens]:
    part, tokens = read_part(tokens)
    parts = [part]
    while tokens and tokens[0] == sign:
        part, tokens = read_part(tokens[1:])
        parts.append(part)
    return (part if len(parts) == 1 else join(tuple(parts))), tokens


def _one(tokens: _Tokens) -> tuple[Query, _Tokens]:
    match tokens:
        case [Lexeme() as lexeme, *rest]:
            return lexeme, rest
        case ["!", *rest]:
            _, rest = _one(rest)
            return Absent(), rest
        case ["(", *rest]:
            query, rest = _any(rest)
            if rest[:1] != [")"]:
                raise ValueError("a bracket is not closed")
            return query, rest[1:]
        case _:
            raise ValueError("something is missing in a query")
