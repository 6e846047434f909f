"""anvil as the engine: it makes the blocks. What it was sent is kept here, as it loses what it has when it is killed.

Each transaction, and each balance that it is told, is written to a journal before anvil gets it, and so is, as soon as
it is seen, in which block it lies. A start loads the state that the last orderly end has left, goes on to the height
that there was, and has it do again what came since, in the order of the blocks: one that was refused by the contract,
waited, or was in blocks that are no more would have other effects where it was sent first. After a kill that looks like
a reorg in which nothing is lost.
"""

import asyncio
import contextlib
import gzip
import os
import shutil
import socket
import subprocess
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import httpx
import msgspec

from app.contexts.chain.dev_chain.http import Answer
from app.contexts.chain.dev_chain.journal import BALANCE, SEND, Block, Deed, Journal
from app.contexts.chain.dev_chain.wanted import ENOUGH_WEI, Wanted

_START_LIMIT_S: Final = 30.0
_ASK_LIMIT_S: Final = 120.0
_LANDS_WITHIN_S: Final = 5.0
"""What was in a block once, when it is sent again."""
_LOOK_EACH_S: Final = 0.2
_BLOCKS_AT_ONCE: Final = 10_000
_BLOCKS_ASKED_FOR: Final = 250
_KEPT_BLOCKS: Final = 16
"""States of so many blocks are kept: deeper than a test turns the chain. Each is a copy of the whole, some MiB."""


def installed(program: str) -> str | None:
    """The program itself, behind the script that npm has put in its place; None where it is not installed."""
    found = shutil.which(program)
    if found is None:
        return None
    path = Path(found).resolve()
    if path.suffix != ".mjs":
        return str(path)
    beside = (path.parent / "node_modules/@foundry-rs", path.parent.parent)
    return next((str(each) for folder in beside for each in sorted(folder.glob("anvil-*/bin/anvil"))), None)


@asynccontextmanager
async def behind_anvil(wanted: Wanted, program: str) -> AsyncIterator[Answer]:
    """A chain that anvil makes.

    Raises:
        OSError: it does not start, or nothing can be kept there.
    """
    if wanted.folder:
        wanted.folder.mkdir(parents=True, exist_ok=True)
    port = _free_port()
    child = await asyncio.create_subprocess_exec(program, *_options(wanted, port), stdin=subprocess.DEVNULL)
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=64)
    async with httpx.AsyncClient(
        base_url=f"http://127.0.0.1:{port}", timeout=_ASK_LIMIT_S, limits=limits, trust_env=False
    ) as http:
        anvil = _Anvil(http, wanted.folder)
        try:
            await anvil.begin(child, wanted)
            counting = asyncio.create_task(anvil.count())
            try:
                yield anvil.answer
            finally:
                counting.cancel()
                await anvil.settle()
        finally:
            with contextlib.suppress(ProcessLookupError):
                child.kill()
            await child.wait()
            anvil.close()


def _options(wanted: Wanted, port: int) -> list[str]:
    options = f"--host 127.0.0.1 --port {port} --chain-id {wanted.chain_id} --accounts 0 --quiet".split()
    options += ["--prune-history", str(_KEPT_BLOCKS)]
    if wanted.interval_s:
        options += ["--mixed-mining", "--block-time", f"{wanted.interval_s:g}"]
    state = wanted.folder / "state.json" if wanted.folder else None
    return [*options, "--load-state", str(state)] if state and state.exists() else options


class _Shown(msgspec.Struct):
    number: str
    hash: str
    transactions: tuple[str, ...]


class _Answer(msgspec.Struct):
    result: _Shown | None


class _Anvil:
    def __init__(self, http: httpx.AsyncClient, folder: Path | None) -> None:
        self._http, self._folder = http, folder
        self._journal = Journal(folder / "journal") if folder else None
        self._noted: list[Block] = []
        """The last blocks that there are by the journal, the lowest of which nobody takes away."""

    async def answer(self, body: bytes) -> bytes:
        """What anvil answers; what it does not answer breaks the connection, as if it were asked itself."""
        if self._journal:
            self._journal.told(body)
        try:
            response = await self._http.post("/", content=body, headers={"content-type": "application/json"})
        except httpx.HTTPError as error:
            raise ConnectionAbortedError from error
        return response.content

    async def begin(self, child: asyncio.subprocess.Process, wanted: Wanted) -> None:
        """Wait until it serves, and bring it to where it was."""
        await self._served(child)
        self._noted = await self._blocks("latest")
        await self._go_on()
        for address in wanted.funded:
            if int(await self._ask("eth_getBalance", address, "latest"), 16) < ENOUGH_WEI // 2:
                await self._ask(BALANCE, address, hex(ENOUGH_WEI))
        if self._folder and self._journal:
            for deed in self._journal.deeds():
                await self._again(deed)
            await self._note(self._journal, self._folder, gone_from=0)

    async def count(self) -> None:
        """Note the height, and what lies in which block, each moment."""
        while self._folder and self._journal:
            with contextlib.suppress(httpx.HTTPError, ValueError):
                await self._note(self._journal, self._folder)
            await asyncio.sleep(_LOOK_EACH_S)

    async def settle(self) -> None:
        """Keep its state: nothing of the journal has to be sent again."""
        if not self._folder or not self._journal:
            return
        with contextlib.suppress(httpx.HTTPError, ValueError):
            state = gzip.decompress(bytes.fromhex((await self._ask("anvil_dumpState"))[2:]))
            _replace(self._folder / "state.json", state)
            self._journal.empty()

    def close(self) -> None:
        if self._journal:
            self._journal.close()

    async def _served(self, child: asyncio.subprocess.Process) -> None:
        deadline = asyncio.get_running_loop().time() + _START_LIMIT_S
        while True:
            if child.returncode is not None or asyncio.get_running_loop().time() > deadline:
                raise OSError("anvil does not start")
            with contextlib.suppress(httpx.HTTPError, ValueError):
                await self._ask("eth_chainId")
                return
            await asyncio.sleep(0.05)

    async def _go_on(self) -> None:
        """Be no lower than it was: what is sent again must not lie where somebody has looked before."""
        height = self._folder / "height" if self._folder else None
        if height is None or not height.exists():
            return
        missing = int(height.read_bytes()) + 2 - int(await self._ask("eth_blockNumber"), 16)
        while missing > 0:
            await self._ask("anvil_mine", hex(min(missing, _BLOCKS_AT_ONCE)))
            missing -= _BLOCKS_AT_ONCE

    async def _again(self, deed: Deed) -> None:
        """Do it again. It may be there, or may have been refused before: what was in no block is not waited for."""
        with contextlib.suppress(ValueError):
            if deed.balance:
                await self._ask(BALANCE, *deed.balance)
                return
            await self._ask("anvil_setNextBlockBaseFeePerGas", "0x0")  # whatever it pays was enough once
            name = await self._ask(SEND, deed.raw)
            deadline = asyncio.get_running_loop().time() + (_LANDS_WITHIN_S if deed.is_in_a_block else 0)
            while asyncio.get_running_loop().time() < deadline:
                if await self._ask("eth_getTransactionReceipt", name):
                    return
                await asyncio.sleep(0.005)

    async def _note(self, journal: Journal, folder: Path, gone_from: int | None = None) -> None:
        """Note the blocks that are new, which are no more, and then the height."""
        (latest,) = await self._blocks("latest")
        if latest.hash == self._noted[-1].hash and gone_from is None:
            return
        noted = [*self._noted]
        while len(noted) > 1 and await self._blocks(hex(noted[-1].number)) != noted[-1:]:
            gone_from = noted.pop().number
        numbers = range(noted[-1].number + 1, latest.number + 1)
        new: list[Block] = []
        for start in range(0, len(numbers), _BLOCKS_ASKED_FOR):
            new += await self._blocks(*map(hex, numbers[start : start + _BLOCKS_ASKED_FOR]))
        journal.noted(new, gone_from)
        self._noted = [*noted, *new][-_KEPT_BLOCKS - 1 :]
        _replace(folder / "height", str(self._noted[-1].number).encode())

    async def _blocks(self, *numbers: str) -> list[Block]:
        """Those of them that there are.

        Raises:
            HTTPError: it does not answer.
            ValueError: it refuses.
        """
        asked = [
            {"jsonrpc": "2.0", "id": nth, "method": "eth_getBlockByNumber", "params": (number, False)}
            for nth, number in enumerate(numbers)
        ]
        response = await self._http.post("/", json=asked)
        shown = [each.result for each in msgspec.json.decode(response.content, type=list[_Answer])]
        return [Block(int(each.number, 16), each.hash, each.transactions) for each in shown if each]

    async def _ask(self, method: str, *params: object) -> Any:
        """One question to anvil.

        Raises:
            HTTPError: it does not answer.
            ValueError: it refuses.
        """
        asked: Mapping[str, object] = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
        response = await self._http.post("/", json=asked)
        answered = msgspec.json.decode(response.content)
        if "error" in answered:
            raise ValueError(str(answered["error"]))
        return answered["result"]


def _replace(path: Path, content: bytes) -> None:
    draft = path.with_name(path.name + ".new")
    draft.write_bytes(content)
    os.replace(draft, path)


def _free_port() -> int:
    """One that nobody else is given for a minute: a connection that was closed there keeps it, though not from a
    server that asks for this one."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = int(server.getsockname()[1])
        with socket.create_connection(("127.0.0.1", port)) as caller:
            server.accept()[0].close()  # who closes first is who waits
            caller.recv(1)
    return port
