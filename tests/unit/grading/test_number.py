"""Numbers as they are written, and the one that an answer comes to."""

import pytest

from banditroute.errors import ConfigError
from banditroute.grading.number import NumericMatch, last_number
from banditroute.grading.quantities import quantities


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("1,234,567.5", [1_234_567.5]),
        ("12\u202f345", [12_345.0]),
        ("3,5 Liter", [3.5]),
        ("the primes 2,3,5", [2.0, 3.0, 5.0]),
        ("from 10-20", [10.0, 20.0]),
        ("-7 and −8 and +9", [-7.0, -8.0, 9.0]),
        ("-$5", [-5.0]),
        (".5", [0.5]),
        ("6.02e23", [6.02e23]),
        (r"\frac{3}{4} or \dfrac{1}{8}", [0.75, 0.125]),
        ("1 3/4", [1.75]),
        ("x2 and v3 are names", []),
        ("4/0", []),
        ("答案是5", [5.0]),
        ("٤٢", [42.0]),
    ],
)
def test_numbers_of_a_text(text: str, values: list[float]) -> None:
    assert [quantity.value for quantity in quantities(text)] == values


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (r"\boxed{3}, no: \boxed{\frac{3}{4}}, for 9 is wrong", 0.75),
        (r"\boxed{ 1,000 } of 5", 1000.0),
        ("#### 18\nThat is 2 more.", 18.0),
        (r"\boxed{none} so 3", 3.0),
        (r"\boxed{3", 3.0),
        ("7 " + "x" * 10_000_000 + " 8", 8.0),
    ],
)
def test_the_number_that_an_answer_comes_to(text: str, value: float) -> None:
    found = last_number(text)
    assert found is not None
    assert found.value == value


def test_percent_is_kept_beside_the_number() -> None:
    assert last_number(r"12 \%") == (12.0, True)


@pytest.mark.parametrize("options", [{"relative": -0.1}, {"absolute": -1.0}, {"expected": "many"}])
def test_what_could_never_grade_is_refused(options: dict[str, float]) -> None:
    with pytest.raises(ConfigError, match=next(iter(options))):
        NumericMatch(**options)
