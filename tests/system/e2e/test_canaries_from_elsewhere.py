"""Canaries from the gateway and from whoever can publish: they end in no log, metric, error, table or reason."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import aio_pika
import httpx
import pytest
from aio_pika import DeliveryMode, Message
from aio_pika.abc import HeadersType

from app.contexts.payments.public import EVENTS
from app.kernel.topology import Queue
from app.main.local.postgres import PostgresServer
from app.main.local.roles import Urls
from tests.system.e2e.canaries import CARD, SECRET, check_untold, columns_with, logs_with, metrics_of, of_answer, told
from tests.system.e2e.conftest import without_what_others_left
from tests.system.e2e.house import LIMIT_S, House, body, running, wait_until
from tests.system.e2e.lying_gateway import Lie, LyingGateway, Told, Trap, answer, serving

METRICS = EVENTS.queue("metrics.queue")
AUDIT = EVENTS.queue("audit.queue")

CODE = f"code-{uuid4().hex}"
"""A decline code is the gateway's to choose, and the client's to read."""
HEADERS_TOLD = ("Retry-After", "Location", "Set-Cookie", "WWW-Authenticate", "Content-Type", "Server", "X-Request-ID")


def with_members(**members: Any) -> Lie:
    """The true answer, but for these members."""
    return lambda status, true: answer(status, true | members)


def with_headers(status: int, *headers: str, reason: str | None = None) -> Lie:
    """The true body, under another status and with these headers."""
    return lambda _, true: answer(status, true, *headers, reason=reason)


def instead(raw: bytes) -> Lie:
    """These bytes in place of an answer."""
    return lambda _status, _true: raw


def declined(_: int, true: Told) -> bytes:
    """The charge as declined, with a code that no decline code can be."""
    return answer(201, true | {"status": "DECLINED", "decline_code": f"{SECRET}\n"})


LIES: dict[str, Lie] = {
    **{f"the member {name}": with_members(**{name: SECRET}) for name in ("payment_id", "currency", "status")},
    "a member too many": with_members(**{SECRET: SECRET}),
    "another amount": with_members(amount=int(CARD)),
    "an amount in text": with_members(amount=SECRET),
    "the charge's id": with_members(charge_id=SECRET),
    "a number as the charge's id": with_members(charge_id=int(CARD)),
    "a decline code that is none": declined,
    "the whole body": lambda status, _: answer(status, {SECRET: SECRET}),
    "an array": lambda status, _: answer(status, [SECRET]),
    "garbage": lambda status, _: answer(status, SECRET.encode()),
    "broken JSON": lambda status, true: answer(status, json.dumps(true | {"x": SECRET}).encode()[:-1]),
    "not UTF-8": lambda status, _: answer(status, b'{"\xff":"' + SECRET.encode() + b'"}'),
    "far too much": lambda status, _: answer(status, SECRET.encode() * 2000),
    "an error": lambda _, __: answer(500, {"error": SECRET}, reason=SECRET),
    "too many requests": with_headers(429, f"Retry-After: {CARD}", reason=SECRET),
    "a conflict": lambda _, __: answer(409, {"payment_id": SECRET, "status": SECRET}),
    "headers": with_headers(201, *(f"{name}: {SECRET}" for name in HEADERS_TOLD), f"{SECRET.replace('.', '-')}: a"),
    "an encoding": with_headers(201, f"Content-Encoding: {SECRET}"),
    "no HTTP": instead(SECRET.encode() + b"\r\n\r\n"),
    "a broken status": instead(f"HTTP/1.1 {CARD} {SECRET}\r\n\r\n".encode()),
    "a broken header": instead(f"HTTP/1.1 201 Created\r\n{SECRET}\r\n\r\n".encode()),
    "a broken length": instead(f"HTTP/1.1 201 Created\r\nContent-Length: {SECRET}\r\n\r\n{SECRET}".encode()),
    "half an answer": instead(f"HTTP/1.1 201 Created\r\nContent-Length: 999\r\n\r\n{SECRET}".encode()),
    "a broken chunk": instead(f"HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\n{SECRET}\r\n".encode()),
}
REDIRECTS = (301, 302, 303, 307, 308)


@pytest.fixture(scope="module")
def trap() -> Iterator[Trap]:
    """Where the gateway sends whoever follows it."""
    trap = Trap()
    with serving(trap):
        yield trap


@pytest.fixture(scope="module")
def gateway(trap: Trap) -> Iterator[LyingGateway]:
    """The gateway, with every lie, and a redirect for each way to redirect."""
    away = f"Location: http://127.0.0.1:{trap.server_port}/{SECRET}"
    gateway = LyingGateway(LIES | {f"redirect {status}": with_headers(status, away) for status in REDIRECTS})
    with serving(gateway):
        yield gateway


@pytest.fixture(scope="module")
def house(
    module_database: Urls, rabbitmq_url: str, gateway: LyingGateway, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[House]:
    """A house whose gateway lies."""
    asyncio.run(without_what_others_left(rabbitmq_url))
    folder: Path = tmp_path_factory.mktemp("lied-to")
    settings = {"GATEWAY_URL": gateway.url, "GATEWAY_ATTEMPTS": "1"}
    times = {"GATEWAY_TIMEOUT_S": "3", "REQUEST_TIMEOUT_S": "10", "RECOVER_AFTER_S": "10.5"}  # no lie is silence
    house = House(module_database, rabbitmq_url, folder, **settings, **times)
    gateway.upstream = house.gateway_url
    with running(house):
        yield house
    asyncio.run(without_what_others_left(rabbitmq_url))


def pay_for(house: House, *references: str) -> dict[str, httpx.Response]:
    """A payment for each of the references."""
    user = house.wallet(1_000_000)
    return {reference: house.pay(user, 5, external_reference=reference) for reference in references}


@pytest.fixture(scope="module")
def answers(house: House, gateway: LyingGateway) -> dict[str, httpx.Response]:
    """What the API answered to a payment about which the gateway lied, by the lie. Recovery has met the lies, too."""
    answers = pay_for(house, *gateway.lies)
    wait_until(lambda: "payment_still_pending" in house.log("recover"), "recovery to meet a lie")
    check_untold(house)
    gateway.lies = {}
    return answers


def test_what_the_gateway_says_beyond_the_contract_is_never_told(
    house: House, gateway: LyingGateway, answers: dict[str, httpx.Response]
) -> None:
    for name, response in answers.items():
        assert response.status_code in (201, 502, 504), name
        assert told(of_answer(response)) == [], name
    house.verify()
    check_untold(house)
    assert not [head for head in gateway.heads if told(head)], "nothing of it is sent back, such as a cookie"


def test_redirects_of_the_gateway_are_not_followed(
    house: House, trap: Trap, answers: dict[str, httpx.Response]
) -> None:
    """A redirect is no outcome: the payment stays PENDING until the gateway answers, and ends as it then says."""
    for status in REDIRECTS:
        response = answers[f"redirect {status}"]
        error = response.json()["error"]
        assert (response.status_code, error["code"], error["details"]["status"]) == (502, "GATEWAY_ERROR", "PENDING")
        final = "SELECT status FROM payments WHERE id = %s AND status <> 'PENDING'"
        wait_until(lambda: bool(house.query(final, error["details"]["payment_id"])), "recovery")  # noqa: B023
        assert house.query(final, error["details"]["payment_id"]) == [("APPROVED",)]
    assert trap.arrived == []


def test_a_decline_code_is_kept_where_the_contract_wants_it_and_nowhere_else(
    house: House, gateway: LyingGateway, answers: dict[str, httpx.Response]
) -> None:
    house.mode("declined")
    gateway.lies = {"declined": lambda status, true: answer(status, true | {"decline_code": CODE})}
    response = pay_for(house, "declined")["declined"]
    house.mode("happy")
    assert body(response, 201)["failure_code"] == CODE
    house.verify()
    assert columns_with(house, CODE) == {
        *("payments.failure_code", "idempotency_keys.response_body", "outbox_events.payload", "audit.events.payload")
    }
    assert logs_with(house, CODE) == set()
    assert CODE not in metrics_of(house)


DATA = {"currency": "USD", "amount": 5, "status": ""}


def event(**members: Any) -> str:
    """No event: its sequence and its status are wrong. Of a payment of its own, so that it waits behind no other."""
    ids = {"id": str(uuid4()), "subject": str(uuid4())}
    return json.dumps(ids | {"type": "a", "time": "2026-01-31T12:00:00Z", "data": DATA, "sequence": 0} | members)


def documents() -> Iterator[bytes]:
    """The canary in each member, in each type, and in what is no JSON."""
    for value in (SECRET, CARD, int(CARD), [SECRET], {SECRET: SECRET}):
        yield json.dumps(value).encode()
        for name in json.loads(event()):
            yield event(**{name: value}).encode()
        for name in DATA:
            yield event(data=DATA | {name: value}).encode()
    text = event(note=SECRET)
    yield from (SECRET.encode(), text[:-1].encode(), b"\xff" + SECRET.encode(), text.encode("utf-16"))
    # What nobody finds wrong before it is on its way into the database.
    yield event(type=f"{SECRET}\0", sequence=1).encode()


async def publish(url: str, queue: Queue, bodies: list[bytes]) -> None:
    """Put the messages into the queue, through the exchange, with canaries beside the body as well."""
    headers: HeadersType = {SECRET: SECRET, "traceparent": SECRET, "x-death-reason": SECRET, "number": int(CARD)}
    async with await aio_pika.connect(url) as connection:
        channel = await connection.channel()
        exchange = await channel.get_exchange(EVENTS.name, ensure=False)
        for body in bodies:
            message = Message(
                body,
                headers=headers,
                content_type=SECRET,
                content_encoding=SECRET,
                correlation_id=SECRET,
                message_id=SECRET,
                type=SECRET,
                app_id=SECRET,
                delivery_mode=DeliveryMode.PERSISTENT,
            )
            key = f"{queue.bindings[-1][:-1]}{SECRET.replace('.', '-')}"
            await exchange.publish(message, routing_key=key)


async def dead(url: str, queue: Queue, wanted: int) -> list[HeadersType]:
    """The headers of what is in the dead-letter queue, once there are as many as wanted."""
    async with asyncio.timeout(LIMIT_S), await aio_pika.connect(url) as connection:
        channel = await connection.channel()
        letters = await channel.get_queue(queue.dead_letters, ensure=False)
        found: list[HeadersType] = []
        while len(found) < wanted:
            message = await letters.get(fail=False, no_ack=True)
            if message is None:
                await asyncio.sleep(0.05)
            else:
                found.append(message.headers)
        return found


@pytest.mark.parametrize("queue", [METRICS, AUDIT], ids=lambda queue: queue.name)
def test_a_message_that_is_put_aside_is_told_by_its_reason_alone(
    house: House, rabbitmq_url: str, queue: Queue, postgres_server: PostgresServer
) -> None:
    """It lies in the dead-letter queue as it came; why it does is said in words that are not its own."""
    bodies = [*documents()]
    asyncio.run(publish(rabbitmq_url, queue, bodies))
    for headers in asyncio.run(dead(rabbitmq_url, queue, len(bodies))):
        reason = str(headers["x-death-reason"])
        assert reason
        assert told(reason) == []
    check_untold(house)
    assert told(postgres_server.log.read_text(errors="replace")) == []
