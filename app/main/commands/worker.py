"""The workers of contexts."""

import asyncio
import functools
from collections.abc import Mapping
from importlib import import_module
from typing import Any

import click

from app.platform.context import Context, Worker
from app.platform.process.commands import WrongSettings, configured, or_fail, settings_with, traced


class _Group(click.Group):
    """The command of a worker that has others below it, each loaded when it is run."""

    def __init__(self, worker: Worker[Any], run: click.Command) -> None:
        super().__init__(worker.name, callback=self._run_alone, invoke_without_command=True, help=worker.help)
        self._modules: Mapping[str, str] = worker.commands
        self._alone = run

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 -- click's
        return sorted(self._modules)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 -- click's
        if cmd_name not in self._modules:
            return None
        command = getattr(import_module(self._modules[cmd_name]), cmd_name.replace("-", "_"))
        assert isinstance(command, click.Command)
        return command

    def _run_alone(self) -> None:
        ctx = click.get_current_context()
        if ctx.invoked_subcommand is None:
            ctx.invoke(self._alone)


def command_of(context: Context[Any], worker: Worker[Any]) -> click.Command:
    """The command that runs a worker."""

    @click.command(worker.name, help=worker.help)
    def run() -> None:
        from app.main.house import House
        from app.main.schema_check import check_schema
        from app.main.worker import work
        from app.platform.process.running import run_until_stopped

        if context.name not in settings_with("database_url").sections:  # what it requires is not even read then
            raise WrongSettings(f"CONTEXTS: {context.name} is switched off")
        settings = configured(worker.name, "database_url", *worker.required)
        with traced(worker.name, settings) as tracer:
            house = House(settings, tracer)
            or_fail(lambda: asyncio.run(check_schema(settings, [context.name])))
            or_fail(lambda: run_until_stopped(functools.partial(work, house, context, worker)))

    return _Group(worker, run) if worker.commands else run
