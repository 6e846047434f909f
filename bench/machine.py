"""The machine that a benchmark ran on, and the versions of what ran."""

import os
import platform
import re
import subprocess
from pathlib import Path


def describe(postgres_version: str, rabbitmq_version: str) -> dict[str, str | int]:
    """What one has to know to read the figures. Memory is in MiB."""
    return {
        "cpu": _field("/proc/cpuinfo", "model name") or platform.machine(),
        "cores": cores(),
        "memory_mib": _kib(_field("/proc/meminfo", "MemTotal")) // 1024,
        "kernel": platform.release(),
        "python": platform.python_version(),
        "postgresql": postgres_version,
        "rabbitmq": rabbitmq_version,
        "wrk": _wrk_version(),
    }


def cores() -> int:
    """How many this process may use."""
    return len(os.sched_getaffinity(0))


def memory_mib(pid: int, field: str) -> float:
    """What a process and its children hold, in MiB: `VmRSS` now, `VmHWM` at the most so far."""
    return sum(_kib(_field(f"/proc/{one}/status", field)) for one in family(pid)) / 1024


def cpu_s(pid: int) -> float:
    """The processor time that a process, its children, and those of them that have ended have used, in seconds."""
    return sum(sum(times) for times in map(_times, family(pid))) / os.sysconf("SC_CLK_TCK")


def written_bytes(pid: int) -> int:
    """What a process, and its children, have had written to disks so far, in bytes."""
    return sum(_written_bytes(one) for one in family(pid))


def family(pid: int) -> list[int]:
    """The process and all below it."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and (fields := _stat(int(entry.name))):
            children.setdefault(int(fields[1]), []).append(int(entry.name))
    found = [pid]
    for one in found:  # grows while it is walked
        found.extend(children.get(one, ()))
    return found


def _stat(pid: int) -> list[str]:
    """The fields of /proc/PID/stat from the third on; the second, the name, may hold anything."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="latin-1").rpartition(")")[2].split()
    except OSError:  # it has ended meanwhile
        return []


def _times(pid: int) -> tuple[int, ...]:
    """utime, stime, and both of the children that were waited for, in ticks."""
    return tuple(map(int, _stat(pid)[11:15]))


def _written_bytes(pid: int) -> int:
    """Nobody but its user and root may know it of a process: who may not is told so."""
    try:
        text = Path(f"/proc/{pid}/io").read_text(encoding="ascii")
    except (FileNotFoundError, ProcessLookupError):  # it has ended meanwhile
        return 0
    return int(text.partition("\nwrite_bytes:")[2].split(maxsplit=1)[0])


def _field(path: str, name: str) -> str:
    try:
        text = Path(path).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
    found = re.search(rf"^{name}\s*:\s*(.+)$", text, re.MULTILINE)
    return found[1].strip() if found else ""


def _kib(value: str) -> int:
    return int(value.split(maxsplit=1)[0]) if value else 0


def _wrk_version() -> str:
    try:
        said = subprocess.run(["wrk", "-v"], capture_output=True, text=True, check=False).stdout  # noqa: S607
    except FileNotFoundError:
        return "missing"
    return said.partition(" [")[0].removeprefix("wrk ")
