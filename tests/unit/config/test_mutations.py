"""Whatever a file says, the answer is a configuration or problems of one line each; never anything else."""

import copy
import tomllib
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from banditroute.config.file import TABLES
from banditroute.config.full import full_toml
from banditroute.config.loading import check_config
from banditroute.config.writing import toml_value

FULL = tomllib.loads(full_toml())
KEYS = sorted({key for table in TABLES.values() for key in table.spelt()})

text = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r"), max_size=8)
scalars = st.none() | st.booleans() | st.integers(-5, 2**40) | st.floats() | text | st.sampled_from(KEYS)
values = st.recursive(
    scalars.filter(lambda value: value is not None),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from([*KEYS, "other"]), inner, max_size=2),
    max_leaves=4,
)


def places(data: Any, here: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    return [here, *(place for key, value in inner for place in places(value, (*here, key)))]


PLACES = [place for place in places(FULL) if place]


def mutated(place: tuple[Any, ...], value: Any) -> dict[str, Any]:
    """The full file with another value at a place; None takes the key out."""
    data = copy.deepcopy(FULL)
    around: Any = data
    for part in place[:-1]:
        around = around[part]
    if value is None:
        del around[place[-1]]
    else:
        around[place[-1]] = value
    return data


@settings(max_examples=150, deadline=None)
@given(place=st.sampled_from(PLACES), value=st.none() | values)
def test_a_file_with_anything_anywhere(tmp_path_factory: Any, place: tuple[Any, ...], value: Any) -> None:
    file = Path(tmp_path_factory.getbasetemp()) / "mutated.toml"
    data = mutated(place, value)
    file.write_text("".join(f"{key} = {toml_value(each)}\n" for key, each in data.items()), newline="")
    config, problems = check_config(file)
    assert (config is None) == bool(problems)
    for problem in problems:
        assert str(problem).startswith(f"{file}")
        assert len(str(problem).splitlines()) == 1, str(problem)
        assert problem.problem
