"""An error with a code: what such classes have in common."""

import inspect
import re
from collections.abc import Mapping
from typing import Any, ClassVar
from uuid import UUID

import msgspec
from msgspec import Struct

from strongbox_client.errors import ApiError
from strongbox_client.values import converted


class Coded(ApiError):
    """An error with a code that this version knows: the name of its class, and the status of all answers with it."""

    CODE: ClassVar[str]
    _attributes: ClassVar[type[Struct]]

    def __init_subclass__(cls, status: int) -> None:
        cls.CODE = re.sub(r"(?<!^)(?=[A-Z])", "_", cls.__name__).upper()
        cls.http_status = status
        own = inspect.get_annotations(cls)
        # A default is the class's own attribute, and stays so where an answer leaves the member out.
        fields = [(name, kind, vars(cls)[name]) if name in vars(cls) else (name, kind) for name, kind in own.items()]
        cls._attributes = msgspec.defstruct(cls.__name__, fields)

    def __init__(self, message: str, details: Mapping[str, Any], request_id: str | None = None) -> None:
        super().__init__(self.http_status, self.CODE, message, details, request_id)
        for name, value in msgspec.structs.asdict(converted(details, self._attributes)).items():
            setattr(self, name, value)


class Shortage(Struct, frozen=True):
    """What of a product there is, where more was wanted."""

    product_id: UUID
    available: int


class BulkFault(Struct, frozen=True):
    """What a line of a bulk would be refused for, by its place from 0 on."""

    index: int
    code: str
