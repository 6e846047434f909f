"""The plans that statements get on the service's connections."""

import itertools
import re
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import psycopg
from psycopg import sql

from app.platform.postgres.sessions import begin_session_now, session_url


def plan_of(
    url: str,
    mode: str,
    text: str,
    values: Sequence[Any],
    options: str = "",
    tenant: UUID | None = None,
    settings: Mapping[str, int | str] | None = None,
) -> str:
    """The plan of a prepared statement (parameters are `%b` or `%s`), in a `plan_cache_mode`, by EXPLAIN's options, as
    it is for a tenant, with settings of the session beside that.
    """
    numbers = itertools.count(1)
    prepared = re.sub("%[bs]", lambda _: f"${next(numbers)}", text)
    with psycopg.connect(session_url(url, "plans"), autocommit=True) as connection:
        begin_session_now(connection, {"plan_cache_mode": mode} | dict(settings or {}))
        connection.prepare_threshold = None
        if tenant is not None:
            connection.execute("SELECT set_config('app.current_tenant', %s, false)", [str(tenant)])
        connection.execute(f"PREPARE hot AS {prepared}".encode())
        given = sql.SQL("({})" if values else "").format(sql.SQL(", ").join(map(sql.Literal, values)))
        # Of EXECUTE: of the statement itself, EXPLAIN would show a plan for these values in either mode.
        explain = sql.SQL(f"EXPLAIN {f'({options})' if options else ''} EXECUTE hot ")
        rows = connection.execute(explain + given).fetchall()
    return "\n".join(line for (line,) in rows)


def cost_of(plan: str) -> float:
    """What the planner thinks that all of it costs, in pages read one after the other."""
    cost = re.search(r"cost=[\d.]+\.\.([\d.]+)", plan)
    assert cost is not None, plan
    return float(cost[1])


def pages_of(plan: str) -> int:
    """How many pages it read, wherever they were, by a plan with BUFFERS."""
    of_all = next(line for line in plan.splitlines() if "Buffers:" in line)
    return sum(map(int, re.findall(r"(?:hit|read)=(\d+)", of_all)))
