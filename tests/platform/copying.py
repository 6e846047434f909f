"""What is wrong with a database, and the commands that tell it or set it right."""

import subprocess
from pathlib import Path

from app.main import databases
from app.main.local.roles import Urls
from app.platform.postgres.pool import make_pool
from app.platform.postgres.schema import SchemaReader
from tests import forks


async def problems(urls: Urls) -> dict[str, str]:
    """What `GET /readyz` of an API there would say."""
    (target,) = databases.at(urls.app_url)
    async with make_pool(urls.app_url, "ready", 1) as pool:
        await pool.wait()
        return dict(await SchemaReader(pool, target.expected).problems())


def start(urls: Urls, *words: str) -> "subprocess.CompletedProcess[str]":
    """Start a command that has to refuse, else recovery."""
    environment = {"DATABASE_URL": urls.app_url, "GATEWAY_URL": "http://127.0.0.1:1", "PATH": ""}
    return forks.run(("app", *(words or ("recover",))), Path.cwd(), environment)
