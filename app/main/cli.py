"""The command line: `strongbox`, or `python -m app`.

Exit codes: 0 done; 1 it failed, or does not hold; 2 the command or a setting is wrong.
"""

import click

from app.main.commands import books, completion, console, dlq, lookups, outbox, processes, schema, status


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(package_name="strongbox")
def main() -> None:
    """Strongbox: wallets and payments that can be trusted with money.

    Settings come from the environment, over the YAML file that STRONGBOX_CONFIG names, over what a `strongbox run`
    in this folder serves, over defaults.
    """


for command in (
    processes.run,
    processes.demo,
    processes.api,
    processes.relay,
    processes.recover,
    processes.verify,
    console.console,
    schema.migrate,
    books.provider,
    books.wallet,
    status.status,
    lookups.payments,
    lookups.wallets,
    outbox.outbox,
    dlq.dlq,
    completion.completion,
):
    main.add_command(command)
