"""A context that is written in the tests' folder joins by one line: see `tests/greetings/__main__.py`.

All that it brings is served, documented, relayed, worked, shown, looked at and verified, in the house's database or in
one of its own; switched off, it is not there. Nothing of the service is edited for it.
"""

import asyncio
import re
from uuid import uuid4

import aio_pika
import httpx
import psycopg

from app.main.local.roles import Urls
from app.platform.process.processes import free_port
from tests.greetings.house import OPERATOR_KEY, TOOL, Joined, house, ok, shows
from tests.system.e2e.house import HEADERS, in_time, wait_until

__all__ = ["house"]


def greet(house: Joined, whom: str = "Ada") -> httpx.Response:
    return httpx.post(f"{house.api_url}/greetings", json={"whom": whom}, headers=HEADERS)


def test_its_migration_is_run_on_the_one_line_of_numbers(house: Joined) -> None:
    assert house.migrated == "ran 0901.greetings\n"
    assert house.command("migrate", "version").strip() == "901"


def test_its_operation_is_served_and_documented(house: Joined) -> None:
    answer = greet(house)
    assert (answer.status_code, [*answer.json()]) == (201, ["greeting_id"])
    assert httpx.post(f"{house.api_url}/greetings", json={"whom": "Ada"}).status_code == 401
    assert greet(house, 7).status_code == 400  # type: ignore[arg-type]  # on purpose
    paths = httpx.get(f"{house.api_url}/openapi.json").json()["paths"]
    assert paths["/greetings"]["post"]["operationId"] == "createGreeting"
    assert "/wallets/{user_id}/payments" in paths


async def test_its_event_is_relayed_to_its_own_exchange(house: Joined, rabbitmq_url: str) -> None:
    greet(house, "Grace")
    unsent = "SELECT count(*) FROM greetings.outbox_events WHERE sent_at IS NULL"
    await asyncio.to_thread(wait_until, lambda: house.greetings(unsent) == [(0,)], "the event to be relayed")
    async with await aio_pika.connect(rabbitmq_url) as connection:
        queue = await (await connection.channel()).get_queue("greetings.queue")
        bodies = []
        while (message := await queue.get(fail=False)) is not None:
            assert (message.exchange, message.routing_key) == ("greetings.events", "greeting.made")
            bodies.append(message.body)
            await message.ack()
    assert b'{"whom": "Grace"}' in bodies


def test_its_worker_works_and_shows_its_metrics(house: Joined) -> None:
    greet(house)
    waiting = "SELECT count(*) FROM greetings.greetings WHERE answered IS NULL"
    wait_until(lambda: house.greetings(waiting) == [(0,)], "everybody to answer")
    shown = httpx.get(f"http://127.0.0.1:{house.environment['ANSWER_METRICS_PORT']}/metrics").text
    assert "strongbox_pool_connections" in shown


def test_recovery_finishes_what_it_left_half_done_and_what_others_did(house: Joined) -> None:
    port = free_port()
    greet(house)
    house.environment["RECOVER_METRICS_PORT"] = str(port)
    house.start("recover", TOOL, "recover")
    try:
        unheard = "SELECT count(*) FROM greetings.greetings WHERE heard IS NULL"
        wait_until(lambda: house.greetings(unheard) == [(0,)], "everybody to be heard")
        wait_until(lambda: shows("strongbox_greetings [1-9]", port), "the look of its part")
        assert shows("strongbox_holds_expired_total 0", port), "no part of funds"
        wait_until(lambda: shows("strongbox_pending_payments 0", port), "the look of payments' part")
    finally:
        del house.environment["RECOVER_METRICS_PORT"]
        assert house.stop("recover") == 0, house.log("recover")


def test_its_gauge_is_among_the_metrics(house: Joined) -> None:
    greet(house)
    wait_until(lambda: re.search(r"^strongbox_greetings [1-9]", metrics(house), re.MULTILINE) is not None, "a gauge")


def metrics(house: Joined) -> str:
    return httpx.get(f"{house.api_url}/metrics").text


def test_its_page_is_in_the_console_and_in_its_menu(house: Joined) -> None:
    greet(house)
    origin = {"Origin": house.console_url}
    with httpx.Client(base_url=house.console_url, follow_redirects=True, headers=origin) as client:
        client.post("/login", data={"key": OPERATOR_KEY, "next": "/"})
        page = client.get("/greetings").text
    count = house.greetings("SELECT count(*) FROM greetings.greetings")[0][0]
    assert f"<p>{count} greeted</p>" in page
    assert re.search(r'<a href="/greetings"[^>]*>Greetings</a>', page)


def test_its_command_is_there(house: Joined) -> None:
    greet(house)
    assert int(house.command("greeting", "count")) >= 1
    assert "Have everybody answer." in house.command("--help")


def test_a_command_below_its_workers_is_there(house: Joined) -> None:
    greet(house)
    assert house.command("answer", "once") == "answered\n"
    assert "once" in house.command("answer", "--help")
    assert "No such command 'twice'" in house.command("answer", "twice", code=2)


def test_its_part_its_database_and_its_outbox_are_looked_at(house: Joined) -> None:
    own = "GREETINGS_DATABASE_URL" in house.environment

    def all_are_seen() -> None:
        seen = house.command("status", code=1)  # there is no gateway
        assert re.search(r"^greetings +ok +merry$", seen, re.MULTILINE)
        assert bool(re.search(r"^greetings database +ok", seen, re.MULTILINE)) is own
        assert re.search(rf"^{'greetings ' if own else ''}outbox +ok", seen, re.MULTILINE)

    in_time(all_are_seen)


def test_its_check_is_run(house: Joined) -> None:
    assert "holds   every greeting is to somebody" in house.command("verify")
    greet(house, "")
    assert "BROKEN  every greeting is to somebody" in house.command("verify", code=1)
    url = house.environment.get("MIGRATE_GREETINGS_DATABASE_URL") or house.database.owner_url
    with psycopg.connect(url) as owner:
        owner.execute("DELETE FROM greetings.greetings WHERE whom = ''")


def test_it_is_served_alone(house: Joined) -> None:
    house.stop("api")
    house.start("api", TOOL, "api", "--only", "greetings", expect=lambda: ok(f"{house.api_url}/readyz"))
    assert greet(house).status_code == 201
    assert httpx.get(f"{house.api_url}/wallets/{uuid4()}/balance", headers=HEADERS).status_code == 404
    assert next(iter(httpx.get(f"{house.api_url}/openapi.json").json()["paths"])) == "/greetings"


def test_switched_off_it_is_not_there(house: Joined) -> None:
    house.stop("api")
    house.environment["CONTEXTS"] = "funds, payments"
    try:
        house.start("api", TOOL, "api", expect=lambda: ok(f"{house.api_url}/readyz"))
        assert greet(house).status_code == 404
        assert "/greetings" not in httpx.get(f"{house.api_url}/openapi.json").json()["paths"]
        assert house.command("migrate", "version").strip() == "16"
        assert "up to date" in house.command("migrate", "up")
        assert "greeting" not in house.command("verify") + house.command("status", code=1)
        assert "greetings is switched off" in house.command("greeting", "count", code=2)
        assert "greetings is switched off" in house.command("answer", code=2)
    finally:
        del house.environment["CONTEXTS"]


def test_what_it_needs_has_to_be_there(house: Joined) -> None:
    house.environment["CONTEXTS"] = "greetings"
    try:
        assert "greetings needs funds" in house.command("migrate", "version", code=2)
    finally:
        del house.environment["CONTEXTS"]


def test_its_migration_is_undone_first_and_taken_up_again(house: Joined, database: Urls) -> None:
    for name in [*house.processes]:
        house.stop(name)
    assert house.command("migrate", "down") == "undid 0901.greetings\n"
    assert house.greetings("SELECT to_regclass('greetings.greetings')") == [(None,)]
    assert house.command("migrate", "up") == "ran 0901.greetings\n"
