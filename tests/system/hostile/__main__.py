"""`python -m tests.hostile --examples 100 --seed 1`: schemathesis against a service of its own.

Exit codes: 0 every answer is as the document has it and the books hold; 1 not so; 2 it could not be run.
"""

import argparse
import secrets
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

from app.main.local.processes import CannotStart
from tests.e2e.house import API_KEY, QUICK, House, running
from tests.soak.fleet import Servers

ROOT: Final = Path(__file__).parents[2]
SCHEMATHESIS: Final = ROOT / ".venv-tools/bin/schemathesis"
ANSWERED_WITHIN_S: Final = float(QUICK["REQUEST_TIMEOUT_S"]) + 2
"""The rest is for a busy machine."""
LIMIT_S: Final = 3600
RICH: Final = 10**15


def fuzz(house: House, user_id: str, examples: int, seed: int) -> int:
    """Run schemathesis with all of its checks; its exit code."""
    command = [
        *(SCHEMATHESIS, "run", f"{house.api_url}/openapi.json", "--checks", "all"),
        *("--phases", "examples,coverage,fuzzing", "--max-examples", examples, "--seed", seed),
        *("--max-response-time", ANSWERED_WITHIN_S),
        # Every run begins with nothing but its seed.
        *("--generation-database", "none", "--continue-on-failure"),
    ]
    # By the name of its scheme: a header given otherwise would go with the requests that are to lack it, too.
    (house.folder / "schemathesis.toml").write_text(f'[auth.openapi.ApiKey]\napi_key = "{API_KEY}"\n')
    environment = {
        "PATH": "/usr/bin:/bin",
        "PYTHONPATH": str(Path(__file__).parent),
        "SCHEMATHESIS_HOOKS": "hooks",
        "FUZZ_USER": user_id,
        "FUZZ_PROVIDER": str(house.provider_id),
    }
    return subprocess.run(
        [str(word) for word in command], cwd=house.folder, env=environment, timeout=LIMIT_S, check=False
    ).returncode


def bugs(house: House) -> list[str]:
    """The lines of the logs that tell of a bug."""
    lines = [line for name in house.processes for line in house.log(name).splitlines()]
    return [line for line in lines if "unexpected_error" in line or "Traceback" in line]


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.hostile", description=__doc__.partition("\n")[0])
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
            house = House(urls, servers.rabbitmq.url, folder)
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
