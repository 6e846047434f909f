"""What a worker gets at a time, and when: the long first, and what the load of others would change by itself."""

import os
from typing import Any, Final

import pytest
from xdist.scheduler import LoadFileScheduling

LONG_FIRST: Final = (
    *("/crash/", "any_interleaving", "/soak/", "/engines/", "test_deployment_files", "/browser/test_pages"),
    *("inherited_settings", "test_local_run", "test_verify.py", "test_replay", "publisher", "test_dead_letters"),
    *("test_relay.py", "test_migrations", "/e2e/", "/browser/", "test_copies", "mock_gateway_failures", "relay_outbox"),
    *("verify_filled", "/system/", "/platform/", "/consumers/"),
)
"""Parts of the names of files, those that take longest first."""
APART: Final = ("/system/crash/", "/system/soak/", "/system/engines/", "/system/browser/", "/system/e2e/")
"""Folders whose tests judge whole houses, each of many processes, by what these do in time. They run when the others
are through, and no more of them at once than there are cores."""
CRASH_HOUSES: Final = 2


def cores() -> int:
    """How many of them may be used."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def place(path: str) -> tuple[bool, int]:
    """Where a file comes among all: long files first, so that the short ones fill what is left at the end, and no core
    waits for another's last file; then those that are apart, in the same way."""
    return is_apart(path), next(nth for nth, part in enumerate([*LONG_FIRST, ""]) if part in path)


def is_apart(path: str) -> bool:
    """Whether the file, or the piece of work, is of those that run apart."""
    return any(folder in f"/{path}" for folder in APART)


class Scheduling(LoadFileScheduling):  # type: ignore[misc]  # it has no types
    """A file at a time, but of the crash tests, which share a house and servers, a half: they are made twice only.
    And the pages of the browser, which share a house and a console, all at once.

    What runs apart goes to as many workers as there are cores, those that come to it first. The others end.
    """

    def __init__(self, config: pytest.Config, log: Any) -> None:
        super().__init__(config, log)
        self._crash_files: dict[str, int] = {}
        self._stay: list[Any] = []

    def _split_scope(self, nodeid: str) -> str:
        file = str(super()._split_scope(nodeid))
        folder = file.rpartition("/")[0]
        if "/browser/test_pages" in file:
            return f"{folder}/pages"
        if "/crash/" not in file:
            return file
        number = self._crash_files.setdefault(file, len(self._crash_files))
        return f"{folder}/{number % CRASH_HOUSES}"

    def _assign_work_unit(self, node: Any) -> None:
        if self._has_work_for(node):
            super()._assign_work_unit(node)
        elif not node.shutting_down:
            node.shutdown()

    def _has_work_for(self, node: Any) -> bool:
        if not is_apart(next(iter(self.workqueue))):
            return True
        self._stay = [one for one in self._stay if one in self.nodes]
        if node not in self._stay and len(self._stay) < cores():
            self._stay.append(node)
        return node in self._stay
