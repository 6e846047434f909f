"""What a connection has received and nobody has parsed yet, given out in pieces that none is of two requests."""

_EMPTY_LINE = b"\r\n\r\n"
"""What ends a head, and a body in chunks with its trailers."""
_OVERLAP = len(_EMPTY_LINE) - 1


class Held:
    """Bytes that wait for their turn.

    `head_bytes` counts those of the head that is given out. `body_left` is told, once a head says so: that many more
    bytes are its body.
    """

    __slots__ = ("_at", "_bytes", "body_left", "head_bytes")

    def __init__(self) -> None:
        self._bytes = b""
        self._at = 0
        self.head_bytes = 0
        self.body_left = 0

    @property
    def is_empty(self) -> bool:
        """Whether everything is given out."""
        return self._at == len(self._bytes)

    def add(self, data: bytes) -> None:
        """Hold what came."""
        if self._at and self.is_empty:
            # An end may begin in what is given out already.
            self._bytes = self._bytes[-_OVERLAP:]
            self._at = len(self._bytes)
        self._bytes += data

    def next(self) -> bytes:
        """The next bytes, up to the end of a head, of chunks or of a body, as far as it is there.

        An end is sometimes seen where none is, in the midst of a body in chunks; never too late.
        """
        if self.body_left:
            piece = self._bytes[self._at : self._at + self.body_left]
            self.body_left -= len(piece)
        else:
            found = self._bytes.find(_EMPTY_LINE, max(0, self._at - _OVERLAP))
            piece = self._bytes[self._at :] if found < 0 else self._bytes[self._at : found + len(_EMPTY_LINE)]
            self.head_bytes += len(piece)
        self._at += len(piece)
        return piece

    def begin(self) -> None:
        """A request is given out as a whole, and another begins."""
        self.head_bytes = self.body_left = 0
        if self.is_empty:
            self.clear()

    def clear(self) -> None:
        """Hold nothing."""
        self._bytes = b""
        self._at = 0
