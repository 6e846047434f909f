"""Packages that are installed for others, and that libraries of ours load where they find them."""

import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Final

UNUSED: Final = (
    "rich", "pygments", "colorama", "pydantic", "fastapi", "starlette", "watchfiles", "opentelemetry.sdk.metrics",
)  # fmt: skip
"""structlog and httpx would print colours by the first three, which Litestar's command line and tests bring: 9 MiB of
each process. dependency-injector and Litestar would take the models of pydantic, which the private chain's EVM brings:
12 MiB. dependency-injector would look for requests of the next two, and uvicorn for changed files by watchfiles: they
come with a test's reader of statements. redis would count its commands by the last, though nobody asks it to: 2 MiB."""


class Absent(MetaPathFinder):
    """Finds nothing under these names."""

    def __init__(self, names: Sequence[str]) -> None:
        self._names = names

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None,  # noqa: ARG002 -- the import system's
        target: ModuleType | None = None,  # noqa: ARG002 -- as above
    ) -> ModuleSpec | None:
        """Raises ModuleNotFoundError for them; the others are for the finders behind it."""
        if fullname in self._names:
            raise ModuleNotFoundError(f"this process does without {fullname}", name=fullname)
        return None


def do_without(names: Sequence[str] = UNUSED) -> None:
    """Have the process take these as not installed. To be called before anything else is imported."""
    sys.meta_path.insert(0, Absent(names))
