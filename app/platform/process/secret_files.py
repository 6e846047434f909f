"""Passwords and keys that are made once and kept in a file of their owner's."""

import os
import secrets
import stat
from pathlib import Path
from typing import Final

_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO


def secret(path: Path, prefix: str = "") -> str:
    """What the file holds; a new random one when there is no such file, which only its owner may read."""
    try:
        return path.read_text(encoding="ascii").strip()
    except FileNotFoundError:
        pass
    path.parent.mkdir(parents=True, exist_ok=True)
    value = prefix + secrets.token_urlsafe(24)
    write_privately(path, value + "\n")
    return value


def write_privately(path: Path, text: str) -> None:
    """Replace the file as a whole; only its owner may read it."""
    draft = path.with_name(path.name + ".new")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
    draft.replace(path)


def is_for_us_alone(status: os.stat_result) -> bool:
    """Whether nobody else may read or change the file, or it is mounted as clusters mount secrets."""
    return not status.st_mode & _OTHERS or is_mounted_for_us(status)


def is_mounted_for_us(status: os.stat_result) -> bool:
    """Whether it is the superuser's, and to be read by our group, as clusters mount secrets for those who are not."""
    ours = (os.getegid(), *os.getgroups())
    return (
        status.st_uid == 0 != os.geteuid() and status.st_gid in ours and not status.st_mode & (_OTHERS & ~stat.S_IRGRP)
    )
