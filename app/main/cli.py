"""The command line: `strongbox`, or `python -m app`.

Exit codes: 0 done; 1 it failed, or does not hold; 2 the command or a setting is wrong.
"""

from collections.abc import Iterator, Sequence
from importlib import import_module
from typing import Any

import click

from app.main import contexts
from app.platform.context import Context
from app.platform.process.commands import Rooms, WrongSettings
from app.platform.process.settings import InvalidSettings, Settings

COMMANDS = {
    "run": "processes",
    "demo": "processes",
    "api": "processes",
    "relay": "processes",
    "recover": "processes",
    "verify": "processes",
    "console": "console",
    "migrate": "schema",
    "status": "status",
    "outbox": "outbox",
    "dlq": "dlq",
    "completion": "completion",
}
"""The platform's own, by the module of each."""


class _Line:
    """See `CommandLine`."""

    @property
    def known(self) -> Sequence[Context[Any]]:
        return contexts.CONTEXTS

    def container(self, context: str, settings: Settings) -> Any:
        return self.rooms(settings).container(context)

    def rooms(self, settings: Settings) -> Rooms:
        from app.main.house import House

        return House(settings)


class _Commands(click.Group):
    """The commands, each loaded when it is run: the platform's, and those that contexts bring."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 -- click's
        return sorted(name for name, _ in self._modules())

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 -- click's
        for context in contexts.CONTEXTS:
            for worker in context.workers:
                if worker.name == cmd_name:
                    from app.main.commands.worker import command_of

                    return command_of(context, worker)
            if any(consumer.is_worker and consumer.name == cmd_name for consumer in context.consumers):
                from app.main.consuming import command_of as consuming

                return consuming(cmd_name)
        module = dict(self._modules()).get(cmd_name)
        if module is None:
            return None
        command = getattr(import_module(module), cmd_name.replace("-", "_"))
        assert isinstance(command, click.Command)
        return command

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except InvalidSettings as error:
            raise WrongSettings(str(error)) from None

    def _modules(self) -> Iterator[tuple[str, str]]:
        for name, module in COMMANDS.items():
            yield name, f"app.main.commands.{module}"
        for context in contexts.CONTEXTS:
            yield from context.commands.items()
            for worker in context.workers:
                yield worker.name, "app.main.commands.worker"
            yield from ((one.name, "app.main.consuming") for one in context.consumers if one.is_worker)


@click.group(
    cls=_Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110, "obj": _Line()}
)
@click.version_option(package_name="strongbox")
def main() -> None:
    """Strongbox: wallets and payments that can be trusted with money.

    Settings come from the environment, over the YAML file that STRONGBOX_CONFIG names, over what a `strongbox run`
    in this folder serves, over defaults.
    """
