"""Each command in README.md and docs/ is typed, page by page, at one running service; or named here, with a reason."""

import json
import re
from collections.abc import Iterator
from functools import partial

import psycopg
import pytest
from jsonschema import Draft202012Validator, FormatChecker

from app.platform.process.run_state import discovered
from tests.system.e2e.house import wait_until
from tests.system.e2e.pages import PAGES, ROOT, Block, Shell, blocks, follow, missing
from tests.system.e2e.readers import GIVEN
from tests.system.e2e.service import Service, serving

# What is not typed here, by page and the beginning of the block: why, and which test runs it.
ELSEWHERE = {
    ("README.md", "make run     # serves everything"): "the fixture `service`",
    ("docs/index.md", "make run"): "the fixture `service`",
    ("docs/benchmarks.md", "make bench"): "it takes an hour; tests/system/test_bench.py",
    ("docs/sizing.md", "for name in spread"): "it takes an hour; tests/system/test_sizing.py",
    ("docs/consumers.md", '"""What each user spends a day'): "tests/consumers/test_consumer_kit.py",
    ("docs/consumers.md", "CREATE TABLE spending.inbox"): "tests/consumers/test_consumer_kit.py",
    ("docs/consumers.md", "owner() {"): "its consumer waits for Ctrl-C; tests/consumers/test_consumer_kit.py",
    ("docs/how-to/backup.md", "pg_basebackup"): "tests/system/test_backup.py",
    ("docs/how-to/backup.md", 'cp -a "$BACKUP"'): "tests/system/test_backup.py",
    ("docs/chain/adapter.md", "$ grpcurl"): "it takes grpcurl; tests/chain/test_grpc.py",
    ("docs/how-to/sign-in-with-a-wallet.md", "SIWE_DOMAINS=127"): "tests/system/browser/test_wallet_page.py",
    ("docs/how-to/sign-in-with-a-wallet.md", "python3 -m http"): "tests/system/browser/test_wallet_page.py",
    ("docs/how-to/watch-an-auction.md", "CORS_ORIGINS=http"): "tests/system/browser/test_auction_page.py",
    ("docs/how-to/watch-an-auction.md", "python3 -m http"): "tests/system/browser/test_auction_page.py",
    ("docs/how-to/your-own-node-and-token.md", "export EVM_RPC_URL"): "tests/chain/test_chain_of_a_run.py",
    ("docs/how-to/your-own-node-and-token.md", ".venv/bin/strongbox chain deploy"): "its node is nobody's",
    ("docs/how-to/your-own-node-and-token.md", "CHAIN_CONTRACT=0x"): "its contract is nobody's",
    (
        "docs/how-to/your-own-node-and-token.md",
        "export CHAIN_CONTRACT",
    ): "its node is nobody's; tests/mint/mint_house.py",
    (
        "docs/mint/minting.md",
        "$ .venv/bin/strongbox mint show",
    ): "its request is nobody's; first-cashback.md is typed",
    (
        "docs/rewards/cashback.md",
        "$ .venv/bin/strongbox cashback",
    ): "its user is nobody's; first-cashback.md is typed",
    ("docs/payments/refunds.md", "strongbox refund show"): "its refund is; tests/system/crash/test_refunds_die.py",
    ("docs/how-to/receive-webhooks.md", "WEBHOOK_ALLOW_HTTP=true"): "the fixture `service`",
    ("docs/how-to/receive-webhooks.md", "import base64"): "tests/webhooks/test_the_receivers_of_the_manual.py",
    ("docs/how-to/upgrade.md", "docker compose stop api console"): "it takes Docker",
    ("docs/how-to/upgrade.md", "docker compose stop relay"): "tests/system/test_upgrade_in_docker.py",
    ("docs/how-to/upgrade.md", "docker compose up --detach"): "tests/system/test_upgrade_in_docker.py",
    ("docs/how-to/upgrade.md", "pg_dump --schema-only"): "it takes two servers; tests/platform/test_copies.py",
    ("docs/how-to/upgrade.md", 'psql "$NEW" --command="DROP'): "it takes two servers; tests/platform/test_copies.py",
    ("docs/kubernetes.md", "cd deploy/kubernetes"): "it takes a cluster; tests/system/test_kubernetes_runs.py",
    ("docs/kubernetes.md", "kubectl get --raw"): "it takes a cluster; tests/system/test_kubernetes_autoscaled.py",
    ("docs/operations.md", "CREATE ROLE"): "deploy/make-roles.sh has it; tests/system/test_deployment_files.py",
    ("docs/operations.md", "CONSOLE_KEYS="): "it serves until Ctrl-C; tests/system/browser/consoles.py",
    ("docs/operations.md", "$ strongbox status"): "a part has failed in it; tests/system/e2e/test_operators.py",
    ("docs/operations.md", "$ strongbox payment show"): "its payment is pending; tests/system/e2e/test_operators.py",
    ("docs/operations.md", 'eval "$(strongbox completion'): "it writes into a home; tests/system/test_commands.py",
    ("docs/operations.md", "$ strongbox dlq ls"): "it takes poison; tests/platform/test_dead_letters.py",
    ("docs/operations.md", "strongbox dlq redrive"): "it takes poison; tests/platform/test_dead_letters.py",
    ("docs/operations.md", "$ strongbox outbox replay"): "its times are fixed; tests/platform/test_replay.py",
    ("docs/ordering/carts.md", "$ curl -s http"): "its product is nobody's; docs/how-to/a-first-sale.md is typed",
    ("docs/ordering/checkout.md", "$ curl -s http"): "its cart is nobody's; docs/how-to/a-first-sale.md is typed",
    ("docs/webhooks/webhooks.md", "POST /hooks/strongbox"): "it is what we send; tests/webhooks/test_sending.py",
    (
        "docs/ordering/orders.md",
        "$ .venv/bin/strongbox orders show",
    ): "its order is; tests/ordering/test_order_stories.py",
}

# What the page on receiving webhooks has its reader start with.
ON_ONES_OWN_MACHINE = {"WEBHOOK_ALLOW_HTTP": "true", "WEBHOOK_ALLOWED_CIDRS": "127.0.0.0/8"}


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[Service]:
    with serving(tmp_path_factory.mktemp("pages"), request, **ON_ONES_OWN_MACHINE) as service:
        yield service


def test_a_start_leaves_no_error_in_the_databases_log(service: Service) -> None:
    assert "ready to accept connections" in service.said_of_the_start
    assert re.findall(r".*(?:WARNING|ERROR|FATAL|PANIC):.*", service.said_of_the_start) == []


def told() -> dict[str, list[Block]]:
    """The blocks by page: first those that show balances, last the backup, after which the books are wrong."""
    found = {str(page.relative_to(ROOT)): list(blocks(page)) for page in PAGES}
    first, last = ("README.md", "docs/payments/requests.md"), "docs/how-to/backup.md"
    between = [name for name in found if name not in (*first, last)]
    return {name: found[name] for name in (*first, *between, last) if found[name]}


@pytest.mark.parametrize("page", [*told()])
def test_what_a_page_tells_to_type_does_what_it_shows(page: str, service: Service) -> None:
    here = [block for block in told()[page] if not is_elsewhere(block)]
    with service.shell() as shell, service.happy_gateway():
        if page in GIVEN:
            code, printed = shell.type(GIVEN[page])
            assert code == 0, printed
        for block in here:
            assert block.language in ("sh", "console", "sql", "python"), (
                f"{page}:{block.line}: run it, or say in ELSEWHERE who does"
            )
            follow(_typed(block), shell)


def is_elsewhere(block: Block) -> bool:
    return any(block.page == page and block.text.startswith(beginning) for page, beginning in ELSEWHERE)


def _typed(block: Block) -> Block:
    """SQL is typed into psql, and taken back; Python into the interpreter that has the client."""
    match block.language:
        case "sql":
            script = f"psql \"$ADMIN_URL\" -v ON_ERROR_STOP=1 <<'END'\nBEGIN;\n{block.text}ROLLBACK;\nEND\n"
        case "python":
            script = f".venv/bin/python - <<'END'\n{block.text}END\n"
        case _:
            return block
    return block._replace(text=script)


@pytest.mark.parametrize(("place", "why"), ELSEWHERE.items())
def test_what_is_said_to_be_run_elsewhere_is_there(place: tuple[str, str], why: str) -> None:
    page, beginning = place
    assert len([block for block in told()[page] if block.text.startswith(beginning)]) == 1
    assert all((ROOT / file).exists() for file in re.findall(r"[\w/-]+\.(?:py|sh)", why))


def test_what_a_start_prints_fits_a_terminal_and_can_be_pasted(service: Service) -> None:
    """It pays, so it comes behind the pages, which show balances."""
    said = service.log.read_text()
    folder = str(service.folder)  # of what length is the user's choice
    assert [line for line in said.splitlines() if len(line) > 100 and folder not in line] == []
    pay, balance, transactions, *trail = re.findall(r"^  (?:curl|PGPASSFILE).*(?:\n {4,}.*)*", said, re.MULTILINE)
    with service.shell() as shell:
        first, second = (shell.type(pay)[1] for _ in range(2))
        assert "HTTP/1.1 201 Created" in first
        assert "idempotent-replayed: true" not in first.lower()
        assert "idempotent-replayed: true" in second.lower()
        assert '"current_balance"' in shell.type(balance)[1]
        assert '"transactions":[' in shell.type(transactions)[1]
        for query in trail:
            wait_until(partial(_prints, shell, f"{query} | cat", "payment.created"), query)


def _prints(shell: Shell, command: str, text: str) -> bool:
    return text in shell.type(command)[1]


def test_the_events_of_these_payments_fit_their_schemas(service: Service) -> None:
    schemas = {
        schema["$id"]: schema
        for schema in (json.loads(path.read_text()) for path in (ROOT / "docs").glob("*/schemas/*.json"))
    }
    with psycopg.connect(discovered(service.folder / ".strongbox")["DATABASE_URL"]) as connection:
        events = [row[0] for row in connection.execute("SELECT payload FROM audit.events")]
    assert {event["dataschema"] for event in events} <= schemas.keys()
    assert events
    for event in events:
        Draft202012Validator(schemas[event["dataschema"]], format_checker=FormatChecker()).validate(event["data"])


@pytest.mark.parametrize(
    ("shown", "printed", "fits"),
    [
        ('{"a": 1,\n "b": …}', '{"a":1,"b":2}', True),
        ("id 5dfc4b3e-6c5a-4b0e-9a0e-5f3f0b3f4a11", "id 01a1fc62-68a8-7564-8474-1270e7aa7466", True),
        ("HTTP/1.1 201 Created\nx: y", "HTTP/1.1 201 Created\nother: header\nx: y", True),
        ("HTTP/1.1 201 Created", "HTTP/1.1 200 OK", False),
        ("second\nfirst", "first\nsecond", False),
    ],
)
def test_what_is_shown_is_found_in_what_was_printed(shown: str, printed: str, fits: bool) -> None:
    assert (missing(shown, printed) is None) == fits
