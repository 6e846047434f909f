"""`strongbox cashback show`: where somebody's cashback is, and what became of it."""

import asyncio
from collections.abc import Mapping
from uuid import UUID

import click
import msgspec

from app.contexts.rewards.application.tell_cashback import AccountUnknown, BookedAccount, EntryStory
from app.platform.eip55 import checksummed
from app.platform.process import terminal
from app.platform.process.commands import Id, Whole, command_line, configured, json_option, or_fail
from app.platform.process.terminal import cell, table


@click.group()
def cashback() -> None:
    """Cashback: show somebody's, and the whole story of what was earned at once."""


@cashback.command("show")
@click.argument("user_id", metavar="USER", type=Id())
@click.option("--entry", "entry_id", type=Id(), help="What was earned at once: its whole story.")
@click.option("--tenant", default="default", show_default=True, help="Whose: the tenant's name.")
@click.option("--limit", type=Whole(1, 200), default=20, show_default=True, help="Lines at most.")
@json_option
def cashback_show(user_id: UUID, entry_id: UUID | None, tenant: str, limit: int, as_json: bool) -> None:
    """Show where USER's cashback is, and the newest lines of its ledger; or the story of one entry, oldest first."""
    from app.contexts.rewards.for_operators import account_of, story_of
    from app.platform.tenants import TenantUnknown

    rooms = command_line().rooms(configured("command", "database_url"))
    missing = AccountUnknown, TenantUnknown
    if entry_id is not None:
        story = or_fail(lambda: asyncio.run(story_of(rooms, tenant, user_id, entry_id)), *missing)
        shown = _story_as_json(story) if as_json else _story_as_text(story)
    else:
        account = or_fail(lambda: asyncio.run(account_of(rooms, tenant, user_id, limit)), *missing)
        shown = _account_as_json(account) if as_json else _account_as_text(account)
    click.echo(shown) if as_json else terminal.show(shown)


def _account_as_text(account: BookedAccount) -> str:
    s = account.standing
    facts = [
        ("user", s.user_id),
        ("address", checksummed(s.address) if s.address else "none is known"),
        ("accrued", s.accrued),
        ("minting", s.minting),
        ("minted", s.minted),
        ("debt", s.debt),
    ]
    lines = [f"{name:<8}  {cell(value)}" for name, value in facts]
    rows = [
        (t.line.at, t.line.kind.value, t.line.amount, f"{t.source} {t.reference} at {t.merchant}", t.line.entry_id)
        for t in account.lines
    ]
    return "\n".join([*lines, "", table(("AT", "WHAT", "BASE UNITS", "OF", "ENTRY"), rows)]).rstrip()


def _account_as_json(account: BookedAccount) -> str:
    from app.contexts.rewards.adapters.http.views import line_view

    s = account.standing
    return terminal.as_json(
        {
            "user_id": s.user_id,
            "tenant_id": s.tenant_id,
            "wallet_address": s.address and checksummed(s.address),
            **{name: str(getattr(s, name)) for name in ("accrued", "minting", "minted", "debt")},
            "lines": [msgspec.to_builtins(line_view(line)) for line in account.lines],
        }
    )


def _story_as_text(story: EntryStory) -> str:
    e = story.entry
    facts = [
        ("entry", f"{e.id}  {e.status}"),
        ("user", e.user_id),
        ("of", f"{e.source} {e.reference} at {e.merchant}"),
        ("earned", f"{e.amount}, {e.reversed} of it reversed"),
        ("now", f"{e.accrued} accrued, {e.minting} minting, {e.minted} minted"),
        ("rule", e.rule_id),
    ]
    lines = [f"{name:<8}  {cell(value)}" for name, value in facts]
    rows = [(m.at, m.source, m.what, _short(m.details)) for m in story.moments]
    lines += ["", table(("AT", "WHERE", "WHAT", ""), rows), ""]
    if story.next is not None:
        lines.append(f"next      {cell(story.next)}")
    lines += [f"note      {cell(note)}" for note in story.notes]
    return "\n".join(lines).rstrip()


def _short(details: Mapping[str, object]) -> str:
    """Ids by which to look further; the rest is in the JSON."""
    told = ("event_id", "request_id", "refund_id", "purchase_id", "tx_hash")
    return cell({name: details[name] for name in told if details.get(name) is not None})


def _story_as_json(story: EntryStory) -> str:
    e = story.entry
    amounts = {name: str(getattr(e, name)) for name in ("amount", "reversed", "accrued", "minting", "minted")}
    return terminal.as_json(
        {
            "entry": {
                "entry_id": e.id, "user_id": e.user_id, "tenant_id": e.tenant_id, "purchase_id": e.purchase_id,
                "rule_id": e.rule_id, "source": e.source, "merchant": e.merchant, "reference": e.reference,
                "status": e.status, **amounts, "attempt": e.attempt, "created_at": e.created_at,
            },
            "timeline": story.moments,
            "next": story.next,
            "notes": story.notes,
        }
    )  # fmt: skip
