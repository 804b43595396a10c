"""How sure what is read may be."""

import numpy as np
import pytest

from banditroute.prompts.reader import PromptReader
from banditroute.prompts.weights import shipped_weights

TEXTS = ("translate this into french: good morning", "why is the sky blue", "¿cuánto es 3 por 4?", "x", "q" * 2_000, "")


def reader(*sureness: float) -> PromptReader:
    return PromptReader(shipped_weights()._replace(sureness=np.array(sureness, dtype=np.float32)))


@pytest.mark.parametrize("text", TEXTS)
def test_sureness_changes_no_class(text: str) -> None:
    flat, sharp = (reader(constant, 0.0, 0.0).read_text(text).probabilities for constant in (-0.5, 0.5))
    assert flat.argmax() == sharp.argmax()
    assert flat.max() < sharp.max()


def test_rare_words_and_length_change_it_as_the_weights_say() -> None:
    text = TEXTS[0]
    rarity, size = reader(0.0, 0.0, 0.0).read_text(text).vector.rarity
    plain = reader(0.5, 0.0, 0.0).read_text(text).probabilities
    np.testing.assert_allclose(reader(0.0, 0.5 / rarity, 0.0).read_text(text).probabilities, plain, rtol=1e-4)
    np.testing.assert_allclose(reader(0.0, 0.0, 0.5 / size).read_text(text).probabilities, plain, rtol=1e-4)


def test_no_text_is_beyond_all_bounds_sure() -> None:
    bounded = reader(0.7, 0.0, 0.0).read_text(TEXTS[0]).probabilities
    np.testing.assert_allclose(reader(50.0, 0.0, 0.0).read_text(TEXTS[0]).probabilities, bounded, rtol=1e-6)


@pytest.mark.parametrize("alphabet", [range(0x4E00, 0x9FFF), range(0x3042, 0x3092), range(0x41, 0x5B)])
def test_there_is_room_for_the_longest_text_whatever_it_is_written_in(alphabet: range) -> None:
    signs = np.random.default_rng(0).choice(list(alphabet), 20_000)
    reading = reader(0.0, 0.0, 0.0).read_text("".join(map(chr, signs)))
    assert reading.vector.buckets.size > 3_000
    assert reading.probabilities.sum() == pytest.approx(1.0)
