"""The compiler, in an environment of its own, and what it makes of the source."""

import hashlib
import json
import subprocess
from pathlib import Path
from typing import Any, Final

from app.contexts.chain.adapters.evm.contract import ARTEFACT

ROOT: Final = Path(__file__).parents[3]
COMPILER: Final = ROOT / ".venv-vyper/bin/python"
SOURCE: Final = ARTEFACT.with_suffix(".vy")
EVM: Final = "paris"
"""The oldest that the source asks for: what was compiled for it runs on every chain since."""
LIMIT_S: Final = 300


def compiled() -> dict[str, Any]:
    """The artefact, made now.

    Raises:
        OSError: there is no compiler; `make .venv-vyper/.ready` brings it.
        CalledProcessError: it does not take the source.
    """
    answer = _run("-f", "abi,bytecode", str(SOURCE))
    abi, bytecode = answer.splitlines()
    return {
        "contract": SOURCE.name,
        "compiler": f"vyper {_run('--version')}",
        "evm_version": EVM,
        "source_sha256": hashlib.sha256(SOURCE.read_bytes()).hexdigest(),
        "abi": json.loads(abi),
        "bytecode": bytecode,
    }


def _run(*words: str) -> str:
    # Isolated: no file beside it is taken for a module.
    script = "from vyper.cli.vyper_compile import _parse_cli_args; _parse_cli_args()"
    command = [str(COMPILER), "-I", "-c", script, *words]
    done = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT_S, check=True, cwd=SOURCE.parent)
    return done.stdout.strip()
