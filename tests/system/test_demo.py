"""The tour: it ends by itself, and shows what it says."""

import os
import re
import subprocess
import sys
from pathlib import Path

from app.main.demo_gateway import STOPS
from tests.pace import slow

LIMIT_S = 900
TOLD = (
    "listed Enamel kettle, red: 25.00 USD, 2 pieces",
    'search "red kettle" finds 1, 2 available',
    "checkout 201, the order is paid: the buyer has 75.00 USD, and 25.00 USD set aside",
    "shipped the seller has 24.38 USD: 0.62 USD are the house's fee",
    "at last the order is completed, the buyer has 75.00 USD",
    "events order.paid, order.shipped, order.completed",
    "answer 201 the order is paid",
    "answer 409 OUT_OF_STOCK",
    "stock 0 left, 0 available",
    "opened Brass lamp: from 10.00 USD, for a minute",
    "bid Hugo 10.00 USD, up to 25.00 USD: leads, at 10.00 USD",
    "bid Ines 11.00 USD, up to 18.00 USD: does not lead, at 18.50 USD",
    "bid Ines 20.00 USD, up to 30.00 USD: leads, at 26.00 USD",
    "bid Hugo 20.00 USD: BID_TOO_LOW, 27.00 USD is the least",
    "money Hugo has 100.00 USD, Ines 70.00 USD, and 30.00 USD set aside",
    "bought the order is paid, 60.00 USD; Ines has 70.00 USD, and 30.00 USD set aside",
    "sold to Ines: the order is paid, 26.00 USD",
    "events auction.opened, auction.bid, auction.bid, auction.bid, auction.ended",
    "order the sale has earned 0.25 tokens, kept for want of an address",
    "on chain 0.25 tokens, by the ledger 0.25 tokens",
    "till 201, a purchase of 40.00 USD earns 0.40 tokens",
    "on chain 0.65 tokens, by the ledger 0.65 tokens",
    "refund 20.00 USD are given back, 0.20 tokens taken back",
    "on chain 0.65 tokens, by the ledger 0.65 tokens, 0.20 tokens owed",
    "events cashback.earned, mint.requested, mint.completed, cashback.reversed",
    "till 201, a purchase of 100.00 USD earns 1.00 tokens: the debt is paid first",
    "mint 0.80 tokens are asked for: BROADCAST, and in no block",
    "on chain 1.45 tokens, by the ledger 1.45 tokens",
    "adapter another process has followed it to its end",
    "contract told of that mint once",
    "paid 25.00 USD: APPROVED",
    "refund 5.00 USD: COMPLETED, and Karl has 80.00 USD",
    "too much 409 REFUND_TOO_LARGE: 20.00 USD are left to give back",
    "bulk 409 BULK_REFUSED: line 1 NOT_FOUND",
    "mended 201, 2 completed, and Karl has 60.00 USD",
    "heard payment.completed, refund.completed, transfer.completed, transfer.completed",
    "forged 401 to whoever has not the secret",
    "opening 0.00 USD",
    "−25.00 USD PAYMENT",
    "+5.00 USD MERCHANT_REFUND",
    "−10.00 USD TRANSFER_OUT",
    "closing 60.00 USD",
    "answer 504 GATEWAY_TIMEOUT (PENDING)",
    "later FAILED, by recovery",
    "answer 201, Idempotent-Replayed: true, the same bytes",
)


def test_the_tour_ends_by_itself_and_tells_of_a_sale_its_cashback_and_every_mode_of_the_gateway(tmp_path: Path) -> None:
    environment = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    done = subprocess.run(
        [sys.executable, "-m", "app", "demo"], cwd=tmp_path, env=environment, capture_output=True, text=True,
        timeout=LIMIT_S, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    told = [" ".join(line.split()) for line in done.stdout.splitlines()]
    for line in TOLD:
        assert line in told, (line, done.stdout)
    assert any(line in told for line in ("balance who came late has 100.00 USD", "balance who came late has 75.00 USD"))
    closed = [re.fullmatch(r"closed by `strongbox recover`, (\d+\.\d) s behind its end", line) for line in told]
    (late_s,) = [float(line[1]) for line in closed if line]
    assert late_s < slow(2.0), told
    modes = [line.removeprefix("■ gateway: ") for line in told if line.startswith("■ gateway: ")]
    assert modes == [stop.title for stop in STOPS]
    assert re.fullmatch(r"all \d+ checks hold", told[-1])
    assert list(tmp_path.iterdir()) == []
