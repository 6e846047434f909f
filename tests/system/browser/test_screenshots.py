"""The pictures of the README: `make screenshots` has them written to docs/images."""

import os
from pathlib import Path
from typing import Literal

import psycopg
import pytest
import pytest_asyncio
from playwright.async_api import Browser, expect

from tests.system.browser.consoles import ALL_OK, Console, screen
from tests.system.e2e.house import House, wait_until

MOST_BYTES = 200_000
FOLDER = os.environ.get("SCREENSHOTS")
MANY = 160 if FOLDER else 10
AT_ONCE = 10
# As if they had come one after the other in the last minutes: more in some of them than in others.
SPREAD = """
    UPDATE idempotency_keys SET finalized_at = now() - make_interval(secs => 4 + 290 * pow(random(), 1.5))
    WHERE finalized_at IS NOT NULL AND payment_id <> %s
"""


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def payment_id(house: House) -> str:
    """Some minutes' payments, of which one is declined: that one's id."""
    user_id = house.wallet(10_000_000)
    for mode, count in (("happy", MANY), ("declined", 9), ("happy", MANY)):
        house.mode(mode)
        for left in range(count, 0, -AT_ONCE):
            answers = await house.pay_at_once([house.payment(user_id, 1_250) for _ in range(min(left, AT_ONCE))])
            assert {answer.status_code for answer in answers} == {201}
    house.mode("declined")
    declined = house.pay(user_id, 1_250).json()
    house.mode("happy")
    wait_until(house.quiet, "everything to be audited", limit_s=60)
    # Before anybody looks: the console goes on from what it has seen.
    with psycopg.connect(house.database.owner_url) as owner:
        owner.execute(SPREAD, (declined["payment_id"],))
    return str(declined["payment_id"])


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_the_pictures_are_small(
    browser: Browser, console: Console, payment_id: str, scheme: Literal["light", "dark"], tmp_path: Path
) -> None:
    folder = Path(FOLDER or tmp_path)
    window = await screen(browser, console, viewport={"width": 1200, "height": 800}, color_scheme=scheme)
    await window.log_in()
    page = window.page
    await expect(page.locator("[data-say]")).to_have_text(ALL_OK)
    for name, path in {"overview": "/", "payment": f"/payments/{payment_id}"}.items():
        await page.goto(path)
        picture = folder / f"console-{name}-{scheme}.png"
        await page.screenshot(path=picture)
        assert picture.stat().st_size < MOST_BYTES
    await window.context.close()
    assert window.wrong == []
