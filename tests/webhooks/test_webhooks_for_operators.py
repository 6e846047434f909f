"""Webhooks as operators look at them, and have something sent again: in the console, and on the command line."""

import json
import os
import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest

from app.contexts.webhooks.adapters.operations.parts import parts_of_webhooks
from app.contexts.webhooks.context import WEBHOOKS
from app.contexts.webhooks.domain.endpoint import Status
from app.main.contexts import load
from app.main.house import House
from app.main.local.roles import Urls
from app.platform.operations.health import State
from app.platform.postgres.actions import PostgresActions
from tests import forks
from tests.consoles import browsing, log_in
from tests.platform.peers import serving
from tests.webhooks.office import SETTINGS, Office, Stranger, saying

TENANT = "office"
NOBODYS = "01980000-0000-7000-8000-00000000dead"


@pytest.fixture
async def lived(office: Office) -> dict[str, str]:
    """An endpoint of a tenant that operators know, with a delivery that was attempted once."""
    office.query("DELETE FROM identity.tenants WHERE name = %s", TENANT)
    office.query(
        "INSERT INTO identity.tenants (id, name, house_user_id) VALUES (%s, %s, gen_random_uuid())",
        office.tenant,
        TENANT,
    )
    async with serving(Stranger(saying(503))) as server, office.sending():
        endpoint, _ = await office.endpoint(f"{server.url}/<hook>".replace("<hook>", "hook"), description="a <shop>")
        event_id = await office.happen()
        await office.attempted(endpoint, 1)
    delivery = await office.delivery(endpoint)
    return {"webhook": str(endpoint.id), "delivery": str(delivery.id), "event": str(event_id), "url": endpoint.url}


@pytest.fixture
async def console(module_database: Urls) -> AsyncIterator[httpx.AsyncClient]:
    """A client that somebody has logged in, before the pages of webhooks."""
    house = House(load({"DATABASE_URL": module_database.app_url} | SETTINGS | {"CONTEXTS": "identity,webhooks"}))
    assert WEBHOOKS.pages
    pages = WEBHOOKS.pages(house.container("webhooks"), ())

    def record_of(operator: str) -> PostgresActions:
        return PostgresActions(module_database.app_url, operator)

    async with AsyncExitStack() as stack, browsing(*pages, record_of=record_of) as client:
        for pool in await house.open(stack):
            await pool.wait()
        client.headers["X-Test-Token"] = await log_in(client)
        yield client


async def post(client: httpx.AsyncClient, path: str, **form: str) -> httpx.Response:
    return await client.post(path, data={"csrf": client.headers["X-Test-Token"], **form})


async def test_the_console_shows_the_webhooks_of_a_tenant(console: httpx.AsyncClient, lived: dict[str, str]) -> None:
    page = await console.get(f"/webhooks?tenant={TENANT}")
    assert page.status_code == 200
    for shown in (lived["webhook"], lived["url"], "a &lt;shop&gt;", "ACTIVE"):
        assert shown in page.text
    assert lived["webhook"] not in (await console.get("/webhooks")).text


async def test_it_leads_to_deliveries_and_to_the_story_of_one(
    console: httpx.AsyncClient, lived: dict[str, str]
) -> None:
    page = (await console.get(f"/webhooks/{TENANT}/{lived['webhook']}")).text
    assert lived["delivery"] in page
    assert "503" in page
    assert lived["delivery"] not in (await console.get(f"/webhooks/{TENANT}/{lived['webhook']}?status=FAILED")).text
    story = (await console.get(f"/webhooks/{TENANT}/{lived['webhook']}/{lived['delivery']}")).text
    told = ["payment.completed happened", "to be sent (event)", "attempt 1 answered 503", "attempt 2, from "]
    assert [one for one in told if one not in story] == []
    assert lived["event"] in story


async def test_a_webhook_that_the_service_has_disabled_says_why(
    console: httpx.AsyncClient, office: Office, lived: dict[str, str]
) -> None:
    office.query("UPDATE webhooks.endpoints SET status = 'DISABLED', reason = 'gone' WHERE id = %s", lived["webhook"])
    page = (await console.get(f"/webhooks/{TENANT}/{lived['webhook']}")).text
    assert ("it answered 410" in page, "Send again" in page, "Replay</button>" in page) == (True, False, False)
    story = await console.get(f"/webhooks/{TENANT}/{lived['webhook']}/{lived['delivery']}")
    assert "waits until the webhook is ACTIVE again" in story.text
    refused = await post(console, f"/webhooks/{TENANT}/{lived['webhook']}/redeliver", id=lived["delivery"])
    assert refused.status_code == 409


async def test_an_operator_has_an_event_sent_again_on_record(
    console: httpx.AsyncClient, office: Office, lived: dict[str, str]
) -> None:
    answer = await post(console, f"/webhooks/{TENANT}/{lived['webhook']}/redeliver", id=lived["delivery"])
    assert (answer.status_code, answer.headers["location"]) == (
        303, f"/webhooks/{TENANT}/{lived['webhook']}/{lived['delivery']}",
    )  # fmt: skip
    assert office.query("SELECT round, attempts FROM webhooks.deliveries WHERE id = %s", lived["delivery"]) == [(1, 0)]
    span = {"from": "2026-01-01T00:00", "to": "2999-01-01T00:00"}
    assert (await post(console, f"/webhooks/{TENANT}/{lived['webhook']}/replay", **span)).status_code == 303
    assert office.query("SELECT round FROM webhooks.deliveries WHERE id = %s", lived["delivery"]) == [(2,)]
    done = office.query(
        "SELECT operator, action, details FROM audit.actions WHERE details->>'webhook_id' = %s ORDER BY id",
        lived["webhook"],
    )
    assert [(operator, action) for operator, action, _ in done] == [
        ("alice", "webhook redeliver"), ("alice", "webhook replay"),
    ]  # fmt: skip
    assert lived["url"] not in str(done)


@pytest.mark.parametrize("path", ["x", NOBODYS, f"{NOBODYS}/{NOBODYS}", "{webhook}/x", f"{{webhook}}/{NOBODYS}"])
async def test_what_is_not_there_is_told(console: httpx.AsyncClient, lived: dict[str, str], path: str) -> None:
    answer = await console.get(f"/webhooks/{TENANT}/{path.format(**lived)}")
    assert answer.status_code == (400 if path.endswith("x") else 404)
    assert (await console.get("/webhooks?tenant=nobody")).status_code == 404


def command(database: Urls, tmp_path: Path, *words: str) -> tuple[int, str, str]:
    environment = {"DATABASE_URL": database.app_url, "PATH": os.environ["PATH"]}
    done = forks.run(["app", "webhook", *words], tmp_path, environment)
    return done.returncode, done.stdout, done.stderr


async def test_the_command_line_tells_the_same(
    office: Office, module_database: Urls, tmp_path: Path, lived: dict[str, str]
) -> None:
    webhook, delivery = lived["webhook"], lived["delivery"]

    def told(*words: str) -> Any:
        code, said, wrong = command(module_database, tmp_path, *words, "--tenant", TENANT, "--json")
        assert code == 0, wrong
        return json.loads(said)

    assert [one["webhook_id"] for one in told("list")] == [webhook]
    (found,) = told("deliveries", webhook)
    assert (found["delivery_id"], found["last_status"], found["attempts"]) == (delivery, 503, 1)
    assert told("deliveries", webhook, "--status", "FAILED") == []
    story = told("show", webhook, delivery)
    assert [moment["what"] for moment in story["timeline"]][-1] == "attempt 1 answered 503"
    assert told("replay", webhook, "--from", "2026-01-01", "--to", "2999-01-01") == {"count": 1}
    for words in (("list",), ("deliveries", webhook), ("show", webhook, delivery), ("redeliver", webhook, delivery)):
        code, said, wrong = command(module_database, tmp_path, *words, "--tenant", TENANT)
        assert (code, wrong) == (0, "")
        assert re.search(rf"{webhook}|{delivery}", said)
    assert office.query("SELECT round FROM webhooks.deliveries WHERE id = %s", delivery) == [(2,)]


async def test_the_command_line_says_what_is_wrong(
    office: Office, module_database: Urls, tmp_path: Path, lived: dict[str, str]
) -> None:
    webhook, delivery = lived["webhook"], lived["delivery"]
    await office.container.manage().change(
        office.tenant,
        (await office.container.endpoints().page(office.tenant, None, 1))[0].id,
        {"status": Status.DISABLED},
    )
    cases = {
        ("list", "--tenant", "nobody"): (1, "there is no tenant 'nobody'"),
        ("deliveries", str(uuid4()), "--tenant", TENANT): (1, "there is no such webhook"),
        ("show", webhook, str(uuid4()), "--tenant", TENANT): (1, "there is no such delivery"),
        ("redeliver", webhook, delivery, "--tenant", TENANT): (1, "the webhook is disabled"),
        ("replay", webhook, "--from", "2026-01-02", "--to", "2026-01-01"): (2, "later than --from"),
        ("deliveries", "x"): (2, "not a valid UUID"),
    }
    for words, (code, why) in cases.items():
        found, _, wrong = command(module_database, tmp_path, *words)
        assert found == code, wrong
        assert why in wrong


async def test_status_is_down_when_what_is_due_is_not_sent_and_not_when_receivers_fail(
    office: Office, lived: dict[str, str], module_database: Urls
) -> None:
    (part,) = parts_of_webhooks(module_database.app_url)
    office.query("UPDATE webhooks.lanes SET wake_at = NULL")
    seen = await part.look()
    assert (seen.state, seen.figures["failing"] != 0, seen.hint) == (State.OK, True, None)
    an_hour_late = "UPDATE webhooks.lanes SET wake_at = now() - interval '1 h' WHERE endpoint_id = %s"
    office.query(an_hour_late, lived["webhook"])
    late = await part.look()
    assert (late.state, "strongbox webhooks" in str(late.hint)) == (State.DOWN, True), late
