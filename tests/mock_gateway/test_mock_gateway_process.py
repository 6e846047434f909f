"""The mock gateway's process: its signals, its settings, and the journal that outlives it."""

import asyncio
import contextlib
import json
import resource
import signal
import socket
import sys
from pathlib import Path
from uuid import uuid4

import pytest

from mock_gateway.modes import MODE_NAMES
from tests.mock_gateway.mock_gateway_process import Mock, arrives, becomes, process, raw_charge, running


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_it_stops_cleanly_on_a_signal_and_hangs_up_on_what_it_holds(number: signal.Signals) -> None:
    async with running(MOCK_GATEWAY_MODE="timeout") as gateway:
        payment = str(uuid4())
        held = asyncio.create_task(gateway.raw(raw_charge(payment)))
        await arrives(gateway, payment)
        gateway.process.send_signal(number)
        assert await held == b""
        output, errors = await asyncio.wait_for(gateway.process.communicate(), 60)
        assert (gateway.process.returncode, output, errors) == (0, b"", b"")


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("MOCK_GATEWAY_PORT", "http"),
        ("MOCK_GATEWAY_PORT", "65536"),
        ("MOCK_GATEWAY_PORT", "-1"),
        ("MOCK_GATEWAY_MODE", "sad"),
    ],
)
async def test_a_wrong_setting_stops_the_start_and_is_named(setting: str, value: str) -> None:
    async with process(**{"MOCK_GATEWAY_PORT": "0"} | {setting: value}) as started:
        output, errors = await asyncio.wait_for(started.communicate(), 60)
    assert (started.returncode, output) == (2, b"")
    assert errors.decode().startswith(setting)
    assert errors.count(b"\n") == 1


async def test_an_empty_setting_counts_as_not_set() -> None:
    async with running(MOCK_GATEWAY_HOST="", MOCK_GATEWAY_MODE="", MOCK_GATEWAY_JOURNAL="") as gateway:
        assert (await gateway.charge(str(uuid4()))).status_code == 201


async def test_its_help_names_the_settings_and_the_modes() -> None:
    command = await asyncio.create_subprocess_exec(sys.executable, "-m", "mock_gateway", "--help", stdout=-1)
    output, _ = await asyncio.wait_for(command.communicate(), 60)
    assert command.returncode == 0
    for word in (*(f"MOCK_GATEWAY_{name}" for name in ("HOST", "PORT", "MODE", "JOURNAL")), "/admin/mode", *MODE_NAMES):
        assert word in output.decode()


async def test_an_address_that_is_taken_stops_the_start() -> None:
    async with running() as first, process(MOCK_GATEWAY_PORT=str(first.port)) as started:
        _, errors = await asyncio.wait_for(started.communicate(), 60)
    assert started.returncode == 1
    assert f"MOCK_GATEWAY_PORT {first.port}" in errors.decode()


# The journal.


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    return tmp_path / "journal"


async def kill(gateway: Mock) -> None:
    """Kill -9 the gateway, and wait until it is gone."""
    gateway.process.kill()
    await gateway.process.wait()


async def refused_start(journal: Path) -> str:
    """The one line with which a gateway refuses to start on this journal."""
    async with process(MOCK_GATEWAY_PORT="0", MOCK_GATEWAY_JOURNAL=str(journal)) as started:
        output, errors = await asyncio.wait_for(started.communicate(), 60)
    assert (started.returncode, output, errors.count(b"\n")) == (2, b"", 1)
    return errors.decode()


async def test_a_killed_gateway_comes_back_with_its_charges_tombstones_and_answers(journal: Path) -> None:
    approved, declined, voided, unseen, wrong = (str(uuid4()) for _ in range(5))
    async with running(MOCK_GATEWAY_JOURNAL=str(journal)) as gateway:
        for mode, payment in (("happy", approved), ("declined", declined), ("wrong_amount", wrong)):
            await gateway.mode(mode, charge="before")
            assert (await gateway.charge(payment)).status_code == 201
        await gateway.mode("happy")
        await gateway.charge(voided)
        for payment in (voided, unseen, unseen, declined):
            await gateway.void(payment)
        answers = {payment: (await gateway.ask(payment)).content for payment in (approved, declined, wrong)}
        record = await gateway.listed()
        await kill(gateway)
    async with running(MOCK_GATEWAY_JOURNAL=str(journal)) as gateway:
        begun_anew = {"attempts": {"charge": 0, "ask": 0, "void": 0}}
        assert await gateway.listed() == {payment: entry | begun_anew for payment, entry in record.items()}
        for payment, answer in answers.items():
            again = await gateway.charge(payment)
            assert (again.status_code, again.content) == (200, answer)
        for payment in (voided, unseen):
            assert (await gateway.charge(payment)).status_code == 409
        assert (await gateway.charge(approved, amount=7)).status_code == 422


async def test_a_gateway_killed_under_load_has_kept_all_that_it_answered(journal: Path) -> None:
    answered: dict[str, bytes] = {}

    async def charge_on(gateway: Mock) -> None:
        while True:
            payment = str(uuid4())
            answer = await gateway.raw(raw_charge(payment))
            if not isinstance(answer, bytes) or not answer.startswith(b"HTTP/1.1 201"):
                return
            answered[payment] = answer.partition(b"\r\n\r\n")[2]
            if len(answered) == 300:
                gateway.process.kill()

    async with running(MOCK_GATEWAY_JOURNAL=str(journal)) as gateway:
        await asyncio.gather(*(charge_on(gateway) for _ in range(8)), return_exceptions=True)
        await asyncio.wait_for(gateway.process.wait(), 60)
    assert len(answered) >= 300
    async with running(MOCK_GATEWAY_JOURNAL=str(journal)) as gateway:
        assert all([(await gateway.ask(payment)).content == answer for payment, answer in answered.items()])


async def test_a_late_charge_is_kept_too(journal: Path) -> None:
    payment = str(uuid4())
    async with running(MOCK_GATEWAY_JOURNAL=str(journal)) as gateway:
        await gateway.mode("500", charge="after", latency_ms=50)
        await gateway.charge(payment)
        await becomes(gateway, payment, "APPROVED")
        await kill(gateway)
    async with running(MOCK_GATEWAY_JOURNAL=str(journal)) as gateway:
        assert await gateway.status(payment) == "APPROVED"


async def test_a_torn_last_line_is_cut_off_and_written_over(journal: Path) -> None:
    whole, torn, later = (str(uuid4()) for _ in range(3))
    async with running(MOCK_GATEWAY_JOURNAL=str(journal)) as gateway:
        await gateway.charge(whole)
        await gateway.charge(torn)
        await kill(gateway)
    journal.write_bytes(journal.read_bytes()[:-20])
    for expected in ({whole}, {whole, later}):
        async with running(MOCK_GATEWAY_JOURNAL=str(journal)) as gateway:
            assert set(await gateway.listed()) == expected
            await gateway.charge(later)
            await kill(gateway)


async def test_a_corrupt_line_stops_the_start_and_is_named(journal: Path) -> None:
    async with running(MOCK_GATEWAY_JOURNAL=str(journal)) as gateway:
        for _ in range(3):
            await gateway.charge(str(uuid4()))
        await kill(gateway)
    first, second, third = journal.read_bytes().splitlines(keepends=True)
    for wrong in (second[:-20] + b"\n", b"\0" * 10 + b"\n", b"\n", b'{"type":"refunded"}\n', first):
        content = first + wrong + third
        journal.write_bytes(content)
        assert (await refused_start(journal)).startswith(f"MOCK_GATEWAY_JOURNAL {journal}, line 2: ")
        assert journal.read_bytes() == content


async def test_a_journal_that_cannot_be_had_stops_the_start_and_is_named(journal: Path, tmp_path: Path) -> None:
    for path, reason in (
        (tmp_path, "Is a directory"),
        (journal / "below", "No such file"),
        (Path("/dev/null"), "plain"),
    ):
        error = await refused_start(path)
        assert error.startswith(f"MOCK_GATEWAY_JOURNAL {path} ")
        assert reason in error
    async with running(MOCK_GATEWAY_JOURNAL=str(journal)):
        assert "Another process" in await refused_start(journal)


async def test_forgetting_empties_the_journal_and_late_charges_stay_out_of_it(journal: Path) -> None:
    early, late, marker = (str(uuid4()) for _ in range(3))
    async with running(MOCK_GATEWAY_JOURNAL=str(journal)) as gateway:
        await gateway.charge(early)
        await gateway.void(early)
        await gateway.mode("500", charge="after", latency_ms=100)
        await gateway.charge(late)
        assert (await gateway.http.delete("/admin/charges")).status_code == 204
        assert journal.read_bytes() == b""
        await gateway.charge(marker)
        await becomes(gateway, marker, "APPROVED")
        await kill(gateway)
    async with running(MOCK_GATEWAY_JOURNAL=str(journal)) as gateway:
        assert set(await gateway.listed()) == {marker}


async def test_what_the_journal_has_no_room_for_is_503_and_has_not_happened(journal: Path) -> None:
    kept, refused, late = (str(uuid4()) for _ in range(3))
    async with running(MOCK_GATEWAY_JOURNAL=str(journal)) as gateway:
        pid, no_limit = gateway.process.pid, resource.prlimit(gateway.process.pid, resource.RLIMIT_FSIZE)
        await gateway.charge(kept)
        whole = journal.read_bytes()
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (len(whole) + 30, no_limit[1]))
        for answer in (await gateway.charge(refused), await gateway.void(refused)):
            assert (answer.status_code, answer.json()["error"]["code"]) == (503, "SERVICE_UNAVAILABLE")
        await gateway.mode("latency", latency_ms=1)
        assert (await gateway.charge(late)).status_code == 503
        assert (await gateway.listed()).keys() == {kept}
        assert journal.read_bytes() == whole
        resource.prlimit(pid, resource.RLIMIT_FSIZE, no_limit)
        assert (await gateway.charge(refused)).status_code == 201
        await kill(gateway)
    assert [json.loads(line)["type"] for line in journal.read_bytes().splitlines()] == ["charged"] * 2


@pytest.mark.skipif(not socket.has_dualstack_ipv6(), reason="there is no IPv6 here")
async def test_on_all_of_ipv6_it_is_reached_by_ipv4_as_well() -> None:
    async with running(MOCK_GATEWAY_HOST="::") as gateway:
        assert (await gateway.http.get("/health")).status_code == 200  # at 127.0.0.1
        assert (await gateway.http.get(f"http://[::1]:{gateway.port}/health")).status_code == 200


async def test_of_what_is_asked_ahead_little_is_read() -> None:
    """While an answer is held, and when the one behind it is."""
    async with running(MOCK_GATEWAY_MODE="latency") as gateway:
        await gateway.mode("latency", latency_ms=2, applies_to="all")
        reader, writer = await asyncio.open_connection("127.0.0.1", gateway.port)
        sock: socket.socket = writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
        writer.transport.set_write_buffer_limits(high=0)
        wanted = b"GET /charges/%b HTTP/1.1\r\nHost: a\r\n\r\n" % str(uuid4()).encode() * 100
        sent = 0
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(2):
                while sent < 2_000_000:
                    writer.write(wanted)
                    await writer.drain()
                    sent += len(wanted)
        assert sent < 2_000_000
        assert (await reader.readline()).startswith(b"HTTP/1.1 ")
        writer.transport.abort()
