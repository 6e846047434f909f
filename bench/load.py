"""The programs that make load, each in a process of its own: wrk, pgbench, and the clients of `bench/clients`."""

import itertools
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final, TypeVar

import msgspec

from app.platform.process.processes import CannotStart
from bench.clients import bidding, buying, paying_out
from bench.documents import of_bids, of_checkouts, of_payments, of_purchases, of_transfers
from bench.filling_rows import PROVIDER_ID, user_id
from bench.house import ROOT
from bench.results import percentile
from tests.system.e2e.house import API_KEY

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


def next_run() -> int:
    """A number that no other run of this process has."""
    return next(_runs)


def pay(url: str, wallets: int, connections: int, duration_s: float, folder: Path) -> Wrk:
    """Payments over the first wallets (see `filling_rows.user_id`), as fast as they are answered."""
    script = ("post.lua", "pay", str(next(_runs)), str(PROVIDER_ID), API_KEY, _users(wallets, folder))
    return _wrk(url, connections, duration_s, script)


def purchase(url: str, token: str, wallets: int, connections: int, duration_s: float, folder: Path) -> Wrk:
    """Purchases by the owners of the first wallets, told of with a machine's token, as fast as they are answered."""
    script = ("post.lua", "buy", str(next(_runs)), token, _users(wallets, folder))
    return _wrk(url, connections, duration_s, script)


def refund(url: str, token: str, payments: Path, connections: int, duration_s: float) -> Wrk:
    """Refunds of a cent of the payments in the file, with a machine's token, as fast as they are answered."""
    script = ("post.lua", "refund", str(next(_runs)), token, str(payments.absolute()))
    return _wrk(url, connections, duration_s, script)


def charge(url: str, connections: int, duration_s: float) -> Wrk:
    """Charges at the gateway."""
    return _wrk(url, connections, duration_s, ("post.lua", "charge", str(next(_runs)), str(PROVIDER_ID)))


def send(url: str, people: Path, connections: int, duration_s: float, *, to_one: bool) -> Wrk:
    """Transfers among the people in the file, or from all of them to the first, as fast as they are answered."""
    script = ("post.lua", "send", str(next(_runs)), str(people.absolute()), str(int(to_one)))
    return _wrk(url, connections, duration_s, script)


def log_in(url: str, connections: int, duration_s: float) -> Wrk:
    """Log-ins that are refused, as fast as they are."""
    return _wrk(url, connections, duration_s, ("post.lua", "login", str(next(_runs))))


def buy(port: int, people: Path, products: int, duration_s: float) -> buying.Outcome:
    """Checkouts of those in the file, each of one of so many products, as fast as they are answered."""
    plan = buying.Plan(port, str(people.absolute()), products, next(_runs), duration_s)
    return client("buying", plan, buying.Outcome, duration_s)


def bid(port: int, people: Path, auction: int, duration_s: float) -> bidding.Outcome:
    """Bids of those in the file, each higher than the one before, in the auction of that number and those behind it."""
    plan = bidding.Plan(port, str(people.absolute()), auction, next(_runs), duration_s)
    return client("bidding", plan, bidding.Outcome, duration_s)


def browse(url: str, products: Path, hot: int, connections: int, duration_s: float) -> Wrk:
    """Products of those in the file, nine times of ten one of its first `hot`, else the next one of the others."""
    script = ("get.lua", "browse", str(next(_runs)), str(products.absolute()), str(hot))
    return _wrk(url, connections, duration_s, script)


def list_products(url: str, sellers: Path, categories: int, connections: int, duration_s: float) -> Wrk:
    """Pages by filters that nobody has asked for before: by price, of a seller in the file, of a category."""
    script = ("get.lua", "list", str(next(_runs)), str(sellers.absolute()), str(categories))
    return _wrk(url, connections, duration_s, script)


def get(url: str, connections: int, duration_s: float, token: str | None = None) -> Wrk:
    """One request again and again, by somebody who has that token."""
    return _wrk(url, connections, duration_s, ("report.lua",), f"Authorization: Bearer {token}" if token else None)


def pay_out(port: int, people: Path, connections: int, transfers: int, duration_s: float) -> paying_out.Outcome:
    """Bulks of so many transfers among the people in the file, as fast as they are answered."""
    plan = paying_out.Plan(port, str(people.absolute()), connections, transfers, next(_runs), duration_s)
    return client("paying_out", plan, paying_out.Outcome, duration_s)


def _users(wallets: int, folder: Path) -> str:
    """A file with the ids of their owners."""
    users = folder / f"users-{wallets}"
    if not users.exists():
        users.write_text("".join(f"{user_id(nth)}\n" for nth in range(wallets)), encoding="ascii")
    return str(users.absolute())


def _wrk(url: str, connections: int, duration_s: float, script: Sequence[str], credential: str | None = None) -> Wrk:
    # wrk takes whole seconds only.
    command = [
        "wrk",
        f"-t{min(2, connections)}",
        f"-c{connections}",
        f"-d{max(1, round(duration_s))}s",
        "--timeout",
        "15s",
    ]
    command += ["-H", credential or f"X-API-Key: {API_KEY}", "-s", script[0], url, "--", *script[1:]]
    try:
        said = _run(command, HERE / "wrk", duration_s)
    except FileNotFoundError:
        raise CannotStart("wrk is not installed (Debian: apt-get install wrk)") from None
    return msgspec.json.decode(said.splitlines()[-1], type=Wrk)


def pgbench(
    program: Sequence[str], script: str, clients: int, folder: Path, limit_s: float, **values: object
) -> Pgbench:
    """The script, by so many clients at once, each of which waits for every statement.

    `program` is pgbench with its time and the database.

    Raises:
        CannotStart: a statement failed.
    """
    log = folder / f"pgbench-{next(_runs)}"
    made_up = {**of_payments(), **of_transfers(), **of_checkouts(), **of_purchases(), **of_bids()}
    given = {"run": next(_runs), "serial": 0, "provider": PROVIDER_ID, **made_up, **values}
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
