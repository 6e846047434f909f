"""The programs that make load, each in a process of its own: wrk, pgbench, and the clients of `bench/clients`."""

import itertools
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final, TypeVar
from uuid import uuid4

import msgspec

from app.adapters.postgres.documents import document
from app.adapters.shapes import payment_shape
from app.domain.events import created, settled
from app.domain.ids import EventId
from app.domain.payments.provider import Approved
from app.main.local.processes import CannotStart
from bench.filling import PROVIDER_ID, user_id
from bench.house import ROOT
from bench.results import percentile
from tests.builders import NOON, payment
from tests.e2e.house import API_KEY

HERE: Final = Path(__file__).parent
LATE_S: Final = 120.0
"""How much longer than it was told a program may take."""

_runs = itertools.count(1)
T = TypeVar("T")


class Wrk(msgspec.Struct, frozen=True):
    """What wrk counted. `lost` requests had no answer, `refused` ones a status of 400 or more."""

    requests: int
    duration_us: int
    p50_us: int
    p99_us: int
    lost: int
    refused: int

    @property
    def rate(self) -> float:
        """Requests a second."""
        return self.requests / self.duration_us * 1e6


class Pgbench(msgspec.Struct, frozen=True):
    """What pgbench reached: scripts a second, and how long half of them took at the most, in milliseconds."""

    rate: float
    p50_ms: float


def pay(url: str, wallets: int, connections: int, duration_s: float, folder: Path) -> Wrk:
    """Payments over the first wallets (see `filling.user_id`), as fast as they are answered."""
    users = folder / f"users-{wallets}"
    if not users.exists():
        users.write_text("".join(f"{user_id(nth)}\n" for nth in range(wallets)), encoding="ascii")
    script = ("post.lua", "pay", str(next(_runs)), str(PROVIDER_ID), API_KEY, str(users.absolute()))
    return _wrk(url, connections, duration_s, script)


def charge(url: str, connections: int, duration_s: float) -> Wrk:
    """Charges at the gateway."""
    return _wrk(url, connections, duration_s, ("post.lua", "charge", str(next(_runs)), str(PROVIDER_ID)))


def get(url: str, connections: int, duration_s: float) -> Wrk:
    """One request again and again."""
    return _wrk(url, connections, duration_s, ("report.lua",))


def _wrk(url: str, connections: int, duration_s: float, script: Sequence[str]) -> Wrk:
    # wrk takes whole seconds only.
    command = [
        "wrk",
        f"-t{min(2, connections)}",
        f"-c{connections}",
        f"-d{max(1, round(duration_s))}s",
        "--timeout",
        "15s",
    ]
    command += ["-H", f"X-API-Key: {API_KEY}", "-s", script[0], url, "--", *script[1:]]
    try:
        said = _run(command, HERE / "wrk", duration_s)
    except FileNotFoundError:
        raise CannotStart("wrk is not installed (Debian: apt-get install wrk)") from None
    return msgspec.json.decode(said.splitlines()[-1], type=Wrk)


def pgbench(program: Sequence[str], script: str, clients: int, folder: Path, limit_s: float, **values: int) -> Pgbench:
    """The script, by so many clients at once, each of which waits for every statement.

    `program` is pgbench with its time and the database.

    Raises:
        CannotStart: a statement failed.
    """
    log = folder / f"pgbench-{next(_runs)}"
    given = {"run": next(_runs), "serial": 0, "provider": PROVIDER_ID, **_documents(), **values}
    command = [*program, "--no-vacuum", "--protocol=prepared", f"--client={clients}", f"--jobs={min(2, clients)}"]
    command += [f"--file={HERE / 'pgbench' / script}.sql", "--log", f"--log-prefix={log}"]
    command += [f"--define={name}={value}" for name, value in given.items()]
    said = _run(command, folder, limit_s)
    found = re.search(r"^tps = ([\d.]+)", said, re.MULTILINE)
    if found is None:
        raise CannotStart(f"pgbench: {said}")
    times = sorted(int(line.split()[2]) for path in log.parent.glob(f"{log.name}.*") for line in path.open())
    return Pgbench(float(found[1]), percentile(times, 50) / 1000)


def client(name: str, plan: msgspec.Struct, result: type[T], duration_s: float = 0.0) -> T:
    """Run a client of `bench/clients` by its plan; its result."""
    command = [sys.executable, "-m", f"bench.clients.{name}", msgspec.json.encode(plan).decode()]
    return msgspec.json.decode(_run(command, ROOT, duration_s), type=result)


def _run(command: Sequence[str], folder: Path, duration_s: float) -> str:
    try:
        done = subprocess.run(  # noqa: S603 -- our own commands
            command, cwd=folder, capture_output=True, text=True, timeout=duration_s + LATE_S, check=False
        )
    except subprocess.TimeoutExpired:
        raise CannotStart(f"{command[0]} did not end {LATE_S:g} s after it should have") from None
    if done.returncode != 0:
        raise CannotStart(f"{command[0]} failed: {done.stdout[-2000:]}{done.stderr[-2000:]}")
    return done.stdout


def _documents() -> dict[str, str]:
    """An event's document before and after, and the stored answer, as the service writes them."""
    before = payment()
    after = before.settle(Approved(), NOON)
    answer = msgspec.json.encode(payment_shape(after)).decode()
    events = {"created": created(before, EventId(uuid4())), "completed": settled(after, EventId(uuid4()))}
    return {name: document(event) for name, event in events.items()} | {"answer": answer}
