"""The package as it is given away: all that it needs, and nothing of the service."""

import shutil
import subprocess
import sys
import zipfile
from email.parser import Parser
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "clients/python"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wheel of it, built without the network, out of a copy."""
    folder = tmp_path_factory.mktemp("package")
    copy = shutil.copytree(PACKAGE, folder / "source", ignore=shutil.ignore_patterns("*.egg-info", "build"))
    build = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "--no-index"]
    subprocess.run([*build, "--wheel-dir", str(folder), str(copy)], check=True, capture_output=True)
    (made,) = folder.glob("*.whl")
    return made


def test_it_has_its_types_its_licence_and_nothing_else(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as files:
        names = set(files.namelist())
        (about,) = [name for name in names if name.endswith("METADATA")]
        metadata = Parser().parsestr(files.read(about).decode())
    modules = {path.relative_to(PACKAGE).as_posix() for path in (PACKAGE / "strongbox_client").rglob("*.py")}
    assert modules | {"strongbox_client/py.typed"} == {name for name in names if ".dist-info/" not in name}
    assert any(name.endswith("licenses/LICENSE") for name in names)
    assert (metadata["Name"], metadata["License-Expression"]) == ("strongbox-client", "MIT")
    needed = metadata.get_all("Requires-Dist") or []
    assert sorted(each.partition(">")[0] for each in needed) == ["httpx", "msgspec"]
    assert str(metadata.get_payload()).startswith("# strongbox-client")


def test_it_is_imported_without_the_service(wheel: Path) -> None:
    program = f"import sys; sys.path.insert(0, {str(wheel)!r}); import strongbox_client; print(*sorted(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-I", "-W", "error", "-c", program], capture_output=True, text=True, check=True
    )
    loaded = {name.partition(".")[0] for name in done.stdout.split()}
    assert "strongbox_client" in loaded
    assert loaded & {"app", "consumers", "mock_gateway", "litestar", "psycopg", "structlog"} == set()


def test_its_licence_is_that_of_the_house() -> None:
    assert (PACKAGE / "LICENSE").read_text() == (ROOT / "LICENSE").read_text()
