"""People and machines of a house, as they come to it: they register, log in, and fetch their tokens."""

import json
import subprocess
import sys
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import httpx

from tests.system.e2e.house import LIMIT_S, House, body

PASSWORD = "correct horse battery staple 7"


@dataclass(frozen=True)
class SignedIn:
    """Somebody with a token."""

    house: House
    id: str
    username: str | None
    token: str

    def ask(self, method: str, path: str, **request: Any) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self.token}"} | request.pop("headers", {})
        return httpx.request(method, self.house.api_url + path, headers=headers, timeout=LIMIT_S, **request)

    def send(self, to: str, amount: int, key: str | None = None, **more: Any) -> httpx.Response:
        members = {"to": to, "amount": amount, "currency": "USD"} | more
        return self.ask("POST", "/v1/wallet/send", json=members, headers={"Idempotency-Key": key or uuid4().hex})

    def receive(self, user_id: str, amount: int, reference: str | None = None) -> httpx.Response:
        members = {"user_id": user_id, "amount": amount, "currency": "USD", "reference": reference or uuid4().hex}
        return self.ask("POST", "/v1/wallet/receive", json=members, headers={"Idempotency-Key": uuid4().hex})

    def balance(self) -> int:
        (balance,) = body(self.ask("GET", "/v1/wallet"), 200)["balances"]
        return int(balance["current_balance"])


def somebody(house: House, username: str | None = None) -> SignedIn:
    """A new user who has logged in."""
    email = f"{uuid4().hex}@example.com"
    about = {"email": email, "password": PASSWORD} | ({"username": username} if username else {})
    user = body(httpx.post(f"{house.api_url}/v1/auth/register", json=about, timeout=LIMIT_S), 201)["user"]
    return SignedIn(house, user["user_id"], username, log_in(house, email))


def admin(house: House) -> SignedIn:
    """An admin whom an operator has added, logged in."""
    return added(house, "admin")


def added(house: House, role: str) -> SignedIn:
    """Somebody whom an operator has added, logged in."""
    email = f"{uuid4().hex}@example.com"
    done = subprocess.run(
        [sys.executable, "-m", house.tool, "user", "add", email, "--role", role, "--json"],
        cwd=house.folder, env=house.environment, input=f"{PASSWORD}\n", capture_output=True, text=True, check=True,
    )  # fmt: skip
    return SignedIn(house, json.loads(done.stdout)["user_id"], None, log_in(house, email))


def log_in(house: House, email: str) -> str:
    """Log in; the token."""
    credentials = {"email": email, "password": PASSWORD}
    answer = body(httpx.post(f"{house.api_url}/v1/auth/login", json=credentials, timeout=LIMIT_S), 200)
    return str(answer["access_token"])


def machine(house: House, *scopes: str) -> SignedIn:
    """A new machine with its token."""
    words = [word for scope in scopes for word in ("--scope", scope)]
    client = json.loads(house.command("client", "add", f"machine-{uuid4().hex[:8]}", *words, "--json"))
    asked = {"grant_type": "client_credentials"}
    credentials = (client["client_id"], client["client_secret"])
    answer = body(httpx.post(f"{house.api_url}/v1/auth/token", data=asked, auth=credentials, timeout=LIMIT_S), 200)
    return SignedIn(house, client["client_id"], None, answer["access_token"])
