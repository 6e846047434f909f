"""What a process loads by being made: what it has no use for costs memory and time, in each process anew."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

SHOW = """
import json, sys
from app.platform.process.absent import do_without
do_without()
from app.main.contexts import load
from app.main.house import House
from app.main import {module}
house = House(load({settings}))
{made}
print(json.dumps(sorted({{name.partition('.')[0] for name in sys.modules}})))
"""
SETTINGS = {
    "DATABASE_URL": "postgresql://strongbox@127.0.0.1:1/strongbox",
    "API_KEYS": "0123456789abcdef",
    "JWT_KEYS": "nowhere.json",
    "GATEWAY_URL": "http://127.0.0.1:1",
    "CHAIN_GRPC_URL": "http://127.0.0.1:1",
    "CHAIN_TOKEN": "0123456789abcdef",
}
ROOT = Path(__file__).parents[2]
SIGNING = {"coincurve", "Crypto", "cffi"}
IN_NONE = {
    "rich",
    "pygments",
    "pydantic",
    "fastapi",
    "starlette",
    "watchfiles",
    "eth_utils",
    "eth",
    "hypothesis",
    "pytest",
}


def loaded(module: str, made: str) -> set[str]:
    """The packages that a process has loaded once this is made."""
    text = SHOW.format(module=module, settings=SETTINGS, made=made)
    done = subprocess.run([sys.executable, "-c", text], check=False, cwd=ROOT, capture_output=True, text=True)
    assert not done.returncode, done.stderr
    return set(json.loads(done.stdout))


@pytest.mark.parametrize(
    ("module", "made", "without"),
    [
        (
            "worker",
            "[each.recovery(house.container(each.name), house.people) for each in house.contexts if each.recovery]",
            SIGNING | {"litestar", "uvicorn", "jwt", "cryptography", "argon2", "bcrypt", "grpc", "aio_pika", "jinja2"},
        ),
        (
            "console",
            "console.pages(house, [])",
            SIGNING | {"jwt", "cryptography", "argon2", "bcrypt", "grpc"},
        ),
        (
            "consuming",
            "[each.work(house.container(of.name), False) for of in house.contexts for each in of.consumers]",
            SIGNING | {"litestar", "uvicorn", "jwt", "cryptography", "argon2", "bcrypt", "jinja2"},
        ),
    ],
    ids=["recover", "console", "consumers of contexts"],
)  # fmt: skip
def test_a_process_loads_nothing_that_it_has_no_use_for(module: str, made: str, without: set[str]) -> None:
    assert (without | IN_NONE) & loaded(module, made) == set()


def test_what_others_brought_is_there_for_who_did_not_ask_to_do_without() -> None:
    text = (
        "import sys; from app.platform.process.absent import do_without; import app.main.cli;"
        "import structlog, rich; print('rich' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", text], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "True"
