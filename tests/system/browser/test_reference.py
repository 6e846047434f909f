"""The API's page to read, in Chromium."""

import re
from typing import Literal

import pytest
from playwright.async_api import Browser, expect

from app.kernel.currencies import ISO_4217
from app.main.api import described
from app.platform.http.openapi import document
from app.platform.http.openapi_page import page as reference
from app.platform.http.services import HttpOptions
from tests.system.browser.consoles import PHONE, window
from tests.system.browser.test_pages_for_everybody import FAULTS

SCREENS = 2
"""How many of a phone's screens the page takes before anything is unfolded."""


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_the_reference_fits_a_phone_and_a_link_opens_what_it_leads_to(
    browser: Browser, scheme: Literal["light", "dark"]
) -> None:
    context = await window(browser, viewport=PHONE, color_scheme=scheme)
    page = await context.new_page()
    html = reference(document(described(HttpOptions(api_keys=())), ISO_4217))
    await page.route("**/docs", lambda route: route.fulfill(body=html, content_type="text/html"))
    await page.goto("http://api.test/docs")
    assert await page.evaluate("document.documentElement.scrollHeight") < SCREENS * PHONE["height"]
    assert await page.evaluate(FAULTS) == []
    shape = page.locator("#PaymentBody")
    await expect(shape).to_be_hidden()
    await page.get_by_text(re.compile(r"^Payments \d+$")).click()
    await page.get_by_text("POST /wallets/{user_id}/payments").click()
    await page.get_by_role("link", name="PaymentBody").click()
    await expect(shape).to_be_visible()
    await page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
    assert await page.evaluate(FAULTS) == []
    await context.close()
