"""What an operator does about people and their money, in Chromium."""

import re

from playwright.async_api import expect

from tests.system.browser.consoles import Console, Screen
from tests.system.browser.market import market
from tests.system.e2e.house import House


async def test_somebody_is_found_logged_out_and_disabled_on_record(
    desk: Screen, console: Console, house: House
) -> None:
    page, there = desk.page, await market(house)
    await page.get_by_role("link", name="People").click()
    await page.get_by_label("Id, username, e-mail or wallet address").fill(there.email)
    await page.get_by_role("button", name="Find").click()
    await expect(page).to_have_url(f"{console.url}{there.person}")
    await expect(page.locator(".facts")).to_contain_text(there.email)
    await page.get_by_role("button", name=re.compile("^End the log-in")).click()
    await expect(page.get_by_role("button", name=re.compile("^End the log-in"))).to_have_count(0)
    await page.get_by_role("button", name="Disable, which ends all log-ins").click()
    await expect(page.locator(".badge.disabled")).to_have_text("disabled")
    await page.get_by_role("button", name="Enable").click()
    await expect(page.locator(".badge.disabled")).to_have_count(0)
    for name in ("session end", "user disable", "user enable"):
        (began, ended) = console.actions(name)[-2:]
        assert (began["operator"], began["user_id"], ended["phase"]) == ("alice", str(there.ada), "ended")
    assert there.email not in console.log


async def test_a_transfer_and_a_hold_are_found_by_their_ids_and_from_the_wallet(
    desk: Screen, console: Console, house: House
) -> None:
    page, there = desk.page, await market(house)
    await page.goto("/payments")
    await page.get_by_label("Id of a payment, ").fill(str(there.transfer_id))
    await page.get_by_role("button", name="Find").click()
    await expect(page).to_have_url(f"{console.url}/transfers/{there.transfer_id}")
    line = page.locator("ol.line li")
    for told in ("TRANSFER_OUT -1250 USD on wallet", "TRANSFER_IN +1250 USD on wallet", "transfer.completed written"):
        await expect(line.filter(has_text=told)).to_have_count(1)
    await page.get_by_role("link", name=str(there.ada)).click()
    await expect(page.get_by_role("row").filter(has_text="CAPTURE_OUT")).to_have_count(1)
    await page.get_by_role("link", name=str(there.hold.id)).click()
    await expect(page).to_have_url(f"{console.url}/holds/{there.hold.id}")
    await expect(line.filter(has_text="CAPTURED: 45 captured, 15 released")).to_have_count(1)
    await page.get_by_role("link", name=str(there.ada)).click()
    await expect(page).to_have_url(f"{console.url}/wallets/{there.ada}")
    await page.get_by_role("button", name="Who is this?").click()
    await expect(page).to_have_url(f"{console.url}{there.person}")
