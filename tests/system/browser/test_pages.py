"""What an operator does with the console, in Chromium."""

import asyncio
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import aio_pika
import httpx
from playwright.async_api import Browser, Locator, Page, expect

from tests.system.browser.consoles import ALL_OK, BOB, LIMIT_MS, Console, Screen, screen
from tests.system.e2e.house import House, wait_until

THEIRS = "theirs.queue"


async def test_a_wrong_key_opens_nothing_and_the_right_one_leads_where_one_was_going(
    browser: Browser, console: Console
) -> None:
    window = await screen(browser, console)
    page = window.page
    await page.goto("/actions?before=7")
    await page.get_by_label("Your operator key").fill("not-a-key-of-anybody")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("alert")).to_have_text("This is nobody's key.")
    await page.get_by_label("Your operator key").fill(BOB)
    await page.keyboard.press("Enter")
    await expect(page).to_have_url(f"{console.url}/actions?before=7")
    await expect(page.locator(".who .name")).to_have_text("bob")
    await window.context.close()
    assert window.wrong == ["Failed to load resource: the server responded with a status of 401 (Unauthorized)"]


async def test_the_overview_follows_what_happens_and_can_be_paused(desk: Screen, house: House) -> None:
    page = desk.page
    await expect(page.locator("[data-say]")).to_have_text(ALL_OK)
    await expect(page.locator("[data-spoken]")).to_have_text(ALL_OK)
    await expect(page.locator("[aria-labelledby=t-gateway] .big")).to_have_text("go through")
    await expect(page.locator("[aria-labelledby=t-gateway] .hint")).to_contain_text("breaker closed")
    approved = page.locator("dt.approved + dd")
    user_id = house.wallet(1_000)
    before = await number_in(approved)
    assert {answer.status_code for answer in await house.pay_at_once(twenty(house, user_id))} == {201}
    await at_least(approved, before + 15)  # older ones may leave the picture meanwhile
    await expect(page.locator("svg.chart rect.approved").first).to_be_attached()
    await page.get_by_role("button", name="Pause updates").click()
    before = await number_in(approved)
    assert {answer.status_code for answer in await house.pay_at_once(twenty(house, user_id))} == {201}
    wait_until(house.quiet, "the events")
    assert await number_in(approved) == before
    async with page.expect_response("**/live/overview"):
        await page.get_by_role("button", name="Go on with updates").click()
    await at_least(approved, before + 15)


def twenty(house: House, user_id: uuid.UUID) -> list[dict[str, Any]]:
    """As many payments."""
    return [house.payment(user_id, 10) for _ in range(20)]


async def number_in(place: Locator) -> int:
    """The number that stands there."""
    return int((await place.inner_text()).replace(",", ""))


async def at_least(place: Locator, least: int) -> None:
    """Wait until the number that stands there is large enough."""
    async with asyncio.timeout(LIMIT_MS / 1000):
        while await number_in(place) < least:  # noqa: ASYNC110 -- no event tells
            await asyncio.sleep(0.1)


async def test_a_payment_is_found_and_tells_its_story(desk: Screen, console: Console, house: House) -> None:
    page = desk.page
    user_id = house.wallet(1_000)
    house.mode("declined")
    payment = house.pay(user_id, 10).json()
    house.mode("happy")
    wait_until(lambda: len(house.trail(payment["payment_id"])) == 3, "the audit trail")
    await page.get_by_role("link", name="Payments").click()
    await page.get_by_label("Id of a payment, ").fill(payment["payment_id"].upper())
    await page.get_by_role("button", name="Find").click()
    await expect(page).to_have_url(f"{console.url}/payments/{payment['payment_id']}")
    line = page.locator("ol.line li")
    await expect(line.first).to_contain_text("accepted: the money is set aside, PENDING")
    for told in ("REFUND +10 USD on wallet, balance 1000", "DECLINED (DO_NOT_HONOR): final", "refund.created audited"):
        await expect(line.filter(has_text=told)).to_have_count(1)
    await page.get_by_role("link", name=str(user_id)).click()
    await expect(page.get_by_role("row").filter(has_text="USD").first).to_contain_text("1,000")
    await expect(page.locator(".badge.broken")).to_have_count(0)
    await page.goto("/payments?status=DECLINED")
    await expect(page.get_by_role("link", name=payment["payment_id"])).to_be_visible()
    await page.goto(f"/search?id={user_id}")
    await expect(page.get_by_role("heading", level=1)).to_contain_text(str(user_id))


async def test_a_dead_letter_is_shown_and_dropped_on_record(desk: Screen, console: Console, house: House) -> None:
    page, message_id = desk.page, str(uuid.uuid4())
    await publish(house, "audit.queue", message_id, b"poison <i>1</i>")
    await dead_in_sight(page, message_id)
    await page.get_by_role("link", name=message_id).click()
    await expect(page.locator("pre")).to_have_text("poison <i>1</i>")
    await expect(page.locator(".facts").first).to_contain_text("malformed")
    await page.get_by_role("link", name="Drop …").click()
    before = console.actions("dlq drop")
    await page.get_by_role("button", name="Drop it").click()
    await expect(page.locator(".empty")).to_contain_text("None")
    (began, ended) = console.actions("dlq drop")[len(before) :]
    assert (began["operator"], began["messages"], ended["dropped"]) == ("alice", [message_id], 1)


async def test_dead_letters_are_put_back_on_record(desk: Screen, console: Console, house: House) -> None:
    """Of events that the consumer knows: it can handle them now, and does nothing."""
    page = desk.page
    payment_id = house.paid(house.wallet(1_000), 10)
    wait_until(lambda: len(house.trail(payment_id)) == 2, "the audit trail")
    rows = house.query("SELECT event_id::text, payload::text FROM outbox_events WHERE payment_id = %s", payment_id)
    for event_id, document in rows:
        await publish(house, "audit.dlq", event_id, document.encode())
    chosen = rows[0][0]
    for event_id, _ in rows:
        await dead_in_sight(page, event_id)
    await page.get_by_label(f"Choose {chosen}").check()
    await page.get_by_role("button", name="Put the chosen back").click()
    await expect(page.get_by_role("link", name=chosen)).to_have_count(0)
    (began, ended) = console.actions("dlq redrive")[-2:]
    assert (began["operator"], began["phase"], began["messages"]) == ("alice", "begins", [chosen])
    assert (ended["phase"], ended["redriven"]) == ("ended", {"audit.queue": 1})
    await page.get_by_role("button", name="Put all 1 back").click()
    await expect(page.locator(".outcome")).to_have_text("1 put back into audit.queue")
    await page.goto("/dead-letters")
    await expect(page.locator(".empty")).to_contain_text("None")
    assert len(house.trail(payment_id)) == 2


async def publish(house: House, queue: str, message_id: str, body: bytes) -> None:
    """Put a message straight into a queue."""
    async with await aio_pika.connect(house.environment["RABBITMQ_URL"]) as connection:
        channel = await connection.channel()
        message = aio_pika.Message(body, message_id=message_id, type="<b>type</b>")
        await channel.default_exchange.publish(message, queue)


async def dead_in_sight(page: Page, message_id: str) -> None:
    """Look until the message is dead."""
    async with asyncio.timeout(LIMIT_MS / 1_000):
        while True:
            await page.goto("/dead-letters?queue=audit.queue")
            if await page.get_by_role("link", name=message_id).count():
                return
            await asyncio.sleep(0.2)


async def test_events_are_counted_first_and_then_published_into_one_queue(
    desk: Screen, console: Console, house: House
) -> None:
    page = desk.page
    user_id = house.wallet(1_000)
    since = datetime.now(UTC) - timedelta(seconds=1)
    assert house.pay(user_id, 10).status_code == 201
    wait_until(house.quiet, "the events to be sent")
    async with await aio_pika.connect(house.environment["RABBITMQ_URL"]) as connection:
        queue = await (await connection.channel()).declare_queue(THEIRS, durable=True)
        await page.goto("/replay")
        await page.get_by_label("From").fill(f"{since:%Y-%m-%dT%H:%M:%S}")
        await page.get_by_label("To, not included").fill(f"{since + timedelta(hours=1):%Y-%m-%dT%H:%M:%S}")
        await page.get_by_label("Into the queue").fill(THEIRS)
        await page.get_by_role("button", name="Count them first").click()
        await expect(page.locator(".outcome li").first).to_have_text(f"2 event(s) would go into {THEIRS}")
        assert (await queue.declare()).message_count == 0
        before = console.actions("outbox replay")
        await page.get_by_role("button", name=f"Publish them into {THEIRS}").click()
        await expect(page.locator(".outcome li").first).to_have_text(f"2 event(s) published into {THEIRS}")
        assert (await queue.declare()).message_count == 2
        await queue.purge()
        await queue.delete()
    (began, ended) = console.actions("outbox replay")[len(before) :]
    assert (began["operator"], began["queue"], ended["published"]) == ("alice", THEIRS, 2)
    await page.goto("/replay?queue=nobody.s")
    await page.get_by_role("button", name="Count them first").click()
    await expect(page.locator(".trouble")).to_contain_text("there is no queue nobody.s")


async def test_the_mock_gateways_mode_is_set_on_record(desk: Screen, console: Console, house: House) -> None:
    page = desk.page
    await page.get_by_role("link", name="Gateway", exact=True).click()
    await expect(page.locator(".note")).to_contain_text("in mode happy")
    await page.get_by_label("Mode").select_option("latency")
    await page.get_by_label("Share that is hit").fill("12.5")
    await page.get_by_label("Time in ms").fill("30")
    await page.get_by_role("button", name="Set").click()
    await expect(page.locator(".note")).to_contain_text("in mode latency, for 12.5 %")
    mode = mode_of(house)
    assert (mode["mode"], mode["rate"], mode["latency_ms"]) == ("latency", 0.125, 30)
    assert console.actions("gateway mode")[-2]["mode"] == "latency"
    house.mode("happy")
    await page.goto("/actions")
    await expect(page.get_by_role("row").filter(has_text="gateway mode").first).to_contain_text("alice")


def mode_of(house: House) -> dict[str, Any]:
    """What the gateway says its mode is."""
    mode: dict[str, Any] = httpx.get(f"{house.gateway_url}/admin/mode").raise_for_status().json()
    return mode


async def test_two_operators_see_the_same_and_one_who_leaves_is_out(browser: Browser, console: Console) -> None:
    windows = [await screen(browser, console) for _ in range(2)]
    alice, bob = windows
    await alice.log_in()
    await bob.log_in(BOB)
    for window in windows:
        await expect(window.page.locator("[data-say]")).to_have_text(ALL_OK)
    (left,) = [cookie for cookie in await alice.context.cookies() if cookie["name"] == "strongbox"]
    await alice.page.get_by_role("button", name="Log out").click()
    await alice.page.wait_for_url("**/login")
    await alice.context.add_cookies([{"name": "strongbox", "value": left["value"], "url": console.url}])
    await alice.page.goto("/payments")
    assert alice.page.url == f"{console.url}/login?next=/payments"
    await bob.page.goto("/payments")
    await expect(bob.page.get_by_role("heading", name="Payments")).to_be_visible()
    # A page that is open when its session ends asks for the key again.
    await bob.page.goto("/")
    await bob.context.clear_cookies()
    await bob.page.wait_for_url("**/login")
    for window in windows:
        await window.context.close()
