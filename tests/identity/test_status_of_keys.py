"""What `strongbox status` says of the keys that sign tokens."""

import os
from pathlib import Path

from app.contexts.identity.adapters.operations.parts import keys_at, parts_of_identity
from app.main.contexts import load
from app.main.local.plan import made_here
from app.platform.operations.health import State


async def test_keys_that_sign_are_told_by_their_id_and_no_more(tmp_path: Path) -> None:
    path = Path(made_here(load({"JWT_ALG": "EdDSA"}), {"HTTP_PORT": 8080}, tmp_path)["JWT_KEYS"])
    health = await keys_at(path)
    assert health.state is State.OK
    assert " signs" in health.seen
    assert health.figures["keys"] == 1
    path.chmod(0o644)
    if os.geteuid() == 0:
        path.chmod(0o666)
    assert (await keys_at(path)).state is State.DOWN


async def test_keys_that_are_missing_or_unfit_say_what_to_do(tmp_path: Path) -> None:
    empty = tmp_path / "keys.json"
    empty.write_text('{"keys": []}')
    empty.chmod(0o600)
    for path in (empty, tmp_path / "none.json"):
        health = await keys_at(path)
        assert (health.state, "keys rotate" in (health.hint or "")) == (State.DOWN, True)


def test_who_is_not_told_where_they_are_does_not_look() -> None:
    assert parts_of_identity("") == ()
