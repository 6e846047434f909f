"""What a run prints once it serves: where everything is, a wallet with money in it, and a payment to paste."""

import shutil
import sys
import uuid
from pathlib import Path

from app.main.local.roles import LOGIN

DEMO_PROVIDER = "0190c7a0-0000-7000-8000-00000000000a"
DEMO_USER = "0190c7a0-0000-7000-8000-000000000001"
DEMO_CURRENCY = "USD"
DEMO_AMOUNT = 10_000_000

_OUTSIDE = {"gateway": "the gateway", "node": "the chain's node"}


def demo_commands() -> list[tuple[str, ...]]:
    """What puts the demo provider and the wallet there; the same again changes nothing."""
    return [
        ("provider", "add", "Demo provider", "--id", DEMO_PROVIDER),
        ("wallet", "fund", DEMO_USER, DEMO_CURRENCY, str(DEMO_AMOUNT), "--reference", "demo"),
    ]


def payment_to_paste(api_url: str, api_key: str) -> str:
    """A shell command that pays with the demo wallet. Pasted twice it pays once."""
    return (
        f"  curl -i {api_url}/wallets/{DEMO_USER}/payments \\\n"
        f'    -H "X-API-Key: {api_key}" \\\n'
        f'    -H "Idempotency-Key: {uuid.uuid4()}" \\\n'
        f"    -H 'Content-Type: application/json' \\\n"
        f'    -d \'{{"amount": 1250, "currency": "{DEMO_CURRENCY}", "external_reference": "order-1",\n'
        f'      "provider_id": "{DEMO_PROVIDER}"}}\''
    )


def _strongbox() -> str:
    """How this shell calls the command line."""
    if shutil.which("strongbox"):
        return "strongbox"
    command = Path(sys.executable).parent / "strongbox"
    return str(command.relative_to(Path.cwd()) if command.is_relative_to(Path.cwd()) else command)


def _whose(metrics: str) -> str:
    return metrics.removesuffix(" metrics") if metrics != "metrics" else "metrics consumer: payments and amounts"


def announcement(urls: dict[str, str], api_key: str, console_key: str | None, logs: Path, psql: str | None) -> str:
    """The whole text, for a terminal."""
    api = urls["api"]
    lines = [
        "",
        f"Strongbox serves at {api}",
        "",
        *(_wallet(api, api_key) if "gateway" in urls else ()),
        "Where to look:",
        f"  console, for operators  {urls['console']}" + (f"  (its key: {console_key})" if console_key else ""),
        f"  the API's docs          {api}/docs",
        *(f"  {shown:<22}  {urls[name]}" for name, shown in _OUTSIDE.items() if name in urls),
        f"  metrics                 {api}/metrics  (api)",
        *(f"{'':26}{url}  ({_whose(name)})" for name, url in urls.items() if name.endswith("metrics")),
        f"  logs                    {logs}",
        f"  is all well?            {_strongbox()} status",
        f"  do the books hold?      {_strongbox()} verify",
    ]
    if psql:
        lines += ["", "The newest events of the audit trail:", "", psql]
    return "\n".join([*lines, "", "Ctrl-C ends it; the data stays."])


def _wallet(api: str, api_key: str) -> list[str]:
    """The wallet that money was paid into, and what to do with it."""
    return [
        f"User {DEMO_USER} has a wallet; "
        f"{DEMO_AMOUNT // 100:,}.{DEMO_AMOUNT % 100:02} {DEMO_CURRENCY} were paid into it.",
        "A payment from it; pasted again it is answered from the record, and charged once:",
        "",
        payment_to_paste(api, api_key),
        "",
        "Its balance and its transactions:",
        "",
        f'  curl -H "X-API-Key: {api_key}" \\\n    {api}/wallets/{DEMO_USER}/balance',
        f'  curl -H "X-API-Key: {api_key}" \\\n    {api}/wallets/{DEMO_USER}/transactions',
        "",
    ]


def psql_command(binaries: Path | None, passwords: Path, port: int, database: str) -> str | None:
    """A command that shows the newest audit events of a private server, where psql is there."""
    program = binaries / "psql" if binaries else None
    if program is None or not program.exists():
        return None
    query = "SELECT position, type, subject, occurred_at FROM audit.events\n      ORDER BY position DESC LIMIT 10"
    return (
        f"  PGPASSFILE='{passwords}' \\\n"
        f"    '{program}' -h 127.0.0.1 -p {port} -U {LOGIN} {database} \\\n"
        f"    -c '{query}'"
    )
