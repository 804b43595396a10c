"""Imports that stay are not looked through again, and garbage is looked for as before."""

import gc
import importlib
from collections.abc import Iterator

import pytest

from banditroute.cli.staying import made_to_stay


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    yield
    gc.unfreeze()


def test_what_was_made_inside_is_kept_and_what_comes_later_is_looked_through() -> None:
    with made_to_stay():
        inside = [object()]
    later = [object()]
    looked_through = {id(each) for each in gc.get_objects()}
    assert gc.get_freeze_count() > 0
    assert id(later) in looked_through
    assert id(inside) not in looked_through


def test_garbage_is_looked_for_as_before_after_an_error_too() -> None:
    before = gc.get_threshold()
    with pytest.raises(ModuleNotFoundError), made_to_stay():
        importlib.import_module("no_such_module")
    assert gc.get_threshold() == before


def test_it_is_looked_for_more_rarely_inside() -> None:
    before = gc.get_threshold()
    with made_to_stay():
        assert gc.get_threshold() > before
