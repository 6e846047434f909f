"""The tour's sixth part: one payment in every mode of the gateway, and what each leaves behind."""

import asyncio
import uuid
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import click
import httpx
import psycopg

from app.main.local.announce import DEMO_CURRENCY, DEMO_PROVIDER, DEMO_USER
from app.platform.process import terminal

STEP_LIMIT_S = 120.0
AMOUNT = 1_000


@dataclass(frozen=True, slots=True)
class Stop:
    """One stop of the tour: how the gateway behaves, and what that shows."""

    title: str
    mode: dict[str, Any]
    shows: str
    comes_late: bool = False
    """The gateway tries to charge when all is over; the tour waits for that."""


STOPS = (
    Stop("happy", {"mode": "happy"}, "The charge is approved; the money is gone for good."),
    Stop("latency", {"mode": "latency", "latency_ms": 200}, "Slow, within the time-out: the same, later."),
    Stop("declined", {"mode": "declined"}, "A result, not an error: 201, and the money is back."),
    Stop("500, never charged", {"mode": "500"}, "Retried, asked, marked, voided: known not to stand, so refunded."),
    Stop("429", {"mode": "429"}, "As after a 500: too many requests is no outcome."),
    Stop("garbage", {"mode": "garbage"}, "An answer that is none. Asked, voided, refunded."),
    Stop("reset, after charging", {"mode": "reset", "charge": "before"}, "The answer was lost; asked, it is found."),
    Stop(
        "wrong amount",
        {"mode": "wrong_amount", "charge": "before"},
        "A charge of another amount is no answer: voided, refunded.",
    ),
    Stop(
        "timeout, charged late",
        {"mode": "timeout", "charge": "after", "latency_ms": 2_500},
        "Silent in time, charging after all: the void's tombstone refuses what comes late.",
        comes_late=True,
    ),
    Stop(
        "silent altogether",
        {"mode": "timeout", "applies_to": "all", "latency_ms": 60_000},
        "Nothing is known, nothing is given back: 504, PENDING. When the gateway speaks again, recovery settles it.",
    ),
    Stop("random", {"mode": "random", "seed": 7, "latency_ms": 100}, "Anything at all; never a guess."),
)


class Guide:
    """Shows one mode after the other, by payments of one wallet."""

    def __init__(self, api: httpx.AsyncClient, gateway: httpx.AsyncClient, books: psycopg.AsyncConnection) -> None:
        self._api = api
        self._gateway = gateway
        self._books = books
        self._last: tuple[str, httpx.Response] | None = None

    async def show(self, stop: Stop) -> None:
        """Pay once in the stop's mode, and tell what came of it."""
        (await self._gateway.put("/admin/mode", json=stop.mode)).raise_for_status()
        before = await self._balance()
        key = str(uuid.uuid4())
        answer = await self._pay(key)
        between = await self._balance()
        (await self._gateway.put("/admin/mode", json={"mode": "happy"})).raise_for_status()
        payment_id = _payment_id(answer)
        final, events, audited = await self._settled(payment_id)
        if answer.status_code == HTTPStatus.CREATED:
            self._last = (key, answer)
        click.secho(f"\n■ gateway: {stop.title}", bold=True)
        terminal.show(f"  {stop.shows}")
        code = answer.json().get("error", {}).get("code")
        at_first = answer.json().get("status") or answer.json()["error"]["details"]["status"]
        click.echo(f"  answer   {answer.status_code} {code or at_first}" + (f" ({at_first})" if code else ""))
        if at_first != final:
            click.echo(f"  later    {final}, by recovery")
        steps = [before, between, await self._balance()]
        path = [step for nth, step in enumerate(steps) if nth == 0 or step != steps[nth - 1]]
        click.echo(f"  gateway  {await self._record(payment_id, stop.comes_late)}")
        click.echo(f"  balance  {' → '.join(f'{minor / 100:,.2f}' for minor in path)} {DEMO_CURRENCY}")
        click.echo(f"  events   {', '.join(events)}")
        click.echo(f"  audit    positions {', '.join(map(str, audited))}")

    async def replay(self) -> None:
        """Send the last request that had a result again: the same bytes come back, and nothing is charged."""
        assert self._last is not None
        key, first = self._last
        before = await self._balance()
        again = await self._pay(key)
        replayed = again.headers.get("Idempotent-Replayed", "false")
        same = "the same bytes" if again.content == first.content else "other bytes!"
        click.secho("\n■ the same Idempotency-Key once more", bold=True)
        click.echo(f"  answer   {again.status_code}, Idempotent-Replayed: {replayed}, {same}")
        unchanged = "unchanged" if await self._balance() == before else "changed!"
        click.echo(f"  balance  {unchanged}")

    async def _pay(self, key: str) -> httpx.Response:
        body = {
            "provider_id": DEMO_PROVIDER,
            "external_reference": "tour",
            "amount": AMOUNT,
            "currency": DEMO_CURRENCY,
        }
        return await self._api.post(f"/wallets/{DEMO_USER}/payments", json=body, headers={"Idempotency-Key": key})

    async def _balance(self) -> int:
        answer = await self._api.get(f"/wallets/{DEMO_USER}/balance", params={"currency": DEMO_CURRENCY})
        balance = answer.raise_for_status().json()["balances"][0]["current_balance"]
        assert isinstance(balance, int)
        return balance

    async def _record(self, payment_id: str, comes_late: bool) -> str:
        """What the gateway's own record says."""
        async with asyncio.timeout(STEP_LIMIT_S):
            while True:
                record = (await self._gateway.get(f"/admin/charges/{payment_id}")).raise_for_status().json()
                if record["charges_refused"] or not comes_late:
                    break
                await asyncio.sleep(0.1)
        late = ", and refused a charge that came late" if record["charges_refused"] else ""
        return f"{_in_words(record['status'], record['charges_made'])}{late}"

    async def _settled(self, payment_id: str) -> tuple[str, list[str], list[int]]:
        """Wait until the payment is final and all its events are in the audit trail."""
        async with asyncio.timeout(STEP_LIMIT_S):
            while True:
                rows = await self._books.execute("SELECT status FROM payments WHERE id = %s", (payment_id,))
                status = (await rows.fetchone() or ("",))[0]
                rows = await self._books.execute(
                    "SELECT o.type, a.position FROM payments.outbox_events o LEFT JOIN audit.events a USING (event_id)"
                    " WHERE o.subject = %s ORDER BY o.sequence",
                    (payment_id,),
                )
                events = await rows.fetchall()
                if status != "PENDING" and events and all(position for _, position in events):
                    return status, [name for name, _ in events], [position for _, position in events]
                await asyncio.sleep(0.1)


def _in_words(status: str, charges: int) -> str:
    """What the gateway did, by its record. A charge that it declined was one, too, and took nothing."""
    if status == "DECLINED":
        return "DECLINED, nothing was taken"
    how_often = {0: "never charged", 1: "charged once"}.get(charges, f"charged {charges} times")
    return (
        f"VOIDED, {how_often}{', and given back' if charges else ''}"
        if status == "VOIDED"
        else f"{status}, {how_often}"
    )


def _payment_id(answer: httpx.Response) -> str:
    body = answer.json()
    payment_id = body.get("payment_id") or body.get("error", {}).get("details", {}).get("payment_id")
    if not payment_id:
        raise click.ClickException(f"the payment was refused: {answer.status_code} {answer.text}")
    return str(payment_id)
