"""The command line itself: wrong words, completion, what is shown."""

import pytest
from click.shell_completion import ShellComplete
from click.testing import CliRunner

from app.main.cli import main
from app.main.terminal import ago, cell, table

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
        ("wallets show abc", "'abc' is not a valid UUID"),
        (f"wallet fund {USER} USD \uff11\uff10_0", "is not a whole number in digits"),
        (f"wallet fund {USER} USD 1_0", "is not a whole number in digits"),
        (f"wallet fund {USER} USD +10", "is not a whole number in digits"),
        (f"wallet fund \uff10{USER[1:]} USD 10", "is not a valid UUID"),
        (f"wallet fund {USER.replace('-', '')[:-2]}_5 USD 10", "is not a valid UUID"),
        (f"provider add Acme --id {{{USER}}}", "is not a valid UUID"),
        ("dlq ls --limit 1_0", "is not a whole number in digits"),
        ("migrate force \u0661", "is not a whole number in digits"),
        ("api --workers \uff12", "is not a whole number in digits"),
        ("verify --offenders 1_0", "is not a whole number in digits"),
        ("completion csh", "'csh' is not one of 'bash', 'zsh', 'fish'"),
    ],
)
def test_wrong_words_are_named(words: str, message: str) -> None:
    ended = CliRunner().invoke(main, words.split())
    assert (ended.exit_code, message in ended.output) == (2, True), ended.output


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
        ("dlq redrive --queue", "", ["metrics.queue", "audit.queue"]),
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
