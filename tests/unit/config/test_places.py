"""Where something stands in a file, by name and by line."""

import tomllib

import pytest

from banditroute.config.places import Place, line_of, named

TEXT = """\
top = 1
"quoted key" = 2
[[models]]   # the first
name = "a"
tools = true
[[models.extra]]
x = 1

[[models]]
name = "b"
[[models.extra]]
x = 1
[[models.extra]]
x = 2
[routing]
explore.dollars = 3
[routing.other]
dollars = 4
"""


@pytest.mark.parametrize(
    ("place", "line"),
    [
        (("top",), 1),
        (("quoted key",), 2),
        (("absent",), None),
        (("models", 0), 3),
        (("models", 0, "tools"), 5),
        (("models", 0, "x"), 3),
        (("models", 0, "extra", 0, "x"), 7),
        (("models", 1, "name"), 10),
        (("models", 1, "extra", 1, "x"), 14),
        (("models", 7, "name"), None),
        (("routing", "explore", "dollars"), 16),
        (("routing", "other", "dollars"), 18),
        (("routing", "absent"), 15),
    ],
)
def test_the_line_of_a_place(place: Place, line: int | None) -> None:
    assert line_of(place, TEXT) == line


@pytest.mark.parametrize(
    ("place", "name"),
    [
        (("top",), "top"),
        (("models", 0, "tools"), '[[models]] "a".tools'),
        (("models", 0), '[[models]] "a"'),
        (("models", 1, "extra", 0, "x"), '[[models]] "b".extra[0].x'),
        (("others", 0, "x"), "others[0].x"),
        (("routing", "a key"), 'routing."a key"'),
    ],
)
def test_the_name_of_a_place(place: Place, name: str) -> None:
    data = tomllib.loads(TEXT) | {"others": [{"name": "two\nlines"}]}
    assert named(place, data) == name
