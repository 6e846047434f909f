"""`python -m tests.system.hostile --examples 100 --seed 1`: schemathesis against a service of its own.

Exit codes: 0 every answer is as the document has it and the books hold; 1 not so; 2 it could not be run.
"""

import argparse
import secrets
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from app.platform.process.processes import CannotStart
from tests.pace import slow
from tests.system.e2e.house import API_KEY, QUICK, House, body, running
from tests.system.e2e.people import SignedIn, added, admin, machine, somebody
from tests.system.soak.servers import Servers

ROOT: Final = Path(__file__).parents[3]
SCHEMATHESIS: Final = ROOT / ".venv-tools/bin/schemathesis"
ANSWERED_WITHIN_S: Final = float(QUICK["REQUEST_TIMEOUT_S"]) + 2
LIMIT_S: Final = 3600
RICH: Final = 10**15
RECIPIENT: Final = "recipient_of_the_fuzz"


LIMITS_OFF: Final = {f"RATE_LIMIT_{name}": "off" for name in ("IP", "USER", "WALLET", "LOGIN")}
"""What is refused for coming too often is not looked at."""
TILLS: Final = "^/v1/purchases"
"""What is for machines."""
SIGNED_OUT: Final = "/v1/auth/logout"
"""Left out: it would end the log-in that all other requests go by."""


def fuzz(house: House, user_id: str, examples: int, seed: int) -> int:
    """Run schemathesis with all of its checks: once as an admin, and as a machine what only machines may; the exit code
    of what ended worse."""
    people = [admin(house), somebody(house, RECIPIENT)]
    for person in people:
        body(people[0].receive(person.id, RICH), 201)
    till = machine(house, "purchases:write")
    environment = {
        "PATH": "/usr/bin:/bin",
        "PYTHONPATH": str(ROOT),
        "SCHEMATHESIS_HOOKS": "tests.system.hostile.hooks",
        "FUZZ_USER": user_id,
        "FUZZ_PROVIDER": str(house.provider_id),
        "FUZZ_ASKER": people[0].id,
        "FUZZ_OTHER": people[1].id,
        "FUZZ_OTHER_NAME": RECIPIENT,
        "FUZZ_PRODUCT": _offered(house),
        "FUZZ_RULE": _ruled(people[0]),
        "FUZZ_PURCHASE": _bought(till, people[1].id),
        "FUZZ_OWN": _listed(people[0]),
        "FUZZ_AUCTION": _auctioned(added(house, "seller")),
        "FUZZ_OVER": _called_off(people[0]),
        "FUZZ_ENDS_AT": _tomorrow(),
        "FUZZ_WEBHOOK": _listening(people[0]),
    }
    without = "--exclude-path", SIGNED_OUT, "--exclude-path-regex", TILLS
    runs = ((people[0], without), (till, ("--include-path-regex", TILLS)))
    return max(_run(house, who, [*words, *_how(examples, seed)], environment) for who, words in runs)


def _how(examples: int, seed: int) -> list[object]:
    return [
        *("--checks", "all", "--phases", "examples,coverage,fuzzing", "--max-examples", examples, "--seed", seed),
        *("--max-response-time", slow(ANSWERED_WITHIN_S)),
        # Every run begins with nothing but its seed.
        *("--generation-database", "none", "--continue-on-failure"),
    ]


def _run(house: House, who: SignedIn, words: Sequence[object], environment: dict[str, str]) -> int:
    # By the name of its scheme: a header given otherwise would go with the requests that are to lack it, too.
    (house.folder / "schemathesis.toml").write_text(
        f'[auth.openapi.ApiKey]\napi_key = "{API_KEY}"\n[auth.openapi.Bearer]\nbearer = "{who.token}"\n'
    )
    command = [str(word) for word in (SCHEMATHESIS, "run", f"{house.api_url}/openapi.json", *words)]
    return subprocess.run(command, cwd=house.folder, env=environment, timeout=LIMIT_S, check=False).returncode


def _ruled(who: SignedIn) -> str:
    """The id of a rule of cashback."""
    rule_id: str = body(who.ask("POST", "/v1/rewards/rules", json={"basis_points": 100, "currency": "USD"}), 201)[
        "rule_id"
    ]
    return rule_id


def _listening(who: SignedIn) -> str:
    """The id of a webhook, which leads nowhere."""
    said = {"url": "https://shop.example/hook", "types": ["*"]}
    webhook_id: str = body(who.ask("POST", "/v1/webhooks", json=said), 201)["webhook_id"]
    return webhook_id


def _bought(till: SignedIn, user_id: str) -> str:
    """The id of a purchase of theirs, of which there is much to give back."""
    said = {"user_id": user_id, "merchant": "lamps", "external_reference": "1", "amount": RICH, "currency": "USD"}
    bought = till.ask("POST", "/v1/purchases", json=said, headers={"Idempotency-Key": "fuzz"})
    purchase_id: str = body(bought, 201)["purchase_id"]
    return purchase_id


def _offered(house: House) -> str:
    """The id of a product that somebody else sells."""
    return _listed(added(house, "seller"))


def _listed(who: SignedIn) -> str:
    """The id of a product of theirs, of which there is always a piece left."""
    said = {"title": "A lamp", "condition": "new", "price": 1, "currency": "USD", "quantity": 1_000_000_000}
    product_id: str = body(who.ask("POST", "/v1/products", json=said), 201)["product_id"]
    return product_id


def _auctioned(who: SignedIn) -> str:
    """The id of an auction of theirs, which is live all the time."""
    said = {"product_id": _listed(who), "starting_price": 1, "currency": "USD", "ends_at": _tomorrow()}
    auction_id: str = body(who.ask("POST", "/v1/auctions", json=said), 201)["auction_id"]
    return auction_id


def _called_off(who: SignedIn) -> str:
    """The id of one that was called off: whoever watches it sees its end at once."""
    auction_id = _auctioned(who)
    body(who.ask("POST", f"/v1/auctions/{auction_id}/cancel"), 200)
    return auction_id


def _tomorrow() -> str:
    return (datetime.now(UTC) + timedelta(days=1)).isoformat()


def bugs(house: House) -> list[str]:
    """The lines of the logs that tell of a bug."""
    lines = [line for name in house.processes for line in house.log(name).splitlines()]
    return [line for line in lines if "unexpected_error" in line or "Traceback" in line]


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.system.hostile", description=__doc__.partition("\n")[0])
    parser.add_argument("--examples", type=int, default=100, help="test cases an operation, about (100)")
    parser.add_argument("--seed", type=int, help="the same seed makes up the same requests")
    return parser.parse_args()


def main() -> int:
    """Start everything, run it, end everything; the exit code."""
    given = _arguments()
    seed = secrets.randbelow(10**6) if given.seed is None else given.seed
    sys.stdout.write(f"seed {seed} (again: make fuzz EXAMPLES={given.examples} SEED={seed})\n")
    sys.stdout.flush()
    with tempfile.TemporaryDirectory(prefix="strongbox-fuzz-") as name:
        folder = Path(name)
        folder.chmod(0o755)  # PostgreSQL runs as another user
        servers = Servers(folder)
        try:
            urls = servers.start()
            house = House(urls, servers.rabbitmq.url, folder, ACCESS_TTL_S=str(LIMIT_S * 2), **LIMITS_OFF)
            with running(house):
                code = fuzz(house, str(house.wallet(RICH)), given.examples, seed)
                found = bugs(house)
                house.verify()
        except CannotStart as error:
            sys.stderr.write(f"{error}\n")
            return 2
        finally:
            servers.stop()
    if code > 1:
        return 2  # it has said why
    sys.stdout.writelines(f"{line}\n" for line in found)
    verdict = "found something" if code or found else "every answer is as the document has it, and the books hold"
    sys.stdout.write(f"seed {seed}: {verdict}\n")
    return 1 if code or found else 0


if __name__ == "__main__":
    sys.exit(main())
