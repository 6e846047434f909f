"""Whether the steps of the Dockerfile make what compose runs, as far as Docker is not needed to tell."""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
import yaml

from app.main import databases
from app.platform.postgres import migrations

ROOT = Path(__file__).parents[2]
ARGUMENTS: dict[str, str] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]["api"]["build"][
    "args"
]


def test_the_steps_of_the_dockerfile_make_a_folder_that_works(tmp_path: Path) -> None:
    """COPY and RUN, done in plain folders instead of an image's."""
    installed, served = tmp_path / "opt", tmp_path / "srv"
    served.mkdir()
    for line in _dockerfile_lines():
        word, _, rest = line.partition(" ")
        if word == "COPY" and not rest.startswith("--from"):
            _copy(rest, served)
        elif word == "RUN" and "useradd" not in rest:
            # What the same run has fetched for itself already is not fetched anew.
            _run(rest.replace("/opt/strongbox", str(installed)).replace(" --no-cache-dir", ""), served, **ARGUMENTS)
    environment = {"PATH": f"{installed / 'bin'}:/usr/bin:/bin"}
    for command in ("strongbox migrate --help", "python -m consumers --help", "python -m mock_gateway --help"):
        subprocess.run(command.split(), env=environment, cwd=tmp_path, check=True, capture_output=True)
    chain = "from app.contexts.chain.dev_chain import evm"
    subprocess.run(["python", "-c", chain], env=environment, cwd=tmp_path, check=True, capture_output=True)
    latest = "from app.platform.postgres.migrations import latest; print(latest(databases.at('')))"
    where = ["python", "-c", f"from app.main import databases; {latest}"]
    answer = subprocess.run(where, env=environment, cwd=tmp_path, check=True, capture_output=True, text=True)
    assert int(answer.stdout) == migrations.latest(databases.at(""))
    assert not (installed / "bin" / "pip").exists()


def _dockerfile_lines() -> list[str]:
    return (ROOT / "Dockerfile").read_text().replace("\\\n", " ").splitlines()


def _copy(arguments: str, folder: Path) -> None:
    *sources, target = arguments.split()
    allowed = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    for source in sources:
        assert source in allowed, f".dockerignore keeps {source} out"
        if (ROOT / source).is_dir():
            ignored = shutil.ignore_patterns("__pycache__")
            shutil.copytree(ROOT / source, folder / target, ignore=ignored)
        else:
            shutil.copy(ROOT / source, folder / target)


def _run(command: str, folder: Path, **arguments: str) -> None:
    # The image has a `python`; a machine may have none but `python3`.
    with tempfile.TemporaryDirectory() as python_folder:
        python = Path(python_folder) / "python"
        python.write_text(f'#!/bin/sh\nexec {Path(sys.executable).resolve()} "$@"\n')
        python.chmod(0o755)
        path = f"{python_folder}:{os.environ['PATH']}"
        answer = subprocess.run(
            ["sh", "-ec", command], cwd=folder, env=os.environ | arguments | {"PATH": path},
            capture_output=True, text=True, check=False,
        )  # fmt: skip
    if "No matching distribution" in answer.stderr or "Failed to establish a new connection" in answer.stderr:
        pytest.skip("no package index can be reached")
    assert answer.returncode == 0, answer.stderr
