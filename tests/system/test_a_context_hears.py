"""The context that is written in the tests' folder hears of payments: see `tests/greetings/context.py`.

Its consumer is a process of its own where there is a broker, and in the relay's where there is none.
"""

from app.platform.process.processes import free_port
from tests import forks
from tests.greetings.house import CONSUMERS, TOOL, Joined, house, shows
from tests.platform.outbox_fixtures import query
from tests.system.e2e.house import in_time, wait_until

__all__ = ["house"]


def test_its_consumer_hears_what_others_tell_even_what_was_told_before_it_came(house: Joined) -> None:
    port = free_port()
    house.environment["THANKS_METRICS_PORT"] = str(port)
    three_pay(house)
    unsent = "SELECT count(*) FROM payments.outbox_events WHERE sent_at IS NULL"
    wait_until(lambda: query(house.database.app_url, unsent) == [(0,)], "the events to be relayed")
    house.start("thanks", CONSUMERS, "thanks")
    try:
        thanked = "SELECT count(*) FROM greetings.greetings WHERE whom = 'payer' AND heard IS NOT NULL"
        wait_until(lambda: house.greetings(thanked) == [(3,)], "all to be thanked, and its work to have gone on")
        assert house.greetings("SELECT count(*) FROM greetings.inbox") == [(3,)]
        wait_until(lambda: shows(r"strongbox_thanked [1-9]", port), "its look")
        handled = r'strongbox_consumer_messages_total\{queue="thanks\.queue"\} 3'
        wait_until(lambda: shows(handled, port), "what it did")
        assert shows(r'strongbox_pool_max_connections\{pool="upkeep"\} [1-9]', port)
        queue = "thanks.queue 0 waiting, 1 consumer(s)"  # which a busy broker may not tell within a look
        wait_until(lambda: queue in house.command("status", code=1), "status to tell of its queue")
        assert "thanks.queue: 0 dead letter(s)" in in_time(lambda: house.command("dlq", "ls"))
    finally:
        del house.environment["THANKS_METRICS_PORT"]
        assert house.stop("thanks") == 0, house.log("thanks")


def test_without_a_broker_its_consumer_is_in_the_relays_process(house: Joined) -> None:
    house.stop("relay")
    with_broker, house.environment["RABBITMQ_URL"] = house.environment["RABBITMQ_URL"], ""
    try:
        house.start("relay", TOOL, "relay", "--in-process")
        three_pay(house)
        thanked = "SELECT count(*) FROM greetings.greetings WHERE whom = 'payer, inside' AND heard IS NOT NULL"
        wait_until(lambda: house.greetings(thanked) == [(3,)], "all to be thanked")
        assert house.stop("relay") == 0, house.log("relay")
    finally:
        house.environment["RABBITMQ_URL"] = with_broker
        house.start("relay", TOOL, "relay")


def test_switched_off_it_hears_nothing(house: Joined) -> None:
    house.environment["CONTEXTS"] = "funds, payments"
    try:
        switched_off = forks.run((CONSUMERS, "thanks"), house.folder, house.environment)
        assert (switched_off.returncode, "greetings is switched off" in switched_off.stderr) == (2, True)
    finally:
        del house.environment["CONTEXTS"]


def three_pay(house: Joined) -> None:
    house.start_gateway()
    try:
        house.command("provider", "add", "Acme", "--id", str(house.provider_id))
        for _ in range(3):
            house.paid(house.wallet(100), 100)
    finally:
        house.stop("gateway")
