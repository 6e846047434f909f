"""What a process reads nothing of in Redis: what it has deleted, until Redis has confirmed that."""

from app.platform.cache.in_process import Place
from app.platform.cache.unconfirmed import Unconfirmed

ONE: Place = (1, "product:1")
OTHER: Place = (2, "product:2")


def test_it_is_so_until_its_newest_deletion_is_confirmed() -> None:
    unconfirmed = Unconfirmed()
    older, newer = unconfirmed.begin([ONE, OTHER]), unconfirmed.begin([ONE])
    unconfirmed.confirm([ONE, OTHER], older)
    assert (ONE in unconfirmed, OTHER in unconfirmed, len(unconfirmed)) == (True, False, 1)
    unconfirmed.confirm([ONE], newer)
    assert not unconfirmed


def test_where_there_are_too_many_all_of_their_tenants_is_until_a_deletion_of_all_of_it_is_confirmed() -> None:
    unconfirmed = Unconfirmed(most=2)
    unconfirmed.begin([(1, f"product:{n}") for n in range(3)])
    assert (ONE in unconfirmed, (1, "another") in unconfirmed, OTHER in unconfirmed) == (True, True, False)
    number, places, tenants = unconfirmed.left(10)
    assert (places, tenants) == ([], [1])
    unconfirmed.begin([(1, f"product:{n}") for n in range(3)])
    unconfirmed.confirm_tenant(1, number)
    assert ONE in unconfirmed
    number, _, _ = unconfirmed.left(10)
    unconfirmed.confirm_tenant(1, number)
    assert not unconfirmed
