from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class MintStatus(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    MINT_STATUS_UNSPECIFIED: _ClassVar[MintStatus]
    SIGNED: _ClassVar[MintStatus]
    BROADCAST: _ClassVar[MintStatus]
    MINED: _ClassVar[MintStatus]
    CONFIRMED: _ClassVar[MintStatus]
    FAILED: _ClassVar[MintStatus]
MINT_STATUS_UNSPECIFIED: MintStatus
SIGNED: MintStatus
BROADCAST: MintStatus
MINED: MintStatus
CONFIRMED: MintStatus
FAILED: MintStatus

class MintTokenRequest(_message.Message):
    __slots__ = ("request_id", "to", "amount")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    TO_FIELD_NUMBER: _ClassVar[int]
    AMOUNT_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    to: str
    amount: bytes
    def __init__(self, request_id: _Optional[str] = ..., to: _Optional[str] = ..., amount: _Optional[bytes] = ...) -> None: ...

class MintTokenResponse(_message.Message):
    __slots__ = ("tx_hash", "status")
    TX_HASH_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    tx_hash: str
    status: MintStatus
    def __init__(self, tx_hash: _Optional[str] = ..., status: _Optional[_Union[MintStatus, str]] = ...) -> None: ...

class GetMintRequest(_message.Message):
    __slots__ = ("request_id",)
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    def __init__(self, request_id: _Optional[str] = ...) -> None: ...

class GetMintResponse(_message.Message):
    __slots__ = ("tx_hash", "status", "to", "amount", "failure")
    TX_HASH_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    TO_FIELD_NUMBER: _ClassVar[int]
    AMOUNT_FIELD_NUMBER: _ClassVar[int]
    FAILURE_FIELD_NUMBER: _ClassVar[int]
    tx_hash: str
    status: MintStatus
    to: str
    amount: bytes
    failure: str
    def __init__(self, tx_hash: _Optional[str] = ..., status: _Optional[_Union[MintStatus, str]] = ..., to: _Optional[str] = ..., amount: _Optional[bytes] = ..., failure: _Optional[str] = ...) -> None: ...

class MintTokensRequest(_message.Message):
    __slots__ = ("mints",)
    MINTS_FIELD_NUMBER: _ClassVar[int]
    mints: _containers.RepeatedCompositeFieldContainer[MintTokenRequest]
    def __init__(self, mints: _Optional[_Iterable[_Union[MintTokenRequest, _Mapping]]] = ...) -> None: ...

class MintTokensResponse(_message.Message):
    __slots__ = ("outcomes",)
    class Outcome(_message.Message):
        __slots__ = ("code", "why", "mint")
        CODE_FIELD_NUMBER: _ClassVar[int]
        WHY_FIELD_NUMBER: _ClassVar[int]
        MINT_FIELD_NUMBER: _ClassVar[int]
        code: int
        why: str
        mint: MintTokenResponse
        def __init__(self, code: _Optional[int] = ..., why: _Optional[str] = ..., mint: _Optional[_Union[MintTokenResponse, _Mapping]] = ...) -> None: ...
    OUTCOMES_FIELD_NUMBER: _ClassVar[int]
    outcomes: _containers.RepeatedCompositeFieldContainer[MintTokensResponse.Outcome]
    def __init__(self, outcomes: _Optional[_Iterable[_Union[MintTokensResponse.Outcome, _Mapping]]] = ...) -> None: ...

class GetMintsRequest(_message.Message):
    __slots__ = ("request_ids",)
    REQUEST_IDS_FIELD_NUMBER: _ClassVar[int]
    request_ids: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, request_ids: _Optional[_Iterable[str]] = ...) -> None: ...

class GetMintsResponse(_message.Message):
    __slots__ = ("outcomes",)
    class Outcome(_message.Message):
        __slots__ = ("code", "why", "mint")
        CODE_FIELD_NUMBER: _ClassVar[int]
        WHY_FIELD_NUMBER: _ClassVar[int]
        MINT_FIELD_NUMBER: _ClassVar[int]
        code: int
        why: str
        mint: GetMintResponse
        def __init__(self, code: _Optional[int] = ..., why: _Optional[str] = ..., mint: _Optional[_Union[GetMintResponse, _Mapping]] = ...) -> None: ...
    OUTCOMES_FIELD_NUMBER: _ClassVar[int]
    outcomes: _containers.RepeatedCompositeFieldContainer[GetMintsResponse.Outcome]
    def __init__(self, outcomes: _Optional[_Iterable[_Union[GetMintsResponse.Outcome, _Mapping]]] = ...) -> None: ...

class GetBalanceRequest(_message.Message):
    __slots__ = ("address",)
    ADDRESS_FIELD_NUMBER: _ClassVar[int]
    address: str
    def __init__(self, address: _Optional[str] = ...) -> None: ...

class GetBalanceResponse(_message.Message):
    __slots__ = ("amount",)
    AMOUNT_FIELD_NUMBER: _ClassVar[int]
    amount: bytes
    def __init__(self, amount: _Optional[bytes] = ...) -> None: ...
