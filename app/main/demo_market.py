"""The market as its people see it, and an operator's command line: what the parts of the tour are told with."""

import asyncio
import sys
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import httpx
import psycopg

from app.platform.process import terminal

CURRENCY = "USD"

_PASSWORD = "a line of a song"  # noqa: S105 -- of nobody: the run is over with the tour
_STEP_LIMIT_S = 120.0


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody, or some machine, who is logged in."""

    id: str
    headers: Mapping[str, str]


class Market:
    """The run whose folder is `base`, by its API and its tables."""

    def __init__(self, base: Path, api: httpx.AsyncClient, books: psycopg.AsyncConnection) -> None:
        self.base = base
        self._api = api
        self._books = books

    async def staff(self, name: str, role: str) -> Person:
        """Somebody whom operators have let in."""
        await self.command("user", "add", f"{name}@example.org", "--role", role, typed=_PASSWORD)
        return await self._log_in(name)

    async def customer(self, name: str, money: int) -> Person:
        """Somebody who has registered, and has paid so much in."""
        body = {"username": name, "email": f"{name}@example.org", "password": _PASSWORD}
        (await self._api.post("/v1/auth/register", json=body)).raise_for_status()
        who = await self._log_in(name)
        await self.command("wallet", "fund", who.id, CURRENCY, str(money), "--reference", name)
        return who

    async def machine(self, name: str, *scopes: str) -> Person:
        """A program with a token for what the scopes say."""
        said = await self.command("client", "add", name, *(word for scope in scopes for word in ("--scope", scope)))
        shown = dict(line.split(None, 1) for line in said.splitlines())
        form = {"grant_type": "client_credentials"}
        secret = (shown["client_id"], shown["client_secret"])
        answer = await self._api.post("/v1/auth/token", data=form, auth=secret)
        return Person(shown["client_id"], _bearer(answer.raise_for_status().json()))

    async def command(self, *words: str, typed: str = "") -> str:
        """What a command of `strongbox` says, run as an operator does."""
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "app", *words, cwd=self.base.parent, stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        said, complaint = await process.communicate(typed.encode())
        if process.returncode:
            raise click.ClickException(
                f"`strongbox {words[0]} {words[1]}` failed: {complaint.decode(errors='replace')}"
            )
        return said.decode()

    async def send(
        self, who: Person, method: str, path: str, body: Mapping[str, Any] | None, *allowed: int
    ) -> tuple[int, Any]:  # fmt: skip
        """Status and body of the answer, which is one of those that are allowed."""
        headers = {**who.headers, "Idempotency-Key": str(uuid.uuid4())}
        answer = await self._api.request(method, path, json=body, headers=headers)
        if answer.status_code not in allowed:
            raise click.ClickException(f"{method} {path}: {answer.status_code} {answer.text}")
        return answer.status_code, answer.json()

    async def post(self, who: Person, path: str, status: int, body: Mapping[str, Any] | None = None) -> Any:
        """What is answered, with this status."""
        return (await self.send(who, "POST", path, body, status))[1]

    async def get(self, who: Person, path: str, **query: str) -> Any:
        """What is answered."""
        return (await self._api.get(path, params=query, headers=who.headers)).raise_for_status().json()

    async def rows(self, query: str, *values: object, at_least: int = 1) -> list[tuple[Any, ...]]:
        """What the tables say, once they say at least so much."""
        async with asyncio.timeout(_STEP_LIMIT_S):
            while True:
                found = await (await self._books.execute(query.encode(), values)).fetchall()
                if len(found) >= at_least:
                    return found
                await asyncio.sleep(0.1)

    async def _log_in(self, name: str) -> Person:
        body = {"email": f"{name}@example.org", "password": _PASSWORD}
        told = (await self._api.post("/v1/auth/login", json=body)).raise_for_status().json()
        return Person(told["user"]["user_id"], _bearer(told))


def _bearer(told: Mapping[str, Any]) -> Mapping[str, str]:
    return {"Authorization": f"Bearer {told['access_token']}"}


def headline(title: str, shows: str) -> None:
    """A stop of the tour begins: what happens there, and what that shows."""
    click.secho(f"\n■ {title}", bold=True)
    terminal.show(f"  {shows}")


def say(name: str, what: str) -> None:
    """A line of a stop."""
    terminal.show(f"  {name:<8} {what}")


def money(minor: int) -> str:
    """An amount, as people write it."""
    return f"{minor / 100:,.2f} {CURRENCY}"
