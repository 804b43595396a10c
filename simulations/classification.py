"""Writes a measured part of docs/tasks.md: how often the shipped classifier is right, how sure it may be, how fast.

Four questions: folds of the public prompts; a human-written source that the training never saw; prompts written for
testing alone; and classes of one's own from five examples each. Draws docs/pictures/tasks.png. Reads
../shared/data/tasks; about five minutes on one core.
"""

from __future__ import annotations

import json
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from banditroute.prompts.classifier import SURE
from banditroute.prompts.shipped import shipped
from banditroute.prompts.weights import FILE
from banditroute.routing.tasks import GENERAL
from marked_page import footnote, write_part
from prompt_model import (
    CLASSES,
    OWN,
    ROOT,
    SHARED,
    Model,
    Prompt,
    folds_of,
    held_out_prompts,
    labels_of,
    own_prompts,
    shared_prompts,
)

PICTURE = ROOT / "docs" / "pictures" / "tasks.png"
HUMAN = ("arena_hard_v2", "vicuna_bench", "belle_eval")
PLAIN = (0.33, 0.78, 0.27)
"""What a plain TF-IDF model gets on them."""

Floats = NDArray[np.float64]


class Scored(NamedTuple):
    """Prompts and what the classifier says of them: probabilities (n, C) and labels (n,)."""

    prompts: Sequence[Prompt]
    likely: Floats
    labels: NDArray[np.int64]

    @property
    def right(self) -> NDArray[np.bool_]:
        """Where the likeliest class is the label."""
        return self.likely.argmax(1) == self.labels

    @property
    def named(self) -> NDArray[np.bool_]:
        """Where the likeliest class is likely enough to be taken for the task."""
        return self.likely.max(1) >= SURE

    @property
    def accuracy(self) -> float:
        """The share."""
        return float(self.right.mean())


def main() -> None:
    """Measures, draws and writes."""
    if not SHARED.is_file():
        sys.exit(f"no labelled prompts at {SHARED}; nothing was written")
    started = time.perf_counter()
    public, own = shared_prompts(), own_prompts()
    held = _scored(held_out_prompts())
    parts = [
        _accuracies(public, own, held),
        _training_set(public, own, held),
        _languages(held),
        _confusion(held),
        _own_classes(),
        _speed(),
        f"{footnote(started, __file__)}; the weights are made by `python simulations/train_classifier.py`.",
    ]
    _draw(held)
    text = "\n\n".join(parts)
    write_part("tasks.md", "measured", text)
    sys.stdout.write(text + "\n")


def _five_folds(public: list[Prompt], own: list[Prompt]) -> float:
    """Mean accuracy on folds of the public prompts, trained on the other four and on the project's own."""
    folds = folds_of(len(public))
    scores: list[float] = []
    for fold in range(5):
        taught = [prompt for prompt, of in zip(public, folds, strict=True) if of != fold]
        asked = [prompt for prompt, of in zip(public, folds, strict=True) if of == fold]
        scores.append(_accuracy([*taught, *own], asked))
    return float(np.mean(scores))


def _without(source: str, public: list[Prompt], own: list[Prompt]) -> float:
    """Accuracy on a source that the training never saw."""
    taught = [prompt for prompt in public if prompt.source != source]
    return _accuracy([*taught, *own], [prompt for prompt in public if prompt.source == source])


def _accuracy(taught: list[Prompt], asked: list[Prompt]) -> float:
    logits = Model.of(taught).logits([prompt.text for prompt in asked])
    return float((logits.argmax(1) == labels_of(asked)).mean())


def _scored(prompts: list[Prompt]) -> Scored:
    """What the shipped weights say."""
    reader = shipped().reader
    likely = np.array([reader.read_text(prompt.text).probabilities for prompt in prompts])
    return Scored(prompts, likely, labels_of(prompts))


def _accuracies(public: list[Prompt], own: list[Prompt], held: Scored) -> str:
    folds, human = _five_folds(public, own), [_without(source, public, own) for source in HUMAN]
    sources = ", ".join(f"{name} {100 * found:.0f}" for name, found in zip(HUMAN, human, strict=True))
    plain = ", ".join(f"{100 * found:.0f}" for found in PLAIN)
    return "\n".join(
        (
            "| what is asked | accuracy | bar |",
            "|---|---|---|",
            f"| five folds of {len(public):,} public prompts | {folds:.3f} | .92 (plain TF-IDF .90) |",
            f"| a human-written source never trained on, mean of three ({sources}) | {np.mean(human):.3f} | .65 "
            f"(plain TF-IDF {plain}: {np.mean(PLAIN):.2f}) |",
            f"| {len(held.prompts)} prompts written for testing, ten languages | {held.accuracy:.3f} | .85 |",
            f"| the same: expected calibration error | {_calibration_error(held):.3f} | .05 |",
        )
    )


def _training_set(public: list[Prompt], own: list[Prompt], held: Scored) -> str:
    phrases = sum(prompt.source == "cues" for prompt in own)
    return (
        f"The training set: {len(public):,} public prompts, {len(own) - phrases:,} of the project's own and "
        f"{phrases:,} phrases by which people say what they want. Of the held-out prompts {held.named.mean():.1%} get "
        f"a named class, of which {held.right[held.named].mean():.1%} are right; the others are `{GENERAL}`."
    )


def _calibration_error(held: Scored, bins: int = 10) -> float:
    """Expected calibration error (Naeini et al. 2015): mean gap of stated and true accuracy over equal bins."""
    stated = held.likely.max(1)
    of = np.minimum((stated * bins).astype(int), bins - 1)
    gaps = [abs(stated[of == b].mean() - held.right[of == b].mean()) * (of == b).mean() for b in np.unique(of)]
    return float(np.sum(gaps))


def _languages(held: Scored) -> str:
    by: dict[str, list[bool]] = defaultdict(list)
    unsure: dict[str, list[bool]] = defaultdict(list)
    for prompt, right, named in zip(held.prompts, held.right, held.named, strict=True):
        by[prompt.lang].append(bool(right))
        unsure[prompt.lang].append(not named)
    names = sorted(by, key=lambda name: -len(by[name]))
    return "\n".join(
        (
            "| language | " + " | ".join(names) + " |",
            "|---|" + "---|" * len(names),
            "| held-out prompts | " + " | ".join(str(len(by[name])) for name in names) + " |",
            "| right | " + " | ".join(f"{np.mean(by[name]):.0%}" for name in names) + " |",
            f"| `{GENERAL}` | " + " | ".join(f"{np.mean(unsure[name]):.0%}" for name in names) + " |",
        )
    )


def _confusion(held: Scored) -> str:
    counts = _counts(held)
    lines = [
        "Confusion on the held-out prompts (rows: what they are; columns: what they are taken for):",
        "",
        "| | " + " | ".join(CLASSES) + " |",
        "|---|" + "---|" * len(CLASSES),
    ]
    for name, row in zip(CLASSES, counts, strict=True):
        lines.append(f"| **{name}** | " + " | ".join(str(count) if count else "" for count in row) + " |")
    return "\n".join([*lines, "", "![Confusion and calibration on the held-out prompts](pictures/tasks.png)"])


def _counts(held: Scored) -> NDArray[np.int64]:
    counts = np.zeros((len(CLASSES), len(CLASSES)), dtype=np.int64)
    np.add.at(counts, (held.labels, held.likely.argmax(1)), 1)
    return counts


def _own_classes() -> str:
    rows = [json.loads(line) for line in (OWN / "own_classes.jsonl").read_text(encoding="utf-8").splitlines()]
    examples: dict[str, list[str]] = defaultdict(list)
    for row in rows:
        if row["split"] == "example":
            examples[row["class"]].append(row["text"])
    reader, classifier, _ = shipped(examples)

    def likeliest(text: str, first: int = 0) -> str:
        """The likeliest class of those from the first on: from len(CLASSES) on they are the own ones."""
        likely = classifier.probabilities(reader.read_text(text))
        return classifier.classes[first + int(likely[first:].argmax())]

    tests = [row for row in rows if row["split"] == "test"]
    right = [likeliest(row["text"]) == row["class"] for row in tests]
    among = np.mean([likeliest(row["text"], len(CLASSES)) == row["class"] for row in tests])
    by = {name: np.mean([r for r, row in zip(right, tests, strict=True) if row["class"] == name]) for name in examples}
    kept = np.mean([likeliest(prompt.text) == prompt.task for prompt in held_out_prompts()])
    each = ", ".join(f"{name} {share:.0%}" for name, share in by.items())
    return (
        f"Six made-up classes with five examples each, beside the shipped nine: {np.mean(right):.3f} of {len(tests)} "
        f"held-out prompts (bar .8; {each}); {among:.3f} where only the six are held against each other. "
        f"With them there, {kept:.3f} of the other held-out prompts are still right."
    )


def _speed() -> str:
    text = " ".join(prompt.text for prompt in held_out_prompts() if prompt.lang == "en")[:1000]
    classifier, encoder = shipped().classifier, shipped().encoder
    classes, features = _best_us(lambda: classifier.classify_text(text)), _best_us(lambda: encoder.encode_text(text))
    size = (ROOT / "src" / "banditroute" / "data" / FILE).stat().st_size
    return (
        f"A prompt of 1,000 characters is classified in {classes:.0f} us (bar 150), or classified and encoded in "
        f"{features:.0f} us: both read it once. The weights are one file of {size / 1e6:.2f} MB (bar 1.5)."
    )


def _best_us(work: Callable[[], object], rounds: int = 200, calls: int = 10) -> float:
    """Microseconds of a call, in the best of some rounds: what else the machine does only adds.

    Rounds are shorter than a turn on a busy machine's processor.
    """
    best = float("inf")
    for _ in range(rounds):
        started = time.perf_counter()
        for _ in range(calls):
            work()
        best = min(best, (time.perf_counter() - started) / calls)
    return best * 1e6


def _draw(held: Scored) -> None:
    """The confusion matrix and the reliability of stated probabilities, side by side."""
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt

    figure, (left, right) = plt.subplots(1, 2, figsize=(11, 4.8), width_ratios=(1.25, 1), layout="constrained")
    counts = _counts(held)
    left.imshow(counts / counts.sum(1, keepdims=True), cmap="Blues", vmin=0, vmax=1)
    for (row, column), count in np.ndenumerate(counts):
        if count:
            left.text(column, row, str(count), ha="center", va="center", color="white" if row == column else "black")
    left.set_xticks(range(len(CLASSES)), CLASSES, rotation=45, ha="right")
    left.set_yticks(range(len(CLASSES)), CLASSES)
    left.set_xlabel("taken for")
    left.set_ylabel("is")
    left.set_title(f"{held.accuracy:.1%} of {len(held.prompts)} held-out prompts are right")
    stated = held.likely.max(1)
    of = np.minimum((stated * 10).astype(int), 9)
    places = [b for b in np.unique(of) if (of == b).sum() >= 5]
    right.plot((0, 1), (0, 1), color="0.7", linewidth=1)
    right.scatter(
        [stated[of == b].mean() for b in places],
        [held.right[of == b].mean() for b in places],
        s=[4 * (of == b).sum() for b in places],
        color="tab:blue",
        alpha=0.8,
    )
    right.set(xlabel="stated probability", ylabel="share that is right", xlim=(0, 1.03), ylim=(0, 1.03))
    right.set_title(f"expected calibration error {_calibration_error(held):.3f}")
    PICTURE.parent.mkdir(exist_ok=True)
    figure.savefig(PICTURE, dpi=110)
    plt.close(figure)


if __name__ == "__main__":
    main()
