"""The console by keyboard, on a phone, without scripts, and for who cannot see well, in Chromium."""

import asyncio
from typing import Any

from playwright.async_api import Browser, Page, expect

from tests.system.browser.consoles import ALL_OK, LIMIT_MS, PHONE, Console, Screen, screen
from tests.system.browser.market import market
from tests.system.browser.mints import mints
from tests.system.e2e.house import House


async def test_what_somebody_holds_in_a_live_page_stays(desk: Screen) -> None:
    """A click takes longer than an instant, and may be anywhere between two updates; so may the keyboard's place."""
    page = desk.page
    await page.get_by_role("link", name="pending").hover()
    await page.mouse.down()
    for _ in range(2):
        async with page.expect_response("**/live/overview"):
            pass
    await page.mouse.up()
    await page.wait_for_url("**/payments?status=PENDING")
    twice = '<a href="/dead-letters">first</a> <a href="/dead-letters">second</a>'
    await page.route("**/live/overview", lambda route: route.fulfill(body=twice))
    await page.goto("/")
    await page.get_by_role("link", name="second").focus()
    for _ in range(2):
        async with page.expect_response("**/live/overview"):
            pass
    await expect(page.get_by_role("link", name="second")).to_be_focused()


async def test_all_can_be_done_by_keyboard(browser: Browser, console: Console) -> None:
    """No mouse, and whoever stands on something sees where, though the page changes under them."""
    window = await screen(browser, console)
    page = window.page
    await page.goto("/")
    await page.keyboard.type("alice-s-key-0123456789")  # the field has the focus
    await page.keyboard.press("Enter")
    await page.wait_for_url("**/")
    await page.keyboard.press("Tab")
    await expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(page.locator("main")).to_be_focused()
    await page.keyboard.press("Tab")
    await expect(page.get_by_role("button", name="Pause updates")).to_be_focused()
    await page.keyboard.press("Tab")
    pending = page.get_by_role("link", name="pending")
    await expect(pending).to_be_focused()
    assert await pending.evaluate("link => getComputedStyle(link).outlineStyle") == "solid"
    async with page.expect_response("**/live/overview"):
        pass
    await expect(pending).to_be_focused()
    await page.keyboard.press("Enter")
    await page.wait_for_url("**/payments?status=PENDING")
    stops: list[str] = []
    for _ in range(30):
        await page.keyboard.press("Tab")
        stop = await page.evaluate("document.activeElement.textContent.trim() || document.activeElement.name")
        if stop in stops[:1]:
            break
        stops.append(stop)
    assert stops[:3] == ["Skip to the content", "Strongbox", "Overview"]
    assert {"Actions", "Log out", "id", "Find", "Show"} <= set(stops)
    await window.context.close()
    assert window.wrong == []


async def test_everything_but_liveness_works_without_scripts(browser: Browser, console: Console) -> None:
    window = await screen(browser, console, java_script_enabled=False, viewport=PHONE)
    await window.log_in()
    page = window.page
    await loaded_until(page, ALL_OK)
    await expect(page.get_by_role("button", name="Pause updates")).to_have_count(0)
    await page.get_by_role("link", name="Gateway", exact=True).last.click()
    await page.get_by_role("button", name="Set").click()
    await expect(page.locator(".note")).to_contain_text("in mode happy")
    await window.context.close()


async def loaded_until(page: Page, said: str) -> None:
    """Follow the overview's link to itself until it says so: what it saw first stays, and may be a late part."""
    again = page.locator("noscript").get_by_role("link", name="load it again")
    await expect(again).to_be_visible()
    loop = asyncio.get_running_loop()
    deadline = loop.time() + LIMIT_MS / 1000
    while await page.locator("[data-say]").inner_text() != said:
        assert loop.time() < deadline, await page.locator("main").inner_text()
        await asyncio.sleep(0.5)
        await again.click()
        await page.wait_for_load_state()


PAGES = (
    "/",
    "/payments",
    "/wallets",
    "/dead-letters",
    "/replay",
    "/gateway",
    "/cache",
    "/actions",
    "/job",
    "/payments/x",
)


async def test_every_page_fits_a_phone_and_can_be_read(browser: Browser, console: Console, house: House) -> None:
    """No sideways scrolling, a label for every field, one first heading, and contrast as WCAG's AA has it."""
    user_id = house.wallet(10**15)
    external = "w" * 140
    payment_id = house.paid(user_id, 10**14, external_reference=external)
    more = (*(await market(house)).pages, *mints(house))
    for scheme in ("light", "dark"):
        window = await screen(browser, console, viewport=PHONE, color_scheme=scheme)
        await window.page.goto("/login")
        found = {"/login": await window.page.evaluate(FAULTS)}
        await window.log_in()
        for path in (*PAGES, *more, f"/wallets/{user_id}", f"/payments/{payment_id}"):
            await window.page.goto(path)
            found[path] = await window.page.evaluate(FAULTS)
        await window.context.close()
        assert {path: faults for path, faults in found.items() if faults} == {}, scheme
        assert [wrong for wrong in window.wrong if "status of 400" not in wrong] == []


async def test_no_word_of_a_tables_head_is_broken(desk: Screen, house: House) -> None:
    user_id = house.wallet(10**15)
    payment_id = house.paid(user_id, 10)
    for path in (*PAGES, *(await market(house)).pages, *mints(house), f"/wallets/{user_id}", f"/payments/{payment_id}"):
        if path != "/payments/x":
            await desk.page.goto(path)
            assert await desk.page.evaluate(BROKEN) == [], path


BROKEN: Any = """() => [...document.querySelectorAll("thead th, tbody th")].filter(cell => {
  const text = document.createRange();
  text.selectNodeContents(cell);
  const lines = new Set([...text.getClientRects()].map(line => Math.round(line.top))).size;
  return lines > cell.textContent.trim().split(/\\s+/).length;
}).map(cell => cell.textContent)"""


FAULTS: Any = """() => {
  const faults = [], root = document.documentElement;
  if (root.scrollWidth > innerWidth) faults.push(`${root.scrollWidth - innerWidth} px too wide`);
  if (document.querySelectorAll("h1").length !== 1) faults.push("not one h1");
  if (!root.lang || !document.title || !document.querySelector("main")) faults.push("no language, title or main");
  for (const field of document.querySelectorAll("input:not([type=hidden]), select, progress"))
    if (!field.labels.length && !field.ariaLabel) faults.push(`no label: ${field.name}`);
  for (const actor of document.querySelectorAll("a, button"))
    if (!actor.textContent.trim() && !actor.ariaLabel) faults.push("nameless: " + actor.outerHTML);
  const ids = [...document.querySelectorAll("[id]")].map(e => e.id);
  if (new Set(ids).size !== ids.length) faults.push("an id twice");
  const parse = c => (c.match(/[\\d.]+/g) ?? [0, 0, 0, 0]).map(Number);
  const linear = v => (v /= 255) <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4;
  const light = c => { const [r, g, b] = parse(c).map(linear); return .2126 * r + .7152 * g + .0722 * b; };
  const ground = e => { for (; e; e = e.parentElement) { const c = getComputedStyle(e).backgroundColor;
    if ((parse(c)[3] ?? 1) > 0) return c; } return "rgb(255, 255, 255)"; };
  for (const e of document.querySelectorAll("body *")) {
    if (![...e.childNodes].some(n => n.nodeType === 3 && n.textContent.trim()) || !e.checkVisibility()) continue;
    const [a, b] = [light(getComputedStyle(e).color), light(ground(e))].sort((x, y) => y - x);
    const ratio = (a + .05) / (b + .05);
    if (ratio < 4.5) faults.push(`contrast ${ratio.toFixed(2)}: ${e.textContent.trim().slice(0, 30)}`);
  }
  return faults;
}"""
