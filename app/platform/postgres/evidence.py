"""What `strongbox verify` looks at: what lies outside, the audit trail and the databases, read in the right order."""

from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import NamedTuple

from app.platform.operations.verify import Check
from app.platform.postgres.audit_chain import chain_check
from app.platform.postgres.collations import collations_that_changed
from app.platform.postgres.facts import Facts
from app.platform.postgres.inspection import Session
from app.platform.postgres.integrity import TRAIL, NobodyRewrites, append_only_is_enforced, snapshot
from app.platform.postgres.walls import Claim, OfTenants, Tenants
from app.platform.process.progress import Progress

Note = Callable[[str], None]
"""Takes a line for the report that is no finding."""
Compare = Callable[[Session, Session], Sequence[Check]]
"""Checks between a snapshot of the audit trail and a younger one of a context's database."""


class Database(NamedTuple):
    """A database by its URL, and the setting that has it."""

    setting: str
    url: str


@asynccontextmanager
async def nothing_outside(_: Note) -> AsyncIterator[Compare]:
    """For a context that compares nothing."""
    yield lambda _trail, _books: ()


@dataclass(frozen=True, slots=True)
class Checks:
    """What a context has checked. `within` are checks over one snapshot of its database.

    `between` reads what the context is compared with beside the audit trail (`outside` says what, in words), keeps it
    until the end, and gives the checks that compare. It is read before the trail, and that before the databases: what
    is told elsewhere was committed here before, so that nothing under way looks wrong.
    """

    database: Database
    within: Callable[[Session], Sequence[Check]]
    append_only: Sequence[str] = ()
    between: Callable[[Note], AbstractAsyncContextManager[Compare]] = nothing_outside
    outside: str | None = None
    of_tenants: Sequence[Claim] = ()
    """What has to hold in each tenant."""
    tenants: str | None = None
    """The query for the ids of all tenants, where they are in this database."""
    facts: Mapping[str, str] = field(default_factory=dict)
    """What other contexts may compare theirs with: by name a query for it, see `Facts`."""
    agree: Callable[[Session, Session, Facts], Sequence[Check]] | None = None
    """Checks between two snapshots of its own database and what others tell, who were looked at in between: what is
    the same in both was so meanwhile.
    """


async def lanes(
    contexts: Sequence[Checks], trail: Database, stack: AsyncExitStack, note: Note, progress: Progress,
    opened: Callable[[Session], None],
) -> Sequence[Sequence[Check]]:  # fmt: skip
    """All checks, those between the records in a lane of their own. The stack holds what they look at, `opened` is told
    of each connection."""
    compared = []
    for context in contexts:
        if context.outside is not None:
            progress(context.outside, 0, 1)
        compared.append(await stack.enter_async_context(context.between(note)))
    before = await _of_those_who_compare(contexts, stack, opened)
    trails = await _twice(trail, stack, opened)
    books = {each: await _twice(each, stack, opened) for each in dict.fromkeys(one.database for one in contexts)}
    await _note_what_is_not_held(contexts, books, trail, trails[0], note)
    after = await _of_those_who_compare(contexts, stack, opened)
    tenants = next((Tenants(books[each.database][0], each.tenants) for each in contexts if each.tenants), None)
    if tenants is None and any(context.of_tenants or context.agree for context in contexts):
        note("what is some tenant's was not looked at: identity is switched off, and nobody else knows the tenants")
    append_only = [(books[context.database][0], context.append_only) for context in contexts if context.append_only]
    return (
        [
            *(check for context in contexts for check in _of(context, books[context.database][0], tenants)),
            NobodyRewrites([*append_only, (trails[0], (TRAIL, "audit.actions"))]),
            chain_check(trails[0]),
        ],
        [
            check
            for context, compare in zip(contexts, compared, strict=True)
            for check in (
                *compare(trails[1], books[context.database][1]),
                *_agreeing(contexts, context, books, before.get(context.database), after.get(context.database)),
            )
        ],
    )


def _of(context: Checks, books: Session, tenants: Tenants | None) -> Iterator[Check]:
    """A context's checks over one snapshot: those of each tenant where it is known who they are."""
    yield from context.within(books)
    if tenants is not None:
        yield from (OfTenants(books, tenants, *claim) for claim in context.of_tenants)


async def _of_those_who_compare(
    contexts: Sequence[Checks], stack: AsyncExitStack, opened: Callable[[Session], None]
) -> Mapping[Database, Session]:
    """A snapshot of each database with something that is compared with what others tell."""
    snapshots = {}
    for database in dict.fromkeys(context.database for context in contexts if context.agree):
        snapshots[database] = await stack.enter_async_context(snapshot(database.url))
        opened(snapshots[database])
    return snapshots


def _agreeing(
    contexts: Sequence[Checks],
    context: Checks,
    books: Mapping[Database, Sequence[Session]],
    before: Session | None,
    after: Session | None,
) -> Sequence[Check]:
    """The context's checks of what others tell, where it is known which tenants there are."""
    known = next(((each.database, each.tenants) for each in contexts if each.tenants), None)
    if context.agree is None or before is None or after is None or known is None:
        return ()
    told = {name: (books[each.database][1], query) for each in contexts for name, query in each.facts.items()}
    return context.agree(before, after, Facts(Tenants(books[known[0]][1], known[1]), told))


async def _twice(database: Database, stack: AsyncExitStack, opened: Callable[[Session], None]) -> Sequence[Session]:
    """A snapshot for each lane."""
    snapshots = [await stack.enter_async_context(snapshot(database.url)) for _ in range(2)]
    for each in snapshots:
        opened(each)
    return snapshots


async def _note_what_is_not_held(
    contexts: Sequence[Checks],
    books: Mapping[Database, Sequence[Session]],
    trail: Database,
    trails: Session,
    note: Note,
) -> None:
    tables = [(table, books[one.database][0], one.database.setting) for one in contexts for table in one.append_only]
    for table, connection, setting in (*tables, (TRAIL, trails, trail.setting)):
        if not await append_only_is_enforced(connection, table):
            note(f"append-only is not enforced on {table}: {setting} logs in as the owner or a superuser")
    connections = {database.setting: snapshots[0] for database, snapshots in books.items()}
    for setting, connection in ({trail.setting: trails} | connections).items():
        if reordered := await collations_that_changed(connection):
            note(f"{setting}: {reordered}")
