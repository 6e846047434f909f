"""The commands in the documents, and a shell to run them in as a reader would."""

import os
import re
import select
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple, Self

ROOT = Path(__file__).parents[3]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
PROMPT = "$ "
AGAIN = re.compile(r"# again\b")
ASKED = re.compile(r"^Password:$", re.MULTILINE)
NOTED = re.compile(r"^(client_id|client_secret) +(\S+)$", re.MULTILINE)
MASKS = (
    (re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"), "<id>"),
    (re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?(Z| UTC)"), "<time>"),
    (re.compile(r"\b[0-9a-f]{32}\b"), "<hex>"),
    (re.compile("Unprocessable (Entity|Content)"), "<422>"),  # the new name is RFC 9110's, and Python's since 3.13
    (re.compile(r"\s+"), ""),
)


class Block(NamedTuple):
    """A fenced block: where it stands, in which language, what is in it."""

    page: str
    line: int
    language: str
    text: str

    @property
    def is_run(self) -> bool:
        """Whether a reader might type it."""
        typed = self.language in ("sh", "bash", "shell", "console", "http", "sql", "python")
        return typed or self.text.startswith(PROMPT) or f"\n{PROMPT}" in self.text

    def commands(self) -> Iterator[tuple[str, str]]:
        """What is typed, and the output that is shown for it; a script is one command that shows nothing."""
        if not self.text.startswith(PROMPT):
            yield self.text, ""
            return
        for part in re.split(r"^\$ ", self.text, flags=re.MULTILINE)[1:]:
            lines = part.splitlines()
            typed = next(nth for nth, line in enumerate(lines, 1) if not line.endswith("\\"))
            yield "\n".join(lines[:typed]), "\n".join(lines[typed:])


def blocks(page: Path) -> Iterator[Block]:
    """The blocks of a page that a reader might type."""
    text = page.read_text()
    for fence in re.finditer(r"^( *)```(\w*)\n(.*?)^\1```$", text, re.DOTALL | re.MULTILINE):
        line = text.count("\n", 0, fence.start()) + 1
        block = Block(str(page.relative_to(ROOT)), line, fence[2], fence[3])
        if block.is_run:
            yield block


def missing(shown: str, printed: str) -> str | None:
    """The first piece of what is shown that was not printed, in its place; None when all was.

    A line is a piece, `…` in it divides it. Between pieces there may be more. White space, ids and times do not count.
    """
    rest = _masked(printed)
    for piece in re.split(r"…|\n", shown):
        before, found, rest = rest.partition(_masked(piece)) if piece.strip() else ("", "", rest)
        if piece.strip() and not found:
            return f"{piece!r}, looked for in {before!r}"
    return None


def _masked(text: str) -> str:
    for pattern, mask in MASKS:
        text = pattern.sub(mask, text)
    return text


class Shell:
    """A terminal in a folder, for one page from its top to its end. `ports` stand for those that the page names."""

    def __init__(self, folder: Path, environment: Mapping[str, str], ports: Mapping[str, int]) -> None:
        self._folder = folder
        self._ports = {name: str(port) for name, port in ports.items()}
        self._bash = subprocess.Popen(
            ["bash", "--noprofile", "--norc"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            cwd=folder, env=environment, start_new_session=True,
        )  # fmt: skip

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        os.killpg(self._bash.pid, signal.SIGKILL)  # with what it has started
        self._bash.communicate()

    def type(self, command: str, limit_s: float = 300, asked: bool = False) -> tuple[int | None, str]:
        """Exit code and output of a command; None when it ended the shell, as a script does that fails half-way.

        A command that is `asked` has a terminal, where a password is typed whenever it asks.
        """
        (self._folder / "typed").write_text(self._renamed(command, self._ports))
        strict = "set -e" if "\n" in command else "set +e"
        assert self._bash.stdin
        run = "python tests/system/e2e/terminal.py bash ./typed < /dev/null" if asked else ". ./typed"
        self._bash.stdin.write(f"{strict}; {run} > printed 2>&1; echo $?\n".encode())
        self._bash.stdin.flush()
        code = self._line(limit_s)
        printed = (self._folder / "printed").read_text(errors="replace")
        return code, self._renamed(printed, {port: name for name, port in self._ports.items()})

    def _line(self, limit_s: float) -> int | None:
        assert self._bash.stdout
        ready, _, _ = select.select([self._bash.stdout], [], [], limit_s)
        assert ready, f"it took more than {limit_s:g} s"
        said = self._bash.stdout.readline()
        return int(said) if said else None

    @staticmethod
    def _renamed(text: str, names: Mapping[str, str]) -> str:
        return re.sub(r"\b\d{4,5}\b", lambda found: names.get(found[0], found[0]), text)


def follow(block: Block, shell: Shell, limit_s: float = 180) -> None:
    """Type a block as its reader would, and compare what is printed with what it shows.

    A command with the comment `# again, …` is repeated until it prints what is shown. One that shows `Password:` is
    given one. A machine's id and secret are noted as CLIENT_ID and CLIENT_SECRET.
    """
    for command, shown in block.commands():
        deadline = time.monotonic() + limit_s
        while True:
            code, printed = shell.type(command, asked=ASKED.search(shown) is not None)
            lacks = missing(shown, printed)
            if lacks is None or not AGAIN.search(command) or time.monotonic() > deadline:
                break
            time.sleep(0.2)
        where = f"{block.page}:{block.line}: {command.strip()}\nprinted:\n{printed}"
        assert lacks is None, f"{where}\nlacks: {lacks}"
        assert code is not None, f"{where}\nfailed"
        assert code == 0 or shown, f"{where}\nexit code {code}"
        for name, value in NOTED.findall(printed):
            shell.type(f"{name.upper()}='{value}'")
