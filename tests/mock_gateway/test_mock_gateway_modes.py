"""Which requests a mode of the mock gateway hits: endpoints, rates, seeds."""

import asyncio
import json
from collections import Counter
from typing import Any
from uuid import UUID, uuid4

from mock_gateway.modes import FAILURES, Mode
from tests.mock_gateway.mock_gateway_process import (
    Mock,
    raw_charge,
)


async def test_a_mode_hits_the_endpoints_it_applies_to(gateway: Mock) -> None:
    for applies_to in ("charge", "ask", "void", "all"):
        one = str(uuid4())
        await gateway.mode("500", applies_to=applies_to, charge="before")
        hit = {
            "charge": (await gateway.charge(one)).status_code == 500,
            "ask": (await gateway.ask(one)).status_code == 500,
            "void": (await gateway.void(one)).status_code == 500,
        }
        assert hit == {endpoint: applies_to in (endpoint, "all") for endpoint in hit}
        assert (await gateway.http.get("/health")).status_code == 200


async def outcome(gateway: Mock, payment: str) -> str:
    """How a charge went, without what differs from run to run."""
    answer = await gateway.raw(raw_charge(payment))
    if isinstance(answer, str):
        return answer
    head, _, body = answer.partition(b"\r\n\r\n")
    if payment.encode() not in body:
        return repr(answer)
    return f"{head[9:12]!r} {json.loads(body) | {'charge_id': ''}}"


async def run(gateway: Mock, payments: list[str], at_once: int) -> tuple[list[list[str]], dict[str, Any]]:
    """Charge each payment three times; its outcomes, and what is recorded in the end."""
    await gateway.http.delete("/admin/charges")
    slots = asyncio.Semaphore(at_once)

    async def thrice(payment: str) -> list[str]:
        async with slots:
            return [await outcome(gateway, payment) for _ in range(3)]

    outcomes = await asyncio.gather(*(thrice(payment) for payment in payments))
    volatile = {"charge_id": "", "charged_at": ""}
    return list(outcomes), {payment: entry | volatile for payment, entry in (await gateway.listed()).items()}


async def test_the_same_seed_gives_the_same_results_whatever_the_concurrency(gateway: Mock) -> None:
    payments = [str(UUID(int=number, version=4)) for number in range(120)]
    await gateway.mode("random", seed="s", latency_ms=1, charge="before")
    one_by_one = await run(gateway, payments, at_once=1)
    shuffled = sorted(payments, key=lambda payment: payment[::-1])
    outcomes, records = await run(gateway, shuffled, at_once=30)
    assert (dict(zip(payments, one_by_one[0], strict=True)), one_by_one[1]) == (
        dict(zip(shuffled, outcomes, strict=True)),
        records,
    )
    await gateway.mode("random", seed="t", latency_ms=1, charge="before")
    assert await run(gateway, payments, at_once=30) != one_by_one


async def test_the_rate_is_the_share_that_is_hit_and_attempts_are_drawn_apart(gateway: Mock) -> None:
    payments = [str(UUID(int=number, version=4)) for number in range(300)]
    await gateway.mode("500", rate=0.3, seed=4)
    first = [(await gateway.charge(payment)).status_code for payment in payments]
    assert 60 < first.count(500) < 120
    failed = [payment for payment, status in zip(payments, first, strict=True) if status == 500]
    again = [(await gateway.charge(payment)).status_code for payment in failed]
    assert set(again) == {201, 500}
    await gateway.mode("500", rate=0)
    assert {(await gateway.charge(payment)).status_code for payment in payments} <= {200, 201}


def test_random_spreads_over_all_failures_and_lets_half_be() -> None:
    mode = Mode("random", seed=1)
    drawn = Counter(mode.draw("charge", f"payment {number}", 1).kind for number in range(16_000))
    assert set(drawn) == {"happy", *FAILURES}
    assert 7_500 < drawn["happy"] < 8_500
    assert all(800 < drawn[kind] < 1_200 for kind in FAILURES)
