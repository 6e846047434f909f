"""The command line itself: wrong words, completion, what is shown."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.shell_completion import ShellComplete
from click.testing import CliRunner

from app.main import contexts
from app.main.cli import main
from app.platform.process import terminal
from app.platform.process.terminal import ago, cell, table
from tests.greetings.context import GREETINGS

USER = "0190c7a0-0000-7000-8000-000000000005"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("outbox replay --from yesterday --to-queue q", "'yesterday' is not a time like 2026-01-31T12:00:00Z"),
        ("outbox replay --from 2026-01-02 --to 2026-01-01T23:59:59 --to-queue q", "it has to be later than --from"),
        ("dlq redrive", "give IDs, or --all"),
        ("dlq redrive --all x", "give IDs, or --all"),
        ("dlq ls --queue audit.dlq", "'audit.dlq' is none of metrics.queue, audit.queue"),
        ("payments show abc", "'abc' is not a valid UUID"),
        ("payment show abc", "'abc' is not a valid UUID"),
        ("wallets show abc", "'abc' is not a valid UUID"),
        ("wallet show abc", "'abc' is not a valid UUID"),
        ("wallets fund abc USD 1", "'abc' is not a valid UUID"),
        (f"wallet fund {USER} USD \uff11\uff10_0", "is not a whole number in digits"),
        (f"wallet fund {USER} USD 1_0", "is not a whole number in digits"),
        (f"wallet fund {USER} USD +10", "is not a whole number in digits"),
        (f"wallet fund \uff10{USER[1:]} USD 10", "is not a valid UUID"),
        (f"wallet fund {USER.replace('-', '')[:-2]}_5 USD 10", "is not a valid UUID"),
        (f"provider add Acme --id {{{USER}}}", "is not a valid UUID"),
        ("dlq ls --limit 1_0", "is not a whole number in digits"),
        ("migrate force \u0661", "is not a whole number in digits"),
        ("api --workers \uff12", "is not a whole number in digits"),
        ("api --only=", "it names no context"),
        ("verify --offenders 1_0", "is not a whole number in digits"),
        ("completion csh", "'csh' is not one of 'bash', 'zsh', 'fish'"),
    ],
)
def test_wrong_words_are_named(words: str, message: str) -> None:
    ended = CliRunner().invoke(main, words.split())
    assert (ended.exit_code, message in ended.output) == (2, True), ended.output


def test_a_worker_of_a_context_that_is_switched_off_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(contexts, "CONTEXTS", (*contexts.CONTEXTS, GREETINGS))
    given = {"CONTEXTS": "funds", "DATABASE_URL": "postgresql://127.0.0.1:1/none"}
    ended = CliRunner(env=given).invoke(main, ["answer"])
    assert (ended.exit_code, ended.output) == (2, "Error: CONTEXTS: greetings is switched off\n")


@pytest.mark.parametrize(
    ("switched_on", "why"),
    [
        ("identity", "CONTEXTS: there is nothing to recover for identity"),
        ("funds,payments", "GATEWAY_URL is not set (or `strongbox run` in this folder)"),
        ("", "GATEWAY_URL is not set (or `strongbox run` in this folder)"),
    ],
)
def test_recovery_says_what_keeps_it_from_starting(switched_on: str, why: str) -> None:
    given = {"CONTEXTS": switched_on, "DATABASE_URL": "postgresql://127.0.0.1:1/none", "GATEWAY_URL": ""}
    ended = CliRunner(env=given).invoke(main, ["recover"])
    assert (ended.exit_code, ended.output) == (2, f"Error: {why}\n")


@pytest.mark.parametrize("only", [(), ("--only", "funds")])
def test_where_people_ask_no_api_starts_without_the_key_that_names_them_in_its_lines(
    only: tuple[str, ...], tmp_path: Path
) -> None:
    given = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(Path(__file__).parents[2]),
        "DATABASE_URL": "postgresql://127.0.0.1:1/none",
        "API_KEYS": "a",
        "GATEWAY_URL": "http://127.0.0.1:1",
        "JWT_KEYS": "keys.json",
        "WEBHOOK_KEY": "the-key-of-no-webhook-at-all",
    }
    command = [sys.executable, "-m", "app", "api", *only]
    ended = subprocess.run(command, env=given, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stderr) == (2, "Error: LOG_HASH_KEY is not set\n")


def groups(group: click.Group, words: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """The words that lead to each group."""
    yield words
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from groups(command, (*words, name))


@pytest.mark.parametrize("words", [*groups(main)])
def test_a_list_of_commands_fits_a_terminal_and_cuts_no_sentence_off(words: tuple[str, ...]) -> None:
    said = CliRunner().invoke(main, [*words, "--help"], terminal_width=100).output
    listed = said.partition("Commands:")[2].splitlines()
    assert len(listed) > 1
    assert [line for line in listed if len(line) > 100 or line.endswith("...")] == []


def test_a_group_with_two_spellings_is_listed_once() -> None:
    said = CliRunner().invoke(main, ["--help"]).output
    names = re.findall(r"^  ([a-z]+)  ", said.partition("Commands:")[2], re.MULTILINE)
    assert {"payment", "wallet"} <= set(names)
    assert {"payments", "wallets"} & set(names) == set()


def test_what_is_too_wide_for_a_terminal_goes_on_below(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(terminal, "columns", lambda: 30)
    assert terminal.table(("NAME", "COUNT", "REASON"), [("a", 1, "x" * 20), ("bb", 22, None)]) == (
        f"NAME  COUNT\n    REASON\na         1\n    {'x' * 20}\nbb       22\n    -"
    )
    monkeypatch.setattr(terminal, "columns", lambda: 100)
    assert terminal.table(("NAME", "COUNT"), [("a", 1)]) == "NAME  COUNT\na         1"


def test_a_line_that_is_too_long_goes_on_where_its_last_column_begins(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for limit, printed in ((20, "api   ok  what was\n          seen\n"), (None, "api   ok  what was seen\n")):
        monkeypatch.setattr(terminal, "columns", lambda limit=limit: limit)
        terminal.show("api   ok  what was seen")
        assert capsys.readouterr().out == printed


@pytest.mark.parametrize(("shell", "word"), [("bash", "complete "), ("zsh", "compdef"), ("fish", "complete ")])
def test_every_shell_gets_its_completion(shell: str, word: str) -> None:
    ended = CliRunner().invoke(main, ["completion", shell])
    assert ended.exit_code == 0
    assert "_STRONGBOX_COMPLETE" in ended.output
    assert word in ended.output


@pytest.mark.parametrize(
    ("typed", "beginning", "completed"),
    [
        ("dlq", "re", ["redrive"]),
        ("dlq redrive --queue", "", ["metrics.queue", "audit.queue", "mint.queue", "rewards.queue", "webhooks.queue"]),
        ("outbox replay", "--to-", ["--to-queue"]),
        ("outbox replay --to-queue", "a", ["audit.queue"]),
    ],
)
def test_commands_options_and_queues_are_completed(typed: str, beginning: str, completed: list[str]) -> None:
    found = ShellComplete(main, {}, "strongbox", "_STRONGBOX_COMPLETE").get_completions(typed.split(), beginning)
    assert [item.value for item in found] == completed


def test_tables_are_aligned_and_safe_on_a_terminal() -> None:
    assert table(("NAME", "COUNT"), [("a", 1), ("b\x1b[2J\n", 200)]) == "NAME    COUNT\na           1\nb·[2J·    200"
    assert table(("NAME",), []) == "NAME"
    assert cell({"a": 1, "b": None, "c": "\x07"}) == "a=1 c=·"
    assert [ago(seconds) for seconds in (0.04, 59, 125, 7_300, 200_000)] == ["0.0 s", "59 s", "2 min", "2 h", "2 d"]
