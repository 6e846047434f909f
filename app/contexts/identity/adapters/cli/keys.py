"""`strongbox keys`: what signs tokens."""

import time
from datetime import UTC, datetime
from pathlib import Path

import click

from app.platform.process import terminal
from app.platform.process.commands import json_option, or_fail, settings_with


@click.group()
def keys() -> None:
    """The keys that sign tokens."""


@keys.command("rotate")
@click.option("--first", is_flag=True, help="Only where there is no key yet; one that is there stays.")
@json_option
def keys_rotate(first: bool, as_json: bool) -> None:
    """Put a new key into the file JWT_KEYS, which is made where there is none.

    It is published at once, and signs ACCESS_TTL_S later; the one before verifies until its last token has ended.
    """
    from app.contexts.identity.adapters.jwt.jwk import InvalidKeys
    from app.contexts.identity.adapters.jwt.rotation import rotate
    from app.contexts.identity.settings import IdentitySettings

    own = settings_with("jwt_keys").of(IdentitySettings)
    path = Path(own.jwt_keys)
    if first and path.exists():
        click.echo(f"there are keys in {path}: they stay", err=True)
        return
    made = or_fail(lambda: rotate(path, own.jwt_alg, own.access_ttl_s, time.time()), InvalidKeys)
    signs_from = datetime.fromtimestamp(made.signs_from_s, UTC)
    if as_json:
        told = {"kid": made.key_id, "alg": made.algorithm, "signs_from": signs_from, "file": str(path)}
        click.echo(terminal.as_json(told))
    else:
        when = f"{signs_from:%Y-%m-%d %H:%M:%S} UTC"
        click.echo(f"{made.algorithm} key {made.key_id} is in {path}; it signs from {when} on")
