"""Requests for tokens as operators look at them: in the console, and on the command line."""

import json
import os
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import httpx
import pytest

from app.contexts.chain.public import InvalidMint, MintStatus
from app.contexts.mint.context import MINT
from app.main.local.roles import Urls
from app.platform.eip55 import checksummed
from tests import forks
from tests.consoles import browsing, log_in
from tests.mint.ledger import Ledger
from tests.mint.minting import ADDRESS, Minting, Request, request
from tests.platform.outbox_fixtures import query

OTHER = "0x" + "cd" * 20


@dataclass(frozen=True)
class Lived:
    """A request that was minted, one that failed and was asked for again, one that is under way to somebody else."""

    database: Urls
    minted: Request
    failed: Request
    again: Request
    open: Request


@pytest.fixture(scope="module")
async def lived(module_database: Urls) -> Lived:
    ledger = Ledger()
    minting = Minting(module_database, ledger)
    minted, failed, open_ = request(), request(), request(address=OTHER)
    await minting.hear(minted.document())
    await minting.pursue()
    ledger.refuses = InvalidMint("amount")
    await minting.hear(failed.document())
    ledger.refuses, ledger.confirms = None, False
    again = failed.again()
    await minting.hear(again.document())
    await minting.hear(open_.document())
    ledger.becomes(again.request_id, MintStatus.MINED)
    await minting.pursue()
    await minting.close()
    return Lived(module_database, minted, failed, again, open_)


@asynccontextmanager
async def console(database: Urls) -> AsyncIterator[httpx.AsyncClient]:
    """A client that somebody has logged in, before the pages of minting."""
    minting = Minting(database, Ledger())
    assert MINT.pages
    async with browsing(*MINT.pages(minting.container, ())) as client:
        await log_in(client)
        yield client


def shown(page: str) -> list[str]:
    """The requests in the list, in its order."""
    return re.findall(r'data-label="Request"><a class="id" href="/mints/([^"]+)"', page)


async def test_requests_are_listed_by_state_and_by_address(lived: Lived) -> None:
    every = [str(one.request_id) for one in (lived.open, lived.again, lived.failed, lived.minted)]
    async with console(lived.database) as client:
        found = {
            asked: shown((await client.get(f"/mints?{asked}")).text)
            for asked in ("", "state=open", "state=failed", "state=minted", f"address={checksummed(OTHER)}")
        }
        page = (await client.get("/mints")).text
    opened, again, failed, minted = every
    assert found == {
        "": every, "state=open": [opened, again], "state=failed": [failed], "state=minted": [minted],
        f"address={checksummed(OTHER)}": [opened],
    }  # fmt: skip
    assert checksummed(ADDRESS) in page
    assert ADDRESS not in page


async def test_a_request_tells_its_story_and_those_of_its_entry_before(lived: Lived) -> None:
    async with console(lived.database) as client:
        page = (await client.get(f"/mints/{lived.failed.entry_id}")).text
        minted = (await client.get(f"/mints/{lived.minted.request_id}")).text
    told = re.findall(r'<span class="source">\w+</span> <span>(.*?)</span>', page)
    assert told == ["asked for", "the adapter has it", "FAILED", "asked for", "the adapter has it"]
    assert "rewards take it back, and ask again under another request id" in page
    assert "it waits for the chain: its transactions say for what" in page
    for one in (lived.failed, lived.again):
        assert f"/chain/{one.request_id}" in page
    assert "MINTED" in minted
    assert "<strong>Next</strong>" not in minted
    assert "the event waits in the outbox" in minted


@pytest.mark.parametrize("what", ["request", "entry", "address", "address as a wallet spells it"])
async def test_the_search_leads_to_them(lived: Lived, what: str) -> None:
    one = lived.open
    asked, path = {
        "request": (str(one.request_id), f"/mints/{one.request_id}"),
        "entry": (str(one.entry_id), f"/mints/{one.entry_id}"),
        "address": (OTHER, f"/mints?address={OTHER}"),
        "address as a wallet spells it": (checksummed(OTHER), f"/mints?address={OTHER}"),
    }[what]
    async with console(lived.database) as client:
        answer = await client.get("/search", params={"id": asked})
    assert (answer.status_code, answer.headers["location"]) == (303, path)


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/mints?state=lost", 400),
        ("/mints?address=0x1", 400),
        ("/mints?before=x", 400),
        ("/mints?a=1", 400),
        ("/mints/x", 400),
        ("/mints/{stranger}", 404),
        ("/search?id=0x" + "0" * 64, 404),
        ("/search?id=0x1", 400),
    ],
)
async def test_what_there_is_not_has_a_page_that_says_so(lived: Lived, path: str, status: int) -> None:
    async with console(lived.database) as client:
        assert (await client.get(path.format(stranger=uuid4()))).status_code == status


async def test_a_list_goes_on(database: Urls) -> None:
    minting = Minting(database, Ledger())
    await minting.hear(*(request().document() for _ in range(52)))
    await minting.close()
    async with console(database) as client:
        first = (await client.get("/mints")).text
        (older,) = re.findall(r'<a href="([^"]*before=[^"]*)">Older', first)
        second = (await client.get(older.replace("&amp;", "&"))).text
    listed = [*shown(first), *shown(second)]
    assert (len(shown(first)), len(set(listed))) == (50, 52)
    assert "Older" not in second


def test_what_is_listed_has_its_indexes(lived: Lived) -> None:
    names = {name for (name,) in query(
        lived.database.app_url, "SELECT indexname FROM pg_indexes WHERE tablename = 'mint_requests'"
    )}  # fmt: skip
    assert {"mint_requests_newest", "mint_requests_to", "mint_requests_failed", "mint_requests_due"} <= names


def test_the_command_line_tells_the_same(lived: Lived) -> None:
    environment = {"DATABASE_URL": lived.database.app_url, "PATH": os.environ["PATH"]}

    def told(*words: str) -> str:
        ended = forks.run(("app", "mint", "show", *words), Path.cwd(), environment)
        assert ended.returncode == 0, ended.stderr
        return ended.stdout

    text = told(str(lived.failed.entry_id))
    assert checksummed(ADDRESS) in text
    assert re.search("^next +.*ask again under another request id$", text, re.MULTILINE)
    first, second = json.loads(told(str(lived.failed.entry_id), "--json"))
    assert (first["status"], second["status"], first["address"]) == ("FAILED", "SUBMITTED", checksummed(ADDRESS))
