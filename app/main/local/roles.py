"""The database and its roles on a private server: an owner that migrates, and a login with the least privilege."""

from typing import NamedTuple

import psycopg
from psycopg import sql

GROUP = "strongbox_app"
OWNER = "strongbox_owner"
LOGIN = "strongbox_service"


class Urls(NamedTuple):
    """One database, seen by its owner and by the services."""

    owner_url: str
    app_url: str


def make_roles(superuser_url: str, owner_password: str, login_password: str) -> None:
    """Make both roles, and the group that the migrations grant to, or set their passwords when they exist."""
    with psycopg.connect(superuser_url) as connection:
        known = {str(row[0]) for row in connection.execute("SELECT rolname FROM pg_roles")}
        if GROUP not in known:
            connection.execute(sql.SQL("CREATE ROLE {} NOLOGIN").format(sql.Identifier(GROUP)))
        for role, options, password in (
            (OWNER, "LOGIN CREATEROLE", owner_password),
            (LOGIN, "LOGIN", login_password),
        ):
            verb = "ALTER" if role in known else "CREATE"
            connection.execute(
                sql.SQL("{} ROLE {} {} PASSWORD {}").format(
                    sql.SQL(verb), sql.Identifier(role), sql.SQL(options), sql.Literal(password)
                )
            )
        # From PostgreSQL 16 on a role may change another only as its admin.
        connection.execute(
            sql.SQL("GRANT {group} TO {owner} WITH ADMIN OPTION; GRANT {group} TO {login}").format(
                group=sql.Identifier(GROUP), owner=sql.Identifier(OWNER), login=sql.Identifier(LOGIN)
            )
        )


def make_database(superuser_url: str, name: str, template: str | None = None) -> None:
    """Make a database of the owner's when there is none of that name, empty or as a copy of another."""
    with psycopg.connect(superuser_url, autocommit=True) as connection:
        if connection.execute("SELECT FROM pg_database WHERE datname = %s", (name,)).fetchone() is not None:
            return
        connection.execute(
            sql.SQL("CREATE DATABASE {} OWNER {} TEMPLATE {}").format(
                sql.Identifier(name), sql.Identifier(OWNER), sql.Identifier(template or "template1")
            )
        )
