"""The folder of an export: a file a day, and the manifest, in which a day is once its file is there for good."""

import fcntl
import hashlib
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from datetime import date
from pathlib import Path
from typing import IO, Any, Final, cast

import msgspec
from msgspec import Struct

from app.contexts.funds.adapters.exports.formats import WRITERS, Writer, read_back
from app.contexts.funds.application.export import DayDone, LedgerLine, Tally
from app.contexts.funds.domain.refusals import NoExport

MANIFEST: Final = "manifest.json"
PART: Final = ".part"
_LOCK: Final = ".lock"
_CHUNK_BYTES: Final = 1 << 20


class Manifest(Struct, frozen=True, forbid_unknown_fields=True):
    """What is in the folder. Amounts in minor units, by currency and account."""

    format: str
    days: list[DayDone]
    version: int = 1


class ExportFolder:
    """An export's folder. It implements `Folder` and `WrittenFolder`."""

    def __init__(self, path: Path, format_: str, days: Mapping[date, DayDone]) -> None:
        self._path = path
        self.format = format_
        self._days = dict(days)

    @property
    def days(self) -> Mapping[date, DayDone]:
        """See `Folder.days`."""
        return self._days

    @contextmanager
    def begin(self, day: date) -> Iterator["_NewFile"]:
        """See `Folder.begin`."""
        name = f"{day}.{self.format}"
        part = self._path / f"{name}{PART}"
        with ExitStack() as stack:
            stack.callback(part.unlink, missing_ok=True)  # what is finished has another name by then
            file = _Counted(stack.enter_context(part.open("wb")))
            writer = WRITERS[self.format](cast("IO[bytes]", file))
            stack.callback(writer.close)
            yield _NewFile(self, day, name, file, writer)

    def add(self, done: DayDone) -> None:
        """Put a day that is there for good into the manifest."""
        self._days[done.day] = done
        manifest = Manifest(self.format, [self._days[day] for day in sorted(self._days)])
        text = msgspec.json.format(msgspec.json.encode(manifest), indent=2) + b"\n"
        new = self._path / f"{MANIFEST}{PART}"
        with new.open("wb") as file:
            file.write(text)
            _keep(file)
        self.rename(new, MANIFEST)

    def rename(self, path: Path, name: str) -> None:
        """Give a file that is whole its name, for good."""
        path.replace(self._path / name)
        folder = os.open(self._path, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def stray(self) -> Sequence[str]:
        """See `WrittenFolder.stray`. What has not been finished is none: it is written anew."""
        known = {MANIFEST, _LOCK, *(done.file for done in self._days.values())}
        names = (path.name for path in self._path.iterdir())
        return sorted(name for name in names if name not in known and not name.endswith(PART))

    def digest(self, day: DayDone) -> tuple[int, str] | None:
        """See `WrittenFolder.digest`."""
        digest, size = hashlib.sha256(), 0
        try:
            with (self._path / day.file).open("rb") as file:
                while chunk := file.read(_CHUNK_BYTES):
                    digest.update(chunk)
                    size += len(chunk)
        except FileNotFoundError:
            return None
        return size, digest.hexdigest()

    def lines(self, day: DayDone) -> Iterator[LedgerLine]:
        """See `WrittenFolder.lines`."""
        return read_back(self.format, self._path / day.file)


class _Counted:
    """A file whose bytes are counted and digested as they are written."""

    closed = False

    def __init__(self, file: IO[bytes]) -> None:
        self.file = file
        self.size = 0
        self.digest = hashlib.sha256()

    def write(self, data: Any) -> int:
        self.digest.update(data)
        written = self.file.write(data)
        self.size += written
        return written

    def tell(self) -> int:
        return self.size

    def flush(self) -> None:
        self.file.flush()


class _NewFile:
    """A day's file. It implements `NewFile`."""

    def __init__(self, folder: ExportFolder, day: date, name: str, file: _Counted, writer: Writer) -> None:
        self._folder, self._day, self._name = folder, day, name
        self._file, self._writer = file, writer
        self.add = writer.add

    def finish(self, tally: Tally) -> DayDone:
        """See `NewFile.finish`."""
        self._writer.close()
        _keep(self._file.file)
        self._folder.rename(Path(self._file.file.name), self._name)
        sums = {currency: dict(sorted(of.items())) for currency, of in sorted(tally.sums.items())}
        done = DayDone(
            self._day, self._name, tally.entries, tally.transactions, sums, self._file.size,
            self._file.digest.hexdigest(),
        )  # fmt: skip
        self._folder.add(done)
        return done


@contextmanager
def exporting(path: Path, format_: str) -> Iterator[ExportFolder]:
    """The folder, made if it is not there, for one who writes at a time.

    Raises:
        NoExport: somebody else writes into it, or it holds an export in another format, or something else.
    """
    path.mkdir(parents=True, exist_ok=True)
    with (path / _LOCK).open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise NoExport(f"somebody else exports into {path}") from None
        folder = ExportFolder(path, format_, {})
        with suppress(FileNotFoundError):
            folder = _open(path)
        if folder.format != format_:
            raise NoExport(f"{path} holds an export as {folder.format}, not as {format_}")
        yield folder


def exported(path: Path) -> ExportFolder:
    """The folder as it was written.

    Raises:
        NoExport: there is none.
    """
    try:
        return _open(path)
    except FileNotFoundError:
        raise NoExport(f"there is no {MANIFEST} in {path}") from None


def _open(path: Path) -> ExportFolder:
    try:
        found = msgspec.json.decode((path / MANIFEST).read_bytes(), type=Manifest)
    except msgspec.MsgspecError as error:
        raise NoExport(f"{path / MANIFEST} is no manifest of an export: {error}") from None
    if found.version != 1 or found.format not in WRITERS or any(_is_elsewhere(done.file) for done in found.days):
        raise NoExport(f"{path / MANIFEST} is of another version, or names files that are not in its folder")
    return ExportFolder(path, found.format, {done.day: done for done in found.days})


def _is_elsewhere(name: str) -> bool:
    return Path(name).name != name


def _keep(file: IO[bytes]) -> None:
    """Have the system write down what was written."""
    file.flush()
    os.fsync(file.fileno())
