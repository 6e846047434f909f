"""The console's search by id: over all that is brought, whatever of it can be asked."""

from uuid import UUID, uuid4

import pytest

from app.kernel.errors import Unavailable
from app.platform.console.page import Knows, Page
from tests.consoles import browsing, log_in

THING = UUID(int=7)


async def one(wanted: UUID) -> str | None:
    return "/one/7" if wanted == THING else None


async def another(wanted: UUID) -> str | None:
    return "/another/7" if wanted == THING else None


async def away(_: UUID) -> str | None:
    raise Unavailable("its database is away")


async def answered(*known: Knows, text: str) -> tuple[int, str, str]:
    """The status, where the search leads, and what it says."""
    async with browsing(*(Page(lambda _: [], knows=each) for each in known)) as client:
        await log_in(client)
        answer = await client.get("/search", params={"id": text})
        return answer.status_code, answer.headers.get("location", ""), answer.text


async def test_the_first_that_knows_an_id_leads_on() -> None:
    assert (await answered(one, another, text=str(THING).upper()))[:2] == (303, "/one/7")
    assert (await answered(another, one, text=f" {THING} "))[:2] == (303, "/another/7")


async def test_what_is_known_is_found_while_another_cannot_be_asked() -> None:
    assert (await answered(away, one, text=str(THING)))[:2] == (303, "/one/7")


async def test_what_nobody_knows_is_said_and_so_is_who_could_not_be_asked() -> None:
    wanted = uuid4()
    status, _, page = await answered(one, another, text=str(wanted))
    assert (status, f"here is nothing with the id {wanted}" in page) == (404, True)
    status, _, page = await answered(one, away, text=str(wanted))
    assert (status, "ts database is away" in page) == (503, True)


@pytest.mark.parametrize("text", ["", "7", "a product"])
async def test_what_is_no_id_is_said_so(text: str) -> None:
    status, _, page = await answered(one, text=text)
    assert (status, "must be a UUID" in page) == (400, True)
