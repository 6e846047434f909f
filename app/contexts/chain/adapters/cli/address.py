"""`strongbox chain address`."""

from pathlib import Path

import click

from app.platform.process.commands import WrongSettings, settings_with
from app.platform.process.settings import InvalidSettings


@click.command()
def address() -> None:
    """Print the address of the key that mints.

    Its file is CHAIN_KEY_FILE. The money for its gas has to go there.
    """
    from app.contexts.chain.adapters.evm.key_file import key_in
    from app.contexts.chain.adapters.evm.transactions import address_of
    from app.contexts.chain.settings import ChainSettings
    from app.platform.eip55 import checksummed

    path = Path(settings_with("chain_key_file").of(ChainSettings).chain_key_file)
    try:
        key = key_in(path)
    except InvalidSettings as error:
        raise WrongSettings(str(error)) from None
    click.echo(checksummed(address_of(key)))
