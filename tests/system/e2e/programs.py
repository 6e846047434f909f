"""Programs of users of the client, at a service of `make run`."""

import json
import subprocess
import sys
from collections.abc import Sequence
from typing import Any
from uuid import uuid4

from strongbox_client import Client, Machine, Patience
from tests.system.e2e.pages import ROOT
from tests.system.e2e.service import Service

CLIENT = ROOT / "clients/python"
PASSWORD = "correct horse battery staple 7"
HASTY = Patience(deadline_s=120, attempt_s=5)


def key_of(service: Service) -> str:
    return (service.folder / ".strongbox/api-key").read_text().strip()


def command(service: Service, *words: str) -> Any:
    """What a command of the house prints, as JSON."""
    run = [sys.executable, "-m", "app", *words, "--json"]
    done = subprocess.run(
        run, cwd=service.folder, env=service.environment, input=PASSWORD, capture_output=True, text=True, check=True
    )
    return json.loads(done.stdout)


def scoped(scopes: Sequence[str]) -> list[str]:
    return [word for scope in scopes for word in ("--scope", scope)]


def machine(service: Service, *scopes: str) -> Machine:
    made = command(service, "client", "add", uuid4().hex, *scoped(scopes))
    return Machine(made["client_id"], made["client_secret"])


def client_of(service: Service, port: int | None = None) -> Client:
    url = f"http://127.0.0.1:{port or service.ports['8080']}"
    return Client(url, api_key=key_of(service), patience=HASTY)


def run_program(service: Service, text: str, *scopes: str) -> str:
    """What a program prints that a reader runs in the folder of the clone, with a machine that may all this."""
    made = command(service, "client", "add", uuid4().hex, *scoped(scopes or ("wallet:receive",)))
    url = f"http://127.0.0.1:{service.ports['8080']}"
    known = {"CLIENT_ID": made["client_id"], "CLIENT_SECRET": made["client_secret"], "STRONGBOX_URL": url}
    known["WEBHOOK_SECRET"] = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    program = text.replace("http://127.0.0.1:8080", url).replace("a key of API_KEYS", key_of(service))
    done = subprocess.run(
        [sys.executable, "-W", "error", "-"], cwd=service.folder, env=service.environment | known, input=program,
        capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def twenty_lines(example: str) -> str:
    """The example, which has no more, but for what it imports."""
    text = (CLIENT / "examples" / example).read_text()
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith(('"""', "import", "from"))]
    assert len(lines) <= 20
    return text
