"""What the bank test takes for a read of what was no more."""

from uuid import UUID

import pytest

from tests.system.e2e.crowd import Person
from tests.system.soak.faults import Fault
from tests.system.soak.freshness import stale
from tests.system.soak.shelf import GONE, NOTHING, Read, Shelf, Thing, Write

SELLER = Person(UUID(int=1), "", "")
FROZEN = Fault("redis", (), 0, 3, {"way": "frozen"}, began=9, struck=9, healed=12)
DEAD = Fault("kill", ("api-1",), 0, 1, began=10.2, struck=10.2, healed=10.3)
WRITTEN = Write(2, 9.9, 10, api=0)


@pytest.mark.parametrize(
    ("write", "read", "faults", "is_stale"),
    [
        pytest.param(WRITTEN, Read(10.001, 0, 1, "look"), [], True, id="at once in the same process"),
        pytest.param(WRITTEN, Read(10.001, 0, 2, "look"), [], False, id="what was written"),
        pytest.param(WRITTEN, Read(9.99, 0, 1, "look"), [], False, id="before it was answered"),
        pytest.param(WRITTEN, Read(10.1, 1, 1, "look"), [], False, id="elsewhere, at once"),
        pytest.param(WRITTEN, Read(10.21, 1, 1, "look"), [], True, id="elsewhere, after 200 ms"),
        pytest.param(WRITTEN, Read(13.9, 1, 1, "look"), [FROZEN], False, id="elsewhere, just after the heal"),
        pytest.param(WRITTEN, Read(14.1, 1, 1, "look"), [FROZEN], True, id="elsewhere, 2 s after the heal"),
        pytest.param(WRITTEN, Read(11, 0, 1, "look"), [FROZEN], True, id="in the same process, Redis or not"),
        pytest.param(WRITTEN, Read(11, 0, 1, "look"), [DEAD], False, id="in the process that came after"),
        pytest.param(WRITTEN._replace(version=GONE), Read(11, 1, 7, "list"), [], True, id="what was deleted"),
        pytest.param(WRITTEN._replace(version=1), Read(11, 1, NOTHING, "list"), [], True, id="missing in a list"),
    ],
)
def test_a_read_is_stale_once_everybody_there_was_to_know(
    write: Write, read: Read, faults: list[Fault], *, is_stale: bool
) -> None:
    shelf = Shelf()
    shelf.things["a"] = Thing("a", SELLER, "USD", 5, writes=[write], reads=[read])
    assert any(stale(shelf, faults, 1.0)) is is_stale
