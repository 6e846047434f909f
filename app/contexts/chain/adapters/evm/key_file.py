"""The key that mints, from its file: nobody else may read that, and nothing of it is in any message."""

import os
import re
from pathlib import Path
from typing import Final

from coincurve import PrivateKey

from app.platform.process.secret_files import is_for_us_alone
from app.platform.process.settings import InvalidSettings

_FORM: Final = re.compile("(?:0x)?([0-9a-fA-F]{64})")
_MOST_BYTES: Final = 200


def key_in(path: Path) -> PrivateKey:
    """The key that the file holds, as 64 hexadecimal digits.

    Raises:
        InvalidSettings: it cannot be read, others may read it, or it holds no key.
    """
    try:
        with path.open("rb") as file:
            is_ours = is_for_us_alone(os.fstat(file.fileno()))
            content = file.read(_MOST_BYTES)
    except OSError as error:
        raise InvalidSettings(f"CHAIN_KEY_FILE: {path} cannot be read: {error.strerror}") from None
    if not is_ours:
        raise InvalidSettings(f"CHAIN_KEY_FILE: others may read {path}: chmod 600 it, and see who has")
    return _key(path, content)


def _key(path: Path, content: bytes) -> PrivateKey:
    found = _FORM.fullmatch(content.decode("ascii", "replace").strip())
    if found is None:
        raise InvalidSettings(f"CHAIN_KEY_FILE: {path} holds no key: 64 hexadecimal digits")
    try:
        return PrivateKey(bytes.fromhex(found[1]))
    except ValueError:  # zero, or too large
        raise InvalidSettings(f"CHAIN_KEY_FILE: {path} holds no key of the curve") from None
