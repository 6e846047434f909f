"""The code for gRPC is what the service's description makes."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
FOLDER = Path("app/contexts/chain/adapters/grpc")


def test_it_is_fresh(tmp_path: Path) -> None:
    """Else: see "How to add" in docs/development.md."""
    outputs = [f"--{kind}_out={tmp_path}" for kind in ("python", "pyi", "grpc_python")]
    make = [sys.executable, "-m", "grpc_tools.protoc", f"-I{ROOT}", *outputs, str(ROOT / FOLDER / "chain.proto")]
    subprocess.run(make, check=True, cwd=ROOT)
    made = {file.name: file.read_text() for file in (tmp_path / FOLDER).iterdir()}
    assert sorted(made) == ["chain_pb2.py", "chain_pb2.pyi", "chain_pb2_grpc.py"]
    assert made == {name: (ROOT / FOLDER / name).read_text() for name in made}
