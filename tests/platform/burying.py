"""Dead letters for tests: letters that died, and a shell of an operator at that broker."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from uuid import uuid4

import pytest
from aiormq import spec
from pamqp.common import FieldTable

from app.main.local.roles import Urls
from tests import forks
from tests.platform.outbox_fixtures import Broker, eventually, query

PROJECT = Path(__file__).parents[2]
DIED: FieldTable = {
    "x-death-reason": "CheckViolation 23514",
    "x-death-at": "2026-01-02T03:04:05.678+00:00",
    "x-death-attempts": 4,
}


async def bury(broker: Broker, count: int, queue: str = "audit.dlq") -> list[str]:
    """Put so many dead letters there; their ids."""
    ids = [str(uuid4()) for _ in range(count)]
    for start in range(0, count, 500):
        await asyncio.gather(
            *(
                broker.channel.basic_publish(
                    f"body of {letter_id}".encode(),
                    routing_key=queue,
                    properties=spec.Basic.Properties(
                        message_id=letter_id, message_type="payment.created", headers=dict(DIED), delivery_mode=2
                    ),
                )
                for letter_id in ids[start : start + 500]
            )
        )
    await eventually(lambda: is_deep(broker, queue, count))
    return ids


async def is_deep(broker: Broker, queue: str, count: int) -> bool:
    return await broker.depth(queue) == count


async def taken(broker: Broker, queue: str) -> list[str]:
    return [str(message.header.properties.message_id) for message in await broker.take(queue)]


async def left(broker: Broker, count: int, queue: str = "audit.dlq") -> list[str]:
    """The ids of so many, once they are there: what a command held comes back some moments after its end."""
    await eventually(lambda: is_deep(broker, queue, count))
    return await taken(broker, queue)


class Shell:
    """Runs `strongbox` commands with these settings."""

    def __init__(self, folder: Path, **settings: str) -> None:
        self.folder = folder
        self.environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(PROJECT), **settings}

    def start(self, *words: str, program: Sequence[str] = ("-m", "app")) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            [sys.executable, *program, *words], cwd=self.folder, env=self.environment, text=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip

    async def run(self, *words: str, code: int = 0, program: Sequence[str] = ("-m", "app")) -> str:
        """What the command prints, once it has ended as expected."""
        if program == ("-m", "app"):
            environment = {name: value for name, value in self.environment.items() if name != "PYTHONPATH"}
            done = await asyncio.to_thread(forks.run, ("app", *words), self.folder, environment)
            assert done.returncode == code, f"{words} exited {done.returncode}: {done.stdout}{done.stderr}"
            return done.stdout + done.stderr
        process = self.start(*words, program=program)
        out, err = await asyncio.to_thread(process.communicate, None, 300)
        assert process.returncode == code, f"{words} exited {process.returncode}: {out}{err}"
        return out + err


@pytest.fixture
def shell(tmp_path: Path, database: Urls, rabbitmq_url: str) -> Shell:
    """Of a house whose queues are those of payments' contract, which are all that a test's broker has."""
    return Shell(tmp_path, CONTEXTS="funds,payments", DATABASE_URL=database.app_url, RABBITMQ_URL=rabbitmq_url)


def actions(database: Urls) -> list[tuple[str, dict[str, object]]]:
    return query(database.app_url, "SELECT action, details FROM audit.actions ORDER BY id")
