"""A context's public face is short, and holds frozen values, Protocols and events: nothing that does something."""

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any, NamedTuple, NewType, Protocol

import msgspec
import pytest

ROOT = Path(__file__).parents[2]
FACES_OF_CONTEXTS = sorted(ROOT.glob("app/contexts/*/public.py"))
MOST_LINES_OF_A_FACE = 150


def not_of_a_face(names: Mapping[str, Any]) -> list[str]:
    """What does not belong into a public face: of our own all but frozen values, Protocols, events and refusals."""
    return [name for name, what in names.items() if _is_ours(what) and not _is_of_a_face(what)]


def _is_ours(what: Any) -> bool:
    return str(getattr(what, "__module__", None) or type(what).__module__).startswith(("app.", __name__))


def _is_of_a_face(what: Any) -> bool:
    if isinstance(what, NewType):
        return True
    if not isinstance(what, type):
        return _is_of_a_face(type(what))
    if issubclass(what, msgspec.Struct):
        return what.__struct_config__.frozen
    dataclass_params = vars(what).get("__dataclass_params__")
    is_frozen_dataclass = dataclass_params is not None and dataclass_params.frozen
    is_named_tuple = issubclass(what, tuple) and hasattr(what, "_fields")
    is_protocol = bool(getattr(what, "_is_protocol", False))
    return is_frozen_dataclass or is_named_tuple or is_protocol or issubclass(what, (Enum, Exception))


@pytest.mark.parametrize("face", FACES_OF_CONTEXTS, ids=lambda face: face.parent.name)
def test_a_face_is_short_and_has_values_protocols_and_events_only(face: Path) -> None:
    assert len(face.read_text().splitlines()) <= MOST_LINES_OF_A_FACE
    module = importlib.import_module(".".join(face.relative_to(ROOT).with_suffix("").parts))
    assert not_of_a_face(vars(module)) == []


def test_what_does_not_belong_into_a_face_is_named() -> None:
    @dataclass(frozen=True)
    class Value:
        number: int

    @dataclass
    class Bag:
        number: int

    class Pair(NamedTuple):
        one: int
        other: int

    class Port(Protocol):
        def ask(self) -> None: ...

    class Adapter(Port):
        def ask(self) -> None: ...

    class Loose(msgspec.Struct):
        number: int

    class Event(msgspec.Struct, frozen=True):
        number: int

    class TooMuchError(Exception): ...

    def use_case() -> None: ...

    right: list[Any] = [Value, Pair, Port, Event, TooMuchError, NewType("Id", int), Callable, Mapping[str, Value]]
    wrong: list[Any] = [Bag, Adapter, Loose, use_case, Bag(1), not_of_a_face]
    names = {str(nth): what for nth, what in enumerate((*right, *wrong))}
    assert not_of_a_face(names) == [str(nth) for nth in range(len(right), len(names))]
