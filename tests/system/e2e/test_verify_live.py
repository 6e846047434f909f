"""`strongbox verify` while payments flow: no false alarm from what is under way, and no less sharp an eye."""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from functools import partial
from typing import Any

import httpx

from tests.system.e2e.house import House, wait_until

CLIENTS, RUNS, PAID_DURING_A_RUN = 8, 4, 5


@asynccontextmanager
async def payments_flowing(house: House) -> AsyncIterator[Counter[int]]:
    """Clients that pay, to a gateway that fails in every way; the answers so far, by status."""
    users = [house.wallet(10_000_000) for _ in range(3)]
    house.mode("random", rate=0.7, latency_ms=700, seed=11, applies_to="all", charge="after")
    answers: Counter[int] = Counter()

    async def client(nth: int) -> None:
        async with httpx.AsyncClient(timeout=20) as http:
            while True:
                with suppress(httpx.HTTPError):
                    answers[(await http.post(**house.payment(users[nth % len(users)], 10))).status_code] += 1

    clients = [asyncio.create_task(client(nth)) for nth in range(CLIENTS)]
    try:
        yield answers
    finally:
        for task in clients:
            task.cancel()
        await asyncio.gather(*clients, return_exceptions=True)
        house.mode("happy")


async def verify(house: House, code: int = 0) -> dict[str, list[str]]:
    """What it finds, by check."""
    report = json.loads(await asyncio.to_thread(house.command, "verify", "--json", code=code))
    assert report["notes"] == ["the contract was not looked at: EVM_RPC_URL or CHAIN_CONTRACT is not set"]
    assert len(report["checks"]) == 73
    return {check["name"]: check["offenders"] for check in report["checks"] if not check["holds"]}


async def test_there_is_no_false_alarm_and_tampering_is_found_while_payments_flow(house: House) -> None:
    async with payments_flowing(house) as answers:
        for _ in range(RUNS):
            before = answers.total()
            await asyncio.to_thread(wait_until, partial(is_under_way, house), "a payment to be under way")
            assert await verify(house) == {}
            await asyncio.to_thread(wait_until, partial(paid, answers, before + PAID_DURING_A_RUN), "answers")

        ((user, transaction),) = house.query(
            "SELECT user_id, transaction_id FROM payments WHERE status = 'APPROVED' ORDER BY created_at LIMIT 1"
        )
        move = "UPDATE ledger_entries SET amount = amount + %s WHERE transaction_id = %s AND account = 'payments'"
        change(house, move, 1, transaction)
        found = await verify(house, code=1)
        assert set(found) == {"entries_sum_to_zero", "transactions_have_two_legs"}
        assert all(str(transaction) in line and str(user) in line for lines in found.values() for line in lines)
        change(house, move, -1, transaction)

        shift = "UPDATE audit.events SET received_at = received_at + %s * interval '1 s' WHERE position = 3"
        change(house, shift, 1)
        found = await verify(house, code=1)
        assert set(found) == {"audit_chain_is_unbroken"}
        assert found["audit_chain_is_unbroken"][0].startswith("position 3 ")
        change(house, shift, -1)
        assert await verify(house) == {}
        # Which answers the gateway gives depends on the payments' ids: some come late.
        await asyncio.to_thread(wait_until, partial(everything_happened, house, answers), "every kind of end")
    wait_until(house.quiet, "everything to be settled, sent and audited")
    house.verify()


def everything_happened(house: House, answers: Counter[int]) -> bool:
    """Whether payments have come to every end, and to none that their clients know of."""
    statuses = {status for (status,) in house.query("SELECT DISTINCT status FROM payments")}
    return {201, 504} <= set(answers) and {"APPROVED", "DECLINED", "FAILED"} <= statuses


def paid(answers: Counter[int], least: int) -> bool:
    """Whether there were so many answers."""
    return answers.total() >= least


def is_under_way(house: House) -> bool:
    """Whether a payment is open at this moment."""
    ((is_open,),) = house.query("SELECT EXISTS (SELECT FROM payments WHERE status = 'PENDING')")
    return bool(is_open)


def change(house: House, statement: str, *values: Any) -> None:
    """Do as the owner what nobody else may."""
    assert len(house.query(f"{statement} RETURNING 1", *values)) == 1
