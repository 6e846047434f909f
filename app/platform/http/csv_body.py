"""A body that is CSV: it is not looked at here, and may be large."""

from collections.abc import Sequence


class CsvBody:
    """A body of `text/csv` in UTF-8, of up to so many bytes, as it came; without one it is empty."""

    members: Sequence[str] = ()
    """It has none that could be named."""

    def __init__(self, most_bytes: int, example: str) -> None:
        self.most_bytes = most_bytes
        self.example = example
