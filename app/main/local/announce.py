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


def demo_commands() -> list[tuple[str, ...]]:
    """What puts the demo provider and the wallet there; the same again changes nothing."""
    return [
        ("provider", "add", "Demo provider", "--id", DEMO_PROVIDER),
        ("wallet", "fund", DEMO_USER, DEMO_CURRENCY, str(DEMO_AMOUNT), "--reference", "demo"),
    ]


def payment_to_paste(api_url: str, api_key: str) -> str:
    """A shell command that pays with the demo wallet. Pasted twice it pays once."""
    body = (
        f'{{"provider_id": "{DEMO_PROVIDER}", "external_reference": "order-1", '
        f'"amount": 1250, "currency": "{DEMO_CURRENCY}"}}'
    )
    return (
        f"  curl -i {api_url}/wallets/{DEMO_USER}/payments \\\n"
        f'    -H "X-API-Key: {api_key}" -H "Idempotency-Key: {uuid.uuid4()}" \\\n'
        f"    -H 'Content-Type: application/json' \\\n"
        f"    -d '{body}'"
    )


def _strongbox() -> str:
    """How this shell calls the command line."""
    if shutil.which("strongbox"):
        return "strongbox"
    command = Path(sys.executable).parent / "strongbox"
    return str(command.relative_to(Path.cwd()) if command.is_relative_to(Path.cwd()) else command)


def announcement(urls: dict[str, str], api_key: str, console_key: str | None, logs: Path, psql: str | None) -> str:
    """The whole text, for a terminal."""
    api = urls["api"]
    lines = [
        "",
        f"Strongbox serves at {api}",
        "",
        f"A wallet with {DEMO_AMOUNT // 100:,}.{DEMO_AMOUNT % 100:02} {DEMO_CURRENCY} in it "
        f"(before its first payment): user {DEMO_USER}",
        "A payment from it; pasted again it is answered from the record, and charged once:",
        "",
        payment_to_paste(api, api_key),
        "",
        "Its balance and its transactions:",
        "",
        f'  curl -H "X-API-Key: {api_key}" {api}/wallets/{DEMO_USER}/balance',
        f'  curl -H "X-API-Key: {api_key}" {api}/wallets/{DEMO_USER}/transactions',
        "",
        "Where to look:",
        f"  the console         {urls['console']}" + (f"  (log in with {console_key})" if console_key else ""),
        f"  the API's pages     {api}/docs",
        f"  metrics             {api}/metrics, {urls['metrics']}",
        f"  of the others       {', '.join(url for name, url in urls.items() if name.endswith(' metrics'))}",
        f"  the gateway         {urls['gateway']}",
        f"  logs                {logs}",
        f"  the books           {_strongbox()} verify",
    ]
    if psql:
        lines.append(f"  the audit trail     {psql}")
    return "\n".join([*lines, "", "Ctrl-C ends it; the data stays."])


def psql_command(binaries: Path | None, passwords: Path, port: int, database: str) -> str | None:
    """A command that shows the newest audit events of a private server, where psql is there."""
    program = binaries / "psql" if binaries else None
    if program is None or not program.exists():
        return None
    query = "SELECT position, type, subject, occurred_at FROM audit.events ORDER BY position DESC LIMIT 10"
    return f"PGPASSFILE='{passwords}' '{program}' -h 127.0.0.1 -p {port} -U {LOGIN} {database} -c '{query}'"
