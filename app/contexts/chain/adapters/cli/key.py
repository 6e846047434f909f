"""`strongbox chain key`."""

import secrets
from pathlib import Path

import click

from app.platform.process.commands import Failed, settings_with


@click.command()
@click.option("--first", is_flag=True, help="Where there is one already it stays, and nothing is wrong.")
def key(first: bool) -> None:
    """Make a key that mints, in the file CHAIN_KEY_FILE, which only its owner may read, and print its address.

    One that is there is never replaced.
    """
    from app.contexts.chain.adapters.evm.key_file import key_in
    from app.contexts.chain.adapters.evm.transactions import address_of
    from app.contexts.chain.settings import ChainSettings
    from app.platform.eip55 import checksummed
    from app.platform.process.secret_files import write_privately

    path = Path(settings_with("chain_key_file").of(ChainSettings).chain_key_file)
    if path.exists():
        if first:
            click.echo(f"there is a key in {path}: it stays", err=True)
            return
        raise Failed(f"there is a key in {path}: it stays")
    try:
        write_privately(path, secrets.token_hex(32) + "\n")
    except OSError as error:
        raise Failed(f"CHAIN_KEY_FILE: {path} cannot be written: {error.strerror}") from None
    click.echo(checksummed(address_of(key_in(path))))
