"""What `strongbox status` looks at of identity: the keys that sign tokens, where it is said where they are."""

import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from app.contexts.identity.adapters.jwt.jwk import InvalidKeys
from app.contexts.identity.adapters.jwt.key_set import parse, read
from app.platform.operations.health import Health, Part, State

_SEE_TO_THE_KEYS = "see to JWT_KEYS: `strongbox keys rotate` writes a new key"


def parts_of_identity(jwt_keys: str) -> Sequence[Part]:
    """The parts."""
    return (Part("signing keys", partial(keys_at, Path(jwt_keys)), _SEE_TO_THE_KEYS),) if jwt_keys else ()


async def keys_at(path: Path) -> Health:
    """Whether a key signs, for how long it has, and which comes next."""
    try:
        keys = parse(read(path))
    except InvalidKeys as error:
        return Health(State.DOWN, str(error), _SEE_TO_THE_KEYS)
    now = time.time()
    signing = keys.signing(now)
    if signing is None:
        return Health(State.DOWN, "no key signs", _SEE_TO_THE_KEYS)
    age_s = max(now - signing.signs_from_s, 0)
    coming = [key.signs_from_s - now for key in keys.keys.values() if key.signs_from_s > now]
    seen = f"{signing.id} signs" + (f", for {age_s / 86_400:.0f} days" if signing.signs_from_s else "")
    if coming:
        seen += f"; the next one in {min(coming):.0f} s"
    figures = {"keys": len(keys.keys), "signing_for_s": round(age_s) if signing.signs_from_s else None}
    return Health(State.OK, seen, None, figures)
