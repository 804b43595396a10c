"""What a text is about."""

import numpy as np
import pytest

from banditroute.prompts.senses import sense_of
from banditroute.prompts.weights import shipped_senses

SENSES = shipped_senses()


def likeness(one: str, other: str) -> float:
    return float(sense_of(one, SENSES).vector @ sense_of(other, SENSES).vector)


@pytest.mark.parametrize(
    ("text", "near", "far"),
    [
        ("a cough and a fever", "headache since monday", "book a flight to Rome"),
        ("knead the dough", "bake the bread", "restart the server"),
        ("refund my order", "the parcel arrived broken", "prune the roses"),
        ("index the database table", "slow sql query", "my puppy barks"),
    ],
)
def test_is_nearer_to_what_is_about_the_same_in_other_words(text: str, near: str, far: str) -> None:
    assert likeness(text, near) > likeness(text, far) + 0.2


def test_has_length_one() -> None:
    assert np.linalg.norm(sense_of("the cat sleeps on the sofa", SENSES).vector) == pytest.approx(1.0, rel=1e-5)


@pytest.mark.parametrize("text", ["", "   ", "xqzvwkjq", "🙂🙂", "你好"])
def test_is_nothing_where_no_word_is_known(text: str) -> None:
    vector, known = sense_of(text, SENSES)
    assert not vector.any()
    assert known == 0.0


def test_neither_order_nor_case_nor_repetition_matters() -> None:
    plain, other = sense_of("the dog chased the cat", SENSES), sense_of("CAT the, the DOG dog dog chased!", SENSES)
    np.testing.assert_allclose(other.vector, plain.vector, atol=1e-5)
    assert other.known == plain.known


def test_says_how_much_of_it_is_known() -> None:
    assert sense_of("garden", SENSES).known == 1.0
    assert sense_of("garden xqzvwkjq", SENSES).known == 0.5
