"""What a `strongbox run` makes for itself: a key that signs, and one that makes people unrecognisable in logs."""

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from app.contexts.identity.adapters.jwt.rotation import make
from app.contexts.identity.settings import IdentitySettings
from app.platform.process.secret_files import secret
from app.platform.process.settings import Settings

KEYS: Final = "jwt-keys.json"


def keys_of_a_run(settings: Settings, folder: Path) -> Mapping[str, str]:
    """JWT_KEYS and LOG_HASH_KEY, kept in the folder from run to run, as far as they are not given."""
    own, made = settings.of(IdentitySettings), {}
    if not own.jwt_keys:
        make(folder / KEYS, own.jwt_alg, time.time())
        made["JWT_KEYS"] = str(folder.absolute() / KEYS)
    if not settings.log_hash_key:
        made["LOG_HASH_KEY"] = secret(folder / "log-hash-key")
    return made
