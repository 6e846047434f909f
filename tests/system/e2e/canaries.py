"""Canaries, and where they turn up: in answers, logs, metrics, and in which column of the database."""

import re
from functools import cache
from uuid import uuid4

import httpx

from tests.system.e2e.house import API_KEY, House, wait_until

CARD = "4111111111111111"
TOKEN = f"sk_live_{uuid4().hex}"
ADDRESS = "203.0.113.77"
FORBIDDEN = (CARD, TOKEN, API_KEY, ADDRESS)
SECRET = f"{CARD}.{TOKEN}.{API_KEY}"
"""All that nobody may tell, in one string of visible ASCII."""


def told(text: str) -> list[str]:
    """What the text tells of it, with what stands around."""
    places = [(canary, text.find(canary)) for canary in FORBIDDEN]
    return [text[max(0, at - 120) : at + len(canary) + 40] for canary, at in places if at >= 0]


def of_answer(response: httpx.Response) -> str:
    """All of an answer as text."""
    return f"{response.status_code} {response.reason_phrase}\n{response.headers.multi_items()}\n{response.text}"


def logs_with(house: House, canary: str) -> set[str]:
    """The processes whose output has the canary, once they have logged everything up to now."""
    mark = uuid4().hex
    httpx.get(f"{house.api_url}/healthz", headers={"X-Request-ID": mark})
    wait_until(lambda: mark in house.log("api"), "the log to be written")
    return {name for name in house.processes if canary in house.log(name)}


def metrics_of(house: House) -> str:
    """What every metrics endpoint shows."""
    ports = [port for name, port in house.environment.items() if name == "HTTP_PORT" or name.endswith("METRICS_PORT")]
    return "".join(httpx.get(f"http://127.0.0.1:{port}/metrics").raise_for_status().text for port in ports)


def columns_with(house: House, canary: str) -> set[str]:
    """The columns of the database that hold the canary, as text or as bytes."""
    held = " UNION ALL ".join(
        f"SELECT '{name}' WHERE EXISTS (SELECT FROM {table} WHERE {column}::text ~ %s)"
        for name, table, column in _columns(house)
    )
    either = f"{re.escape(canary)}|{canary.encode().hex()}"
    return {name for (name,) in house.query(held, *[either] * len(_columns(house)))}


def check_untold(house: House) -> None:
    """See to it that no log, no metric and no table has any of what nobody may tell."""
    for canary in FORBIDDEN:
        for name in logs_with(house, canary):
            raise AssertionError(f"the log of {name}: {told(house.log(name))}")
        assert columns_with(house, canary) == set(), canary
    assert told(metrics_of(house)) == []


@cache
def _columns(house: House) -> list[tuple[str, str, str]]:
    rows = house.query(
        "SELECT table_schema, table_name, column_name FROM information_schema.columns"
        " WHERE table_schema IN ('public', 'audit', 'metrics')"
    )
    return [
        (f"{schema}.{table}.{column}".removeprefix("public."), f'"{schema}"."{table}"', f'"{column}"')
        for schema, table, column in rows
    ]
