"""Passwords and keys that are made once and kept in a file of their owner's."""

import os
import secrets
from pathlib import Path


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
