"""Writes the small outcome tables that `banditroute demo` replays: numbers only, no prompts.

    python simulations/make_demo_table.py [OUTCOMES_DIR]

OUTCOMES_DIR holds judged9_val.jsonl.gz and judged9_test.jsonl.gz (by default ../shared/data/outcomes, beside the
repository). Rows are drawn per task class in proportion to its size with a fixed seed and keep their order, so that the
output is the same bytes on every run.
"""

import gzip
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import orjson

ROOT = Path(__file__).resolve().parents[1]
OUTCOMES = ROOT.parent / "shared" / "data" / "outcomes"
DATA = ROOT / "src" / "banditroute" / "data"
SEED = 20241
KEPT = ("id", "task", "input_tokens", "features", "outcomes")


@dataclass(frozen=True, slots=True)
class Sample:
    """How many rows to draw from which file into which."""

    source: str
    target: str
    rows: int


SAMPLES = (
    Sample("judged9_val.jsonl.gz", "demo_warmup.jsonl.gz", 600),
    Sample("judged9_test.jsonl.gz", "demo_table.jsonl.gz", 900),
)


def apportion(sizes: Sequence[int], total: int) -> list[int]:
    """Shares of `total` in proportion to `sizes`, whole numbers that add up to it (largest remainders)."""
    exact = np.asarray(sizes) * total / sum(sizes)
    shares = np.floor(exact).astype(int)
    missing = total - shares.sum()
    shares[np.argsort(shares - exact, kind="stable")[:missing]] += 1
    return shares.tolist()


def stratified(tasks: Sequence[str], total: int, rng: np.random.Generator) -> list[int]:
    """Row numbers, increasing, with every task class present in its proportion."""
    names = sorted(set(tasks))
    members = [[row for row, task in enumerate(tasks) if task == name] for name in names]
    shares = apportion([len(rows) for rows in members], total)
    drawn = [rng.choice(rows, size=share, replace=False) for rows, share in zip(members, shares, strict=True)]
    return sorted(np.concatenate(drawn).tolist())


def numbers_of(row: dict[str, Any]) -> dict[str, Any]:
    """The row without its prompt, features rounded to three decimals."""
    kept = {name: row[name] for name in KEPT}
    return kept | {"features": [round(value, 3) for value in row["features"]]}


def write_sample(sample: Sample, source: Path, target: Path) -> int:
    """Bytes written for one sample."""
    with gzip.open(source / sample.source) as lines:
        rows = [orjson.loads(line) for line in lines]
    chosen = stratified([row["task"] for row in rows], sample.rows, np.random.default_rng(SEED))
    text = b"".join(orjson.dumps(numbers_of(rows[index])) + b"\n" for index in chosen)
    path = target / sample.target
    path.write_bytes(gzip.compress(text, compresslevel=9, mtime=0))
    return path.stat().st_size


def main(arguments: Sequence[str]) -> None:
    source = Path(arguments[0]) if arguments else OUTCOMES
    for sample in SAMPLES:
        size = write_sample(sample, source, DATA)
        print(f"{sample.target}: {sample.rows} rows, {size / 1000:.0f} kB")


if __name__ == "__main__":
    main(sys.argv[1:])
