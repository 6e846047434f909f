"""A statement in whose middle something dies: it is whole, or nothing in it looks like its end."""

from datetime import UTC, datetime

import httpx
import pytest

from tests.system.crash.deeds import later
from tests.system.crash.fragile import Fragile
from tests.system.crash.proxy import Then
from tests.system.e2e.crowd import Person, person

A_PAGE = r"strongbox-past:\s+SELECT t\.id::text"


def statement(house: Fragile, who: Person) -> bytes:
    """As CSV, of all that there is."""
    ((now,),) = house.query("SELECT clock_timestamp()")
    assert isinstance(now, datetime)
    until = now.astimezone(UTC).isoformat().replace("+00:00", "Z")
    query = {"currency": "USD", "from": "2020-01-01T00:00:00Z", "to": until, "format": "csv"}
    answer = httpx.get(f"{house.api_url}/v1/wallet/statement", params=query, headers=who.bearer)
    return answer.raise_for_status().content


def test_a_page_whose_connection_is_lost_is_read_again(house: Fragile) -> None:
    ada = person(house, 1_000)
    whole = statement(house, ada)
    with house.postgres.trap(A_PAGE, Then.CUT) as trap:
        assert statement(house, ada) == whole
        trap.wait()
    assert whole.count(b"\r\n") == 2


def test_what_is_said_by_an_api_that_dies_has_no_end(house: Fragile) -> None:
    ada = person(house, 1_000)
    with house.postgres.trap(A_PAGE, Then.HOLD) as trap:
        asked = later(statement, house, ada)
        trap.wait()
        house.kill("api")
        trap.drop()
        with pytest.raises(httpx.TransportError):
            asked.result(60)
    house.begin("api")
    assert statement(house, ada).count(b"\r\n") == 2
