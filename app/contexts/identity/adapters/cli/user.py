"""`strongbox user`: people with an account."""

import asyncio
import sys
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

import click
import msgspec

from app.platform.process import terminal
from app.platform.process.commands import Id, also, command_line, configured, json_option, or_fail

if TYPE_CHECKING:
    from app.contexts.identity.container import IdentityContainer

ROLES = ("customer", "seller", "admin")
MOST_OF_A_PASSWORD = 4_096
"""Bytes that are read; what is too long for a password is said of them."""

tenant_option = click.option("--tenant", default="default", show_default=True, help="Whose: the tenant's name.")


@click.group()
def user() -> None:
    """People with an account. Also spelled `users`."""


@user.command("add")
@click.argument("email")
@click.option("--role", type=click.Choice(ROLES), default="customer", show_default=True, help="What they are here.")
@tenant_option
@json_option
def user_add(email: str, role: str, tenant: str, as_json: bool) -> None:
    """Add the user EMAIL, whose e-mail is known to be theirs.

    The password is asked for. Without a terminal it is read from standard input; one line end behind it is dropped.
    """
    from app.contexts.identity.domain import passwords, rules
    from app.contexts.identity.for_operators import do
    from app.kernel.principal import Role

    container = _container()
    kept = rules.email(email)
    if kept is None:
        raise click.BadParameter(rules.EMAIL_RULE, param_hint="EMAIL")
    password = _password()
    if why := passwords.complaint(password, container.settings().password_min):
        raise click.BadParameter(why, param_hint="the password")
    added = or_fail(
        lambda: asyncio.run(
            do(
                container,
                "user add",
                lambda: container.operate().add_user(tenant, kept, Role(role), password),
                lambda user: {"user_id": str(user.id), "tenant": tenant, "role": role},
            )
        )
    )
    click.echo(terminal.as_json({"user_id": added.id}) if as_json else added.id)


@user.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, allow_dash=True, path_type=Path))
@tenant_option
@json_option
def user_import(file: Path, tenant: str, as_json: bool) -> None:
    """Add the users of FILE, a JSON object a line: all of them, or none. `-` is standard input.

    Members: email, password_hash (bcrypt or argon2id), wallet_address, user_id, username, first_name, last_name,
    avatar_url, phone, role, email_verified (true), is_active (true).
    """
    from app.contexts.identity.adapters.cli.lines import read_users
    from app.contexts.identity.for_operators import do
    from app.kernel.principal import TenantId
    from app.platform.process.uuid7 import uuid7

    container = _container()
    content = sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()
    of_nobody_yet = TenantId(UUID(int=0))
    found = or_fail(lambda: read_users(content, of_nobody_yet, uuid7))
    added = or_fail(
        lambda: asyncio.run(
            do(
                container,
                "user import",
                lambda: container.operate().import_users(tenant, found),
                lambda users: {"users": len(users), "tenant": tenant},
            )
        )
    )
    ids = [one.id for one in added]
    click.echo(terminal.as_json({"imported": len(ids), "user_ids": ids}) if as_json else f"{len(ids)} users imported")


@user.command("show")
@click.argument("who", metavar="USER")
@tenant_option
@json_option
def user_show(who: str, tenant: str, as_json: bool) -> None:
    """Show USER, who goes by that id, e-mail, username or wallet address."""
    from app.contexts.identity.adapters.http.views import admin_view
    from app.contexts.identity.for_operators import look

    container = _container()
    found = or_fail(lambda: asyncio.run(look(container, lambda: container.look_up().one(who, tenant))))
    view = admin_view(found)
    rows = [(name, getattr(view, name)) for name in view.__struct_fields__]
    terminal.show(terminal.as_json(msgspec.to_builtins(view)) if as_json else terminal.table(("", ""), rows).strip())


@user.command("disable")
@click.argument("user_id", metavar="ID", type=Id())
@tenant_option
@json_option
def user_disable(user_id: UUID, tenant: str, as_json: bool) -> None:
    """Let the user ID in nowhere any more: every session ends. Once more changes nothing."""
    from app.contexts.identity.for_operators import do

    container = _container()
    or_fail(
        lambda: asyncio.run(
            do(
                container,
                "user disable",
                lambda: container.operate().disable_user(tenant, user_id),
                lambda _: {"user_id": str(user_id), "tenant": tenant},
            )
        )
    )
    click.echo(terminal.as_json({"user_id": user_id, "is_active": False}) if as_json else f"user {user_id} is disabled")


users = also(user, "users")


def _container() -> "IdentityContainer":
    container: IdentityContainer = command_line().container("identity", configured("command", "database_url"))
    return container


def _password() -> str:
    if sys.stdin.isatty():
        return str(click.prompt("Password", hide_input=True, confirmation_prompt=True, err=True))
    given = sys.stdin.buffer.read(MOST_OF_A_PASSWORD)
    try:
        return given.removesuffix(b"\n").removesuffix(b"\r").decode()
    except UnicodeDecodeError:
        raise click.BadParameter("is not UTF-8", param_hint="the password") from None
