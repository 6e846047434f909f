"""What the consumer kit refuses: names, bindings, and data of another shape."""

from collections.abc import Sequence
from typing import Literal
from uuid import UUID, uuid4

import msgspec
import pytest

from consumers.examples import spending
from consumers.kit import Malformed, consume
from consumers.kit.messages import event
from tests.integration.outbox_fixtures import document


class Payment(msgspec.Struct):
    status: Literal["APPROVED", "DECLINED"]
    amount: int


@pytest.mark.parametrize(
    ("name", "bindings", "message"),
    [
        ("Spending", ["payment.*"], "'Spending' is not a consumer's name"),
        ("audit", ["payment.*"], "audit.queue has its consumer"),
        ("mine", [], "mine.queue needs the bindings"),
        ("mine", ["payment.#"], "'payment.#' is not a binding"),
        ("mine", "payment.*", "mine.queue needs the bindings"),
    ],
)
def test_a_wrong_name_or_binding_is_refused(name: str, bindings: Sequence[str], message: str) -> None:
    with pytest.raises(ValueError, match="^" + message.replace("*", r"\*").replace(".", r"\.")):
        consume(name, bindings, spending.add, inbox="x")


@pytest.mark.parametrize(
    ("data", "shape", "reason"),
    [
        (b"{}", Payment, "data: Object missing required field `status`"),
        (b'{"status": "a secret", "amount": 1}', Payment, "data: Invalid enum value … - at `$.status`"),
        (b'{"status": "APPROVED", "amount": "secret"}', Payment, "data: Expected `int`, got `str` - at `$.amount`"),
        (b"[]", dict, "data: Expected `object`, got `array`"),
        (b"null", UUID, "data: Expected `uuid`, got `null`"),
    ],
)
def test_data_of_another_shape_is_malformed_and_not_quoted(data: bytes, shape: type[object], reason: str) -> None:
    found = event(document(uuid4()))
    with pytest.raises(Malformed) as told:
        msgspec.structs.replace(found, data=msgspec.Raw(data)).data_as(shape)
    assert str(told.value) == reason
