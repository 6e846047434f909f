"""`strongbox run`: everything on one machine, started in order, looked after, and ended in order."""

import asyncio
import os
import signal
import sys
import textwrap
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from pathlib import Path

import click
import httpx

from app.main.local import plan
from app.main.local.announce import announcement, demo_commands, psql_command
from app.main.local.servers import DATABASE, Servers
from app.main.local.supervisor import Part, Supervisor, stop_all
from app.main.local.terminal import Terminal
from app.platform.process.processes import CannotStart, ProcessId
from app.platform.process.run_state import RunState, end_leftovers, only_run
from app.platform.process.secret_files import secret
from app.platform.process.settings import Settings

READY_LIMIT_S = 90.0
LOOK_EVERY_S = 1.0
SAME_WISH_S = 0.5
COLUMNS = 100
"""What is said fits so wide a terminal."""
MIGRATE = ("migrate", "up")
OPERATOR = "operator"
"""Whose name is in `audit.actions` for what is done in the run's console."""

Parts = Callable[[Settings, plan.Ports, bool, tuple[str, ...]], list[tuple[Part, ...]]]


async def run(settings: Settings, base: Path, parts: Parts = plan.parts, tool: tuple[str, ...] = ("-m", "app")) -> int:
    """Serve until SIGINT or SIGTERM; a second one ends everything at once. The exit code: 0, or 1 with the reason said.

    `base` is the folder of the run, `.strongbox`. `parts` says which processes there are, `tool` how Python
    runs the command line.
    """
    terminal = Terminal()
    try:
        with only_run(base):
            return await _Run(settings, base, parts, tool, terminal).until_stopped()
    except CannotStart as error:
        terminal.close()
        click.echo(f"strongbox run: {error}", err=True)
        return 1
    finally:
        terminal.close()


class _Run:
    def __init__(self, settings: Settings, base: Path, parts: Parts, tool: tuple[str, ...], terminal: Terminal) -> None:
        base = base.absolute()
        self._settings, self._base, self._parts, self._tool = settings, base, parts, tool
        self._terminal, self._say = terminal, terminal.say
        self._servers = Servers(base, settings, terminal.say)
        self._supervisor = Supervisor(base / "logs", {}, terminal.say)
        self._stop = asyncio.Event()
        self._stopped_at_s = 0.0

    async def until_stopped(self) -> int:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(number, self._on_signal)
        stopped = asyncio.create_task(self._stop.wait())
        async with AsyncExitStack() as stack:
            serving = asyncio.create_task(self._serve(stack))
            await asyncio.wait({serving, stopped}, return_when=asyncio.FIRST_COMPLETED)
            stopped.cancel()
            if serving.done():
                await serving  # it ends by an error only
            self._say("Ending: what is under way is finished first; Ctrl-C again ends at once")
            serving.cancel()
            await asyncio.wait({serving})
        self._say("Ended; the data is kept")
        return 0

    def _on_signal(self) -> None:
        now_s = asyncio.get_running_loop().time()
        if self._stop.is_set():
            # `timeout make run` and the end of a terminal send one wish several times.
            if now_s - self._stopped_at_s < SAME_WISH_S:
                return
            self._say("Ended at once")
            self._supervisor.kill()
            self._servers.kill()
            self._terminal.close()
            os._exit(130)
        self._stopped_at_s = now_s
        self._stop.set()

    async def _serve(self, stack: AsyncExitStack) -> None:
        stack.callback((self._base / "run.json").unlink, missing_ok=True)
        grace_s = self._settings.shutdown_grace_s
        if left := await asyncio.to_thread(end_leftovers, self._base, grace_s):
            self._say(f"Ended what a killed run left behind: {', '.join(left)}")
        ports = plan.choose_ports(self._settings, self._say)
        reached = await self._servers.start(stack)
        environment = self._environment(ports, reached)
        self._say("Making the tables that are missing …")
        await self._command(MIGRATE, environment)
        await self._start_parts(stack, ports, environment)
        names = ", ".join(part.name for part in self._waited_for)
        self._say(textwrap.fill(f"Starting {names} …", COLUMNS, subsequent_indent="  "))
        for name, one in plan.left_out(self._settings):
            makes = f"`strongbox {' '.join(one.prepared_by)}` says to what"
            self._say(f"{name} is left out: {one.gives} is not set; {makes}")
        for command in demo_commands() if "payments" in self._settings.sections else ():
            await self._command(command, environment)
            self._supervisor.fail_on_deaths()
        self._say("Waiting until all of them are ready …")
        await self._ready(self._waited_for)
        self._announce(environment)
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            await self._servers.look_after()
            await asyncio.to_thread(self._supervisor.trim_logs)

    def _environment(self, ports: plan.Ports, reached: dict[str, str]) -> dict[str, str]:
        settings = self._settings
        chosen = {
            "API_KEYS": settings.api_keys or secret(self._base / "api-key", "dev-"),
            "CONSOLE_KEYS": settings.console_keys or f"{OPERATOR}:{secret(self._base / 'console-key')}",
            **{name: str(port) for name, port in ports.items()},
        }
        for one in plan.stand_ins(settings):
            chosen[one.setting] = f"http://127.0.0.1:{ports[one.port]}"
            chosen |= one.environment(settings, self._base)
        return plan.places(settings) | chosen | plan.made_here(settings, ports, self._base) | reached

    async def _start_parts(self, stack: AsyncExitStack, ports: plan.Ports, environment: dict[str, str]) -> None:
        stages = self._parts(self._settings, ports, self._servers.in_process, self._tool)
        state = self._state(ports, environment)

        def write_state() -> None:
            state.processes = self._supervisor.processes
            state.write(self._base)

        # The services have no use for the owner's password.
        told = {name: value for name, value in environment.items() if not name.startswith("MIGRATE_")}
        self._supervisor.environment = self._environment_of_parts = {**os.environ, **told}
        self._supervisor.changed = write_state
        self._urls = state.urls
        names = [tuple(part.name for part in stage) for stage in reversed(stages)]
        stack.push_async_callback(stop_all, self._supervisor, names, self._settings.shutdown_grace_s)
        self._waited_for = [part for stage in stages for part in stage]
        write_state()
        for stage in stages:
            for part in stage:
                self._supervisor.start(part)
            await self._prepare(stage, environment, state)

    async def _prepare(self, stage: tuple[Part, ...], environment: dict[str, str], state: RunState) -> None:
        """What stands in for something is prepared before anybody uses it: what comes of that is a setting."""
        for one in plan.stand_ins(self._settings):
            parts = [part for part in stage if part.name == one.name]
            if not parts or not one.prepared_by or self._settings.text(one.gives):
                continue
            await self._ready(parts)
            said = await self._command(one.prepared_by, environment)
            for known in (environment, self._environment_of_parts, state.settings):
                known[one.gives] = said.split()[-1]

    def _state(self, ports: plan.Ports, environment: dict[str, str]) -> RunState:
        at = f"http://{plan.reachable(self._settings.http_host)}"
        in_process = self._servers.in_process
        broker = {"BROKER": "in-process" if in_process else "rabbitmq"}
        return RunState(
            supervisor=ProcessId.of(os.getpid()),
            settings={name: value for name, value in environment.items() if not name.endswith("_PORT")} | broker,
            urls={
                "api": f"{at}:{ports['HTTP_PORT']}",
                "metrics": f"{at}:{ports['METRICS_PORT']}/metrics",
                **plan.outside(self._settings, environment),
                "relay metrics": f"{at}:{ports['RELAY_METRICS_PORT']}/metrics",
                **{
                    f"{worker.name} metrics": f"{at}:{ports[worker.port]}/metrics"
                    for worker in plan.workers(self._settings)
                },
                **({} if in_process else self._consumers(at, ports)),
                "console": f"http://{plan.reachable(self._settings.console_host)}:{ports['CONSOLE_PORT']}",
            },
            processes={},
        )

    def _consumers(self, at: str, ports: plan.Ports) -> dict[str, str]:
        of_contexts = {f"{each.name} metrics": ports[each.port] for each in plan.consumers(self._settings)}
        every = {"audit metrics": ports["CONSUMER_METRICS_PORT"]} | of_contexts
        return {name: f"{at}:{port}/metrics" for name, port in every.items()}

    async def _command(self, words: tuple[str, ...], environment: dict[str, str]) -> str:
        """Run a command of the command line to its end; what it says."""
        process = await asyncio.create_subprocess_exec(
            sys.executable, *self._tool, *words, stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
            env=os.environ | environment, start_new_session=True,
        )  # fmt: skip
        try:
            said, _ = await process.communicate()
        except asyncio.CancelledError:
            process.terminate()
            await process.wait()
            raise
        if process.returncode != 0:
            raise CannotStart(f"`strongbox {' '.join(words)}` failed:\n{said.decode('utf-8', 'replace').strip()}")
        return said.decode("utf-8", "replace")

    async def _ready(self, parts: Sequence[Part]) -> None:
        """Wait until each part that can say so is ready; one that dies meanwhile ends the run."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + READY_LIMIT_S
        async with httpx.AsyncClient(timeout=2, trust_env=False) as client:
            for part in parts:
                while part.ready_url and not await _answers(client, part.ready_url):
                    self._supervisor.fail_on_deaths()
                    if loop.time() > deadline:
                        log = self._supervisor.log_of(part.name)
                        raise CannotStart(f"{part.name} was not ready within {READY_LIMIT_S:g} s (its log: {log})")
                    await asyncio.sleep(0.1)
        self._supervisor.fail_on_deaths()

    def _announce(self, environment: dict[str, str]) -> None:
        psql = None
        if self._servers.private_database:
            postgres = self._servers.postgres
            psql = psql_command(postgres.binaries, self._servers.passwords, postgres.port, DATABASE)
        # A key of the user's is not shown: the shell puts it in.
        api_key = "${API_KEYS%%,*}" if self._settings.api_keys else environment["API_KEYS"]
        # Nor is an operator's: whoever gave it knows it.
        key = None if self._settings.console_keys else environment["CONSOLE_KEYS"].partition(":")[2]
        self._say(announcement(self._urls, api_key, key, self._supervisor.logs, psql))


async def _answers(client: httpx.AsyncClient, url: str) -> bool:
    try:
        return (await client.get(url)).status_code == httpx.codes.OK
    except httpx.HTTPError:
        return False
