"""What operators see and do at a running service."""

import asyncio
import json
import signal
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import aio_pika
import httpx
import psycopg
import pytest
from click.testing import CliRunner

from app.main.cli import main
from app.main.local.roles import Urls
from tests import forks
from tests.pace import slow
from tests.system.e2e.conftest import measured
from tests.system.e2e.house import QUICK, House, in_time, wait_until
from tests.system.e2e.whole import PARTS, WholeHouse


@pytest.fixture(scope="module")
def house(module_database: Urls, rabbitmq_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A house of which every part runs."""
    with measured(module_database, rabbitmq_url, tmp_path_factory.mktemp("house"), WholeHouse) as house:
        yield house


@pytest.fixture(autouse=True)
def happy_again(house: House) -> None:
    """Every test starts with a gateway that works."""
    house.mode("happy")


def shown(house: House, *words: str, code: int = 0) -> Any:
    """What a command prints as JSON. In this process, so that its coverage counts; as people run it elsewhere here."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("app.platform.process.logging.configure", lambda *_: None)  # the tests' own logging stays
        patch.chdir(house.folder)
        done = CliRunner().invoke(main, [*words, "--json"], env=house.environment)
    assert done.exit_code == code, done.output
    return json.loads(done.stdout)


def parts(house: House, code: int = 1) -> dict[str, tuple[str, str | None]]:
    """Each part's state and hint."""
    return {part["part"]: (part["state"], part["hint"]) for part in shown(house, "status", code=code)["parts"]}


@contextmanager
def suspended(house: House, name: str) -> Iterator[None]:
    """The process of that name stands still."""
    house.processes[name].send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        house.processes[name].send_signal(signal.SIGCONT)


def test_a_payments_whole_story_is_on_one_time_line(house: House) -> None:
    user_id = house.wallet(1_000)
    house.mode("declined")
    key = f"secret-{uuid.uuid4()}"
    payment_id = house.paid(user_id, 10, key)
    wait_until(lambda: len(house.trail(payment_id)) == 3 and house.quiet(), "the audit trail")
    story = shown(house, "payments", "show", payment_id)
    assert (story["payment"]["status"], story["payment"]["provider_name"]) == ("DECLINED", "Acme")
    told = [(moment["source"], moment["what"]) for moment in story["timeline"]]
    assert told[:2] == [
        ("request", "accepted: the money is set aside, PENDING"),
        ("ledger", "PAYMENT -10 USD on wallet, balance 990"),
    ]
    assert ("ledger", "REFUND +10 USD on wallet, balance 1000") in told
    assert ("gateway", "DECLINED (DO_NOT_HONOR): final") in told
    assert ("key", "the answer is stored under its key: 201") in told
    for kind in ("payment.created", "payment.failed", "refund.created"):
        assert {("outbox", f"{kind} written"), ("outbox", f"{kind} sent")} < set(told)
        assert any(source == "audit" and what.startswith(f"{kind} audited, position") for source, what in told)
    assert [moment["at"] for moment in story["timeline"]] == sorted(moment["at"] for moment in story["timeline"])
    text = house.command("payments", "show", payment_id)
    assert "gateway  DECLINED (DO_NOT_HONOR): final" in text
    assert key not in text + json.dumps(story)
    assert "is not a valid UUID" in house.command("payments", "show", "abc", code=2)
    unknown = uuid.uuid4()
    assert f"there is no payment {unknown}" in house.command("payments", "show", str(unknown), code=1)


def test_a_pending_payment_says_what_comes_next_and_without_the_audit_trail_what_is_missing(house: House) -> None:
    user_id = house.wallet(1_000)
    house.mode("timeout", applies_to="all")
    payment_id = house.pay(user_id, 10).json()["error"]["details"]["payment_id"]
    story = shown(house, "payments", "show", payment_id)
    created_at = datetime.fromisoformat(story["payment"]["created_at"])
    assert datetime.fromisoformat(story["next"]["at"]) >= created_at + timedelta(
        seconds=float(QUICK["RECOVER_AFTER_S"])
    )
    assert "recovery asks the gateway" in story["next"]["what"]
    elsewhere = dict(house.environment, AUDIT_DATABASE_URL="postgresql://nobody@127.0.0.1:1/none")
    done = forks.run(("app", "payments", "show", payment_id), house.folder, elsewhere)
    assert (done.returncode, "note       the audit trail is not shown" in done.stdout) == (0, True), done.stderr
    house.mode("happy")
    wait_until(house.quiet, "recovery")
    assert shown(house, "payments", "show", payment_id)["next"] is None


def test_a_wallet_is_shown_beside_what_its_entries_say(house: House) -> None:
    user_id = house.wallet(1_000)
    house.pay(user_id, 10)
    found = shown(house, "wallets", "show", str(user_id))
    (wallet,) = found["wallets"]
    assert (found["agree"], wallet["balance"], wallet["derived_balance"], wallet["entries"]) == (True, 990, 990, 2)
    assert [line["kind"] for line in found["transactions"]] == ["PAYMENT", "FUNDING"]
    with psycopg.connect(house.database.owner_url, autocommit=True) as owner:
        owner.execute("UPDATE wallet_balances SET current_balance = 991 WHERE user_id = %s", (user_id,))
        assert "BROKEN" in house.command("wallets", "show", str(user_id), code=1)
        owner.execute("UPDATE wallet_balances SET current_balance = 990 WHERE user_id = %s", (user_id,))
    assert "no such user" in house.command("wallets", "show", str(uuid.uuid4()), code=1)


def test_a_replay_restores_what_a_consumer_lacks_and_what_it_knows_has_no_second_effect(house: House) -> None:
    user_id = house.wallet(1_000)
    known = house.paid(user_id, 10)
    wait_until(lambda: len(house.trail(known)) == 2 and house.quiet(), "the trail")
    since = (datetime.now(UTC) - timedelta(hours=1)).isoformat()
    house.stop("audit")
    lost = house.paid(user_id, 10)
    wait_until(lambda: not house.query("SELECT FROM outbox_events WHERE sent_at IS NULL"), "the outbox to be empty")
    asyncio.run(purged(house.environment["RABBITMQ_URL"], "audit.queue"))
    wait_until(lambda: totals_are_those_of_the_payments(house), "the metrics")
    house.start("audit", "consumers", "audit")
    for queue in ("metrics.queue", "audit.queue"):
        assert shown(house, "outbox", "replay", "--from", since, "--to-queue", queue)["events"] >= 4
    wait_until(lambda: len(house.trail(lost)) == 2, "what was lost")
    # What comes behind the replayed events in the queues tells that they are through.
    last = house.paid(user_id, 10)
    wait_until(lambda: len(house.trail(last)) == 2, "the replayed events to be through")
    wait_until(lambda: totals_are_those_of_the_payments(house), "the metrics")
    assert len(house.trail(known)) == len(house.trail(lost)) == 2
    house.verify()


def test_a_dead_letter_is_listed_shown_put_back_and_dropped(house: House) -> None:
    asyncio.run(poisoned(house.environment["RABBITMQ_URL"], "audit.queue", "poison-1"))

    def dead() -> list[dict[str, Any]]:
        return [letter for page in shown(house, "dlq", "ls") for letter in page["messages"]]

    wait_until(lambda: len(dead()) == 1, "the consumer to give it up")
    (letter,) = dead()
    assert (letter["queue"], letter["attempts"]) == ("audit.queue", 4)
    (whole,) = shown(house, "dlq", "show", letter["id"])
    assert whole["body"] == "poison-1"
    moved = shown(house, "dlq", "redrive", letter["id"])
    assert moved == {"metrics.queue": 0, "audit.queue": 1, "mint.queue": 0, "rewards.queue": 0, "webhooks.queue": 0}
    wait_until(lambda: len(dead()) == 1, "the consumer to give it up again")
    assert shown(house, "dlq", "redrive", "--all", "--queue", "audit.queue") == {"audit.queue": 1}
    wait_until(lambda: len(dead()) == 1, "the consumer to give it up once more")
    assert f"dropped {letter['id']}" in house.command("dlq", "drop", letter["id"], "--yes")
    assert dead() == []
    for words in (("show", letter["id"]), ("redrive", letter["id"]), ("drop", letter["id"], "--yes")):
        assert "there is no dead letter" in house.command("dlq", *words, code=1)


async def poisoned(rabbitmq_url: str, queue: str, body: str) -> None:
    async with await aio_pika.connect(rabbitmq_url) as connection:
        channel = await connection.channel()
        await channel.default_exchange.publish(aio_pika.Message(body.encode(), message_id=str(uuid.uuid4())), queue)


async def purged(rabbitmq_url: str, queue: str) -> None:
    async with await aio_pika.connect(rabbitmq_url) as connection:
        await (await (await connection.channel()).get_queue(queue)).purge()


def totals_are_those_of_the_payments(house: House) -> bool:
    """Each payment was counted once in each status that it reached."""
    payments = dict(house.query("SELECT status, count(*) FROM payments GROUP BY status"))
    payments["PENDING"] = sum(payments.values())
    return payments == dict(house.query("SELECT status, sum(count)::bigint FROM metrics.totals GROUP BY status"))


def test_the_outbox_shows_what_waits_and_who_relays(house: House) -> None:
    wait_until(house.quiet, "everything to be sent")
    outboxes = shown(house, "outbox", "status")
    market, cashback = ["catalog", "ordering", "auctions"], ["rewards", "mint"]
    assert [*outboxes] == ["identity", "funds", "payments", "reconciliation", *market, *cashback, "webhooks"]
    for figures in outboxes.values():
        assert (figures["depth"], sum(figures["leases"].values()), figures["retention_h"]) == (0, 16, 24)
    assert house.command("outbox", "status").count("PARTITIONS") == len(outboxes)


def test_the_screen_shows_what_is_wrong_with_which_part(house: House) -> None:
    wait_until(house.quiet, "everything to be quiet")
    assert {state for state, _ in in_time(lambda: parts(house, code=0)).values()} == {"ok"}
    assert f"all {PARTS} parts are ok" in in_time(lambda: house.command("status"))
    for name in ("api", "audit", "relay"):
        house.stop(name)

    def three_and_the_gateway_are_away() -> None:
        found = parts(house)
        assert found["api"] == ("down", "start `strongbox api`, or say where it is: --api URL")
        assert found["broker"] == ("degraded", "nobody consumes: start `python -m consumers audit`")
        assert found["outbox"] == ("down", "no relay holds a lease: start `strongbox relay`")
        assert found["gateway"][0] == "down"
        assert found["database"] == found["consumers"] == found["dead letters"] == ("ok", None)

    with suspended(house, "gateway"):
        in_time(three_and_the_gateway_are_away)
    house.start("relay", "app", "relay")
    house.start("audit", "consumers", "audit")
    house.start_api()


def test_parts_that_hang_are_told_apart_from_those_that_answer(house: House) -> None:
    """Each has two seconds, all of them at once."""

    def only_the_api_hangs() -> None:
        began = datetime.now(UTC)
        found = parts(house)
        assert (datetime.now(UTC) - began).total_seconds() < slow(20)
        assert found["api"][0] == "down"
        assert found["database"][0] == found["broker"][0] == "ok"

    with suspended(house, "api"):
        in_time(only_the_api_hangs)
    wait_until(lambda: httpx.get(f"{house.api_url}/readyz").is_success, "the API to be back")


def test_commands_say_that_the_database_is_away(house: House) -> None:

    def only_the_database_is_away() -> None:
        found = parts(house)
        assert found["database"][0] == found["outbox"][0] == found["recovery"][0] == found["consumers"][0] == "down"
        assert found["broker"][0] == "ok"

    house.environment["DATABASE_URL"] = "postgresql://nobody:secret@127.0.0.1:1/none"
    try:
        for words in (["payments", "show", str(uuid.uuid4())], ["outbox", "status"]):
            said = house.command(*words, code=1)
            assert "the database cannot be reached" in said
            assert "secret" not in said
        in_time(only_the_database_is_away)
    finally:
        house.environment["DATABASE_URL"] = house.database.app_url
