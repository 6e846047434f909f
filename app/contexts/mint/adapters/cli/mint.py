"""`strongbox mint show`: find out what became of a request for tokens."""

import asyncio
from uuid import UUID

import click

from app.platform.eip55 import checksummed
from app.platform.process import terminal
from app.platform.process.commands import Failed, Id, WrongSettings, configured, json_option, or_fail
from app.platform.process.terminal import cell


@click.group()
def mint() -> None:
    """Requests for tokens: show what became of one."""


@mint.command("show")
@click.argument("id", type=Id())
@json_option
def mint_show(id: UUID, as_json: bool) -> None:
    """Show the request ID, or all requests for the cashback entry ID, the first first."""
    from app.contexts.mint.adapters.postgres.stories import RequestStory, stories_of
    from app.contexts.mint.domain.next_step import next_of
    from app.contexts.mint.domain.request import RequestStatus

    settings = configured("command", "database_url")
    if "mint" not in settings.sections:
        raise WrongSettings("CONTEXTS: mint is switched off")
    found = or_fail(lambda: asyncio.run(stories_of(settings.home("mint").url, id)))
    if not found:
        raise Failed(f"there is no request {id}, and none for an entry {id}")
    found = [each._replace(address=checksummed(each.address)) for each in found]
    if as_json:
        click.echo(terminal.as_json([each._asdict() for each in found]))
        return

    def told(story: RequestStory) -> str:
        facts = ((name, value) for name, value in story._asdict().items() if value is not None)
        lines = [f"{name:<12}  {cell(value)}" for name, value in facts]
        if next_step := next_of(RequestStatus(story.status), story.reason):
            lines.append(f"{'next':<12}  {next_step}")
        return "\n".join(lines)

    terminal.show("\n\n".join(map(told, found)))
