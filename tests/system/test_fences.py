"""The fences of the house: one wrong import of each kind, planted in a copy of the tree, is refused by name."""

import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DEV_CHAIN = "app.contexts.chain.dev_chain"
PACKAGES = {name: ROOT / name for name in ("app", "consumers", "mock_gateway", "bench")}
PACKAGES["strongbox_client"] = ROOT / "clients/python/strongbox_client"

NEW = "app.contexts.newcomer"
"""A context that no contract knows of."""
ROOMS = ("context", "adapters.http", "application.use_case", "domain.rules", "public")


@dataclass(frozen=True)
class House:
    """A copy of what the fences are about, with a context that joined just now."""

    folder: Path

    def plant(self, importer: str, imported: str) -> None:
        """Let the module import the other; there are both afterwards."""
        for module in (importer, imported):
            if module.startswith("app.contexts."):
                self.add(module)
        with self._file(importer).open("a") as file:
            file.write(f"\nimport {imported}\n")

    def judge(self) -> subprocess.CompletedProcess[str]:
        """What `lint-imports` says of it."""
        command = [str(Path(sys.executable).with_name("lint-imports")), "--cache-dir", str(self.folder / "cache")]
        return subprocess.run(command, cwd=self.folder, capture_output=True, text=True, check=False)

    def add(self, module: str) -> None:
        """An empty module, in packages."""
        file = self._file(module)
        file.parent.mkdir(parents=True, exist_ok=True)
        for folder in file.parents[: len(module.split(".")) - 1]:
            (folder / "__init__.py").touch()
        file.touch()

    def _file(self, module: str) -> Path:
        file = self.folder / module.replace(".", "/")
        return file / "__init__.py" if file.is_dir() else file.with_suffix(".py")


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> House:
    """The copy, without anything that is wrong with it."""
    house = House(tmp_path_factory.mktemp("fences"))
    for name, package in PACKAGES.items():
        for file in package.rglob("*.py"):
            copy = house.folder / name / file.relative_to(package)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, copy)
    shutil.copyfile(ROOT / "pyproject.toml", house.folder / "pyproject.toml")
    (house.folder / "tests").mkdir()
    for name in ("__init__.py", "fences.py"):
        shutil.copyfile(ROOT / "tests" / name, house.folder / "tests" / name)
    for room in ROOMS:
        house.add(f"{NEW}.{room}")
    return house


@pytest.fixture
def house(whole: House) -> Iterator[House]:
    """The copy, which is afterwards what it was before."""
    before = {file: file.read_bytes() for file in whole.folder.rglob("*.py")}
    yield whole
    for file in set(whole.folder.rglob("*.py")) - before.keys():
        file.unlink()
    for file, content in before.items():
        if file.read_bytes() != content:
            file.write_bytes(content)


def test_the_house_as_it_is_passes_with_one_more_context_in_it(whole: House) -> None:
    judged = whole.judge()
    assert judged.returncode == 0, judged.stdout


WRONG: Mapping[str, tuple[tuple[str, str], ...]] = {
    "The house: main → contexts → platform → kernel": (
        ("app.kernel.money", "app.platform.process.uuid7"),
        ("app.platform.postgres.pool", f"{NEW}.public"),
        (f"{NEW}.context", "app.main.cli"),
    ),
    "A context: context → adapters → part → application → public → domain": (
        (f"{NEW}.adapters.http", f"{NEW}.context"),
        (f"{NEW}.application.use_case", f"{NEW}.adapters.http"),
        (f"{NEW}.public", f"{NEW}.application.use_case"),
        (f"{NEW}.domain.rules", f"{NEW}.public"),
        ("app.contexts.payments.application.pay", "app.contexts.payments.adapters.postgres.books"),
    ),
    "A context knows another by its public face": (
        (f"{NEW}.domain.rules", "app.contexts.funds.domain.wallet"),
        (f"{NEW}.application.use_case", "app.contexts.funds.application.fund"),
        (f"{NEW}.adapters.http", "app.contexts.funds.adapters.postgres.wallets"),
        (f"{NEW}.context", "app.contexts.funds.container"),
        (f"{NEW}.adapters.http", "app.contexts.funds.part"),
    ),
    "A part of a transaction is taken by payments' PostgreSQL adapter alone": (
        (f"{NEW}.adapters.http", "app.contexts.funds.part"),
        ("app.contexts.payments.application.reserve", "app.contexts.funds.part"),
        ("app.main.cli", "app.contexts.funds.part"),
    ),
    "Contexts make no ring": (("app.contexts.funds.application.fund", "app.contexts.payments.public"),),
    "The rules know no machinery": (
        (f"{NEW}.domain.rules", "app.platform.process.uuid7"),
        (f"{NEW}.public", "app.platform.postgres.pool"),
    ),
    "Use cases know no adapter of the platform's": (
        (f"{NEW}.application.use_case", "app.platform.postgres.pool"),
        ("app.contexts.funds.application.fund", "app.platform.http.replies"),
    ),
    "Kernel, rules and use cases know no library of the outside": (
        ("app.kernel.money", "structlog"),
        (f"{NEW}.domain.rules", "psycopg"),
        (f"{NEW}.application.use_case", "httpx"),
        (f"{NEW}.public", "msgspec"),
    ),
    "Consumers do without main": (("consumers.kit.process", "app.main.cli"),),
    "Consumers know a context by its public face": (("consumers.audit", f"{NEW}.domain.rules"),),
    "The kit knows no consumer that is built on it": (("consumers.kit.process", "consumers.audit"),),
    "The mock gateway stands alone": (
        ("mock_gateway", "app.kernel.money"),
        ("mock_gateway", "consumers.kit"),
        ("mock_gateway", "bench"),
    ),
    "The dev chain stands alone": (
        (f"{DEV_CHAIN}.chain", "app.kernel.money"),
        (f"{DEV_CHAIN}.chain", "app.contexts.chain.adapters.evm.key_file"),
        (f"{DEV_CHAIN}.chain", "consumers.kit"),
        (f"{DEV_CHAIN}.chain", "bench"),
        (f"{DEV_CHAIN}.http", "mock_gateway"),
    ),
    "Nothing knows the dev chain": (
        ("app.contexts.chain.adapters.evm.local", f"{DEV_CHAIN}.evm"),
        ("app.main.cli", DEV_CHAIN),
        ("mock_gateway", DEV_CHAIN),
    ),
    "Nothing that serves knows what stands in for the outside": (
        ("app.contexts.payments.adapters.gateway.client", "mock_gateway"),
        ("app.platform.process.waiting", "mock_gateway"),
        ("consumers.audit", "mock_gateway"),
    ),
    "Nothing that serves knows that it is measured": (
        ("app.main.cli", "bench"),
        ("consumers.audit", "bench"),
    ),
    "The client knows nothing of the service's code": (
        ("strongbox_client.conversation", "app.kernel.money"),
        ("strongbox_client.webhook", "consumers.kit"),
        ("strongbox_client.operations.system", "mock_gateway"),
    ),
    "The service knows nothing of its client": (
        ("app.platform.outgoing.transport", "strongbox_client"),
        ("consumers.audit", "strongbox_client"),
    ),
}
"""By the fence that refuses it."""
RIGHT = (
    (f"{NEW}.domain.rules", "app.contexts.funds.public"),
    (f"{NEW}.application.use_case", "app.platform.operations.actions"),
    (f"{NEW}.adapters.http", "litestar"),
    ("consumers.audit", f"{NEW}.public"),
    ("app.main.cli", f"{NEW}.context"),
)


@pytest.mark.parametrize("fence", WRONG)
def test_a_wrong_import_is_refused_by_name(house: House, fence: str) -> None:
    for wrong in WRONG[fence]:
        house.plant(*wrong)
    judged = house.judge()
    assert f"{fence} BROKEN" in judged.stdout
    said = " ".join(judged.stdout.split())
    for importer, imported in WRONG[fence]:
        of_a_ring = f"- .{importer.split('.')[2]} -> .{imported.split('.')[2]} (1 import)" if "ring" in fence else None
        assert (of_a_ring or f"{importer} -> {imported}") in said


def test_every_fence_has_a_wrong_import() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    assert [contract["name"] for contract in contracts] == list(WRONG)


def test_a_context_hands_nothing_on_past_its_face() -> None:
    """What its package itself held, others could import from there without a fence in the way."""
    packages = [ROOT / "app/contexts/__init__.py", *ROOT.glob("app/contexts/*/__init__.py")]
    assert [package for package in packages if package.read_text()] == []


def test_right_ones_are_let_through(house: House) -> None:
    for right in RIGHT:
        house.plant(*right)
    judged = house.judge()
    assert judged.returncode == 0, judged.stdout
