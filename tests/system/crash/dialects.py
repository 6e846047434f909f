"""What clients say, read off the wire: each dialect takes the bytes as they come and tells the words in them."""

import re
import struct
from typing import Protocol


class Dialect(Protocol):
    """The words that a client's next bytes complete."""

    def __call__(self, chunk: bytes) -> list[str]: ...


_METHODS = {(60, 40): "publish", (60, 80): "ack"}


class Http:
    """`POST /charges`, as the request line has it."""

    def __call__(self, chunk: bytes) -> list[str]:
        return [b" ".join(line).decode() for line in re.findall(rb"([A-Z]+) (\S+) HTTP/1\.1\r\n", chunk)]


class Amqp:
    """`publish` and `ack`, and the numbers of any other method."""

    def __init__(self) -> None:
        self._left = b""
        self._greeted = False

    def __call__(self, chunk: bytes) -> list[str]:
        self._left += chunk
        if not self._greeted and len(self._left) >= 8:
            self._greeted, self._left = True, self._left[8:]
        words = []
        while self._greeted and len(self._left) >= 7:
            kind, _, size = struct.unpack_from(">BHI", self._left)
            if len(self._left) < size + 8:
                break
            if kind == 1:
                method = struct.unpack_from(">HH", self._left, 7)
                words.append(_METHODS.get(method, str(method)))
            self._left = self._left[size + 8 :]
        return words


class Postgres:
    """`strongbox-reserve: COMMIT`: the session's application name, and each statement as it is executed; `copied`
    where all lines of a COPY are sent."""

    def __init__(self) -> None:
        self._left = b""
        self._name = ""
        self._has_started = False
        self._statements: dict[bytes, str] = {}

    def __call__(self, chunk: bytes) -> list[str]:
        self._left += chunk
        words = []
        while (message := self._next()) is not None:
            kind, body = message
            match kind:
                case b"":
                    self._start(body)
                case b"P":
                    statement, query, _ = body.split(b"\0", 2)
                    self._statements[statement] = query.decode()
                case b"B":
                    statement = body.split(b"\0", 2)[1]
                    words.append(f"{self._name}: {self._statements.get(statement, '')}")
                case b"Q":
                    words.append(f"{self._name}: {body[:-1].decode()}")
                case b"c":
                    words.append(f"{self._name}: copied")
        return words

    def _next(self) -> tuple[bytes, bytes] | None:
        kind = 1 if self._has_started else 0  # the first message has no letter in front
        if len(self._left) < kind + 4:
            return None
        end = kind + struct.unpack_from(">I", self._left, kind)[0]
        if len(self._left) < end:
            return None
        message = self._left[:kind], self._left[kind + 4 : end]
        self._left = self._left[end:]
        return message

    def _start(self, body: bytes) -> None:
        if body[:4] != b"\0\3\0\0":
            return  # a request for encryption, before the session starts, or for a cancellation
        self._has_started = True
        fields = body[4:].split(b"\0")
        self._name = dict(zip(fields[::2], fields[1::2], strict=False)).get(b"application_name", b"").decode()
