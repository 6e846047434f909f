"""What the service refuses for a business reason: one class each, its data as attributes, no HTTP."""

from typing import ClassVar


class Refusal(Exception):  # noqa: N818 -- a refusal is an answer, not a fault
    """A request that the rules do not allow. `code` is stable; clients may rely on it."""

    code: ClassVar[str]
