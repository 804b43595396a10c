"""Trains the weights in the package, src/banditroute/data/prompts.npz.

Learns from the prompts in simulations/prompts/training and the public ones in ../shared/data/tasks; where these are
absent it says so and changes nothing. Deterministic; about three minutes on one core. Keeps the vectors of words that
the file has; `--senses` makes them anew, which takes ten minutes more and the packages that sense_model.py names.
"""

from __future__ import annotations

import sys

import numpy as np

from banditroute.prompts.weights import FILE, packed, shipped_senses
from prompt_model import ROOT, SHARED, fitted_sureness, own_prompts, shared_prompts, trained
from sense_model import senses_of

VERSION = "2"
"""Raise it with every training whose weights are published: features of two versions never mix."""


def main() -> None:
    """Trains and writes."""
    if not SHARED.is_file():
        sys.exit(f"no labelled prompts at {SHARED}; nothing was written")
    prompts = [*shared_prompts(), *own_prompts()]
    sureness = fitted_sureness(prompts)
    senses = senses_of(prompts) if "--senses" in sys.argv[1:] else shipped_senses()
    content = packed(trained(prompts, VERSION, sureness), senses)
    (ROOT / "src" / "banditroute" / "data" / FILE).write_bytes(content)
    sys.stdout.write(f"{len(prompts)} prompts, sureness {np.round(sureness, 3)}, {len(content) / 1e6:.2f} MB\n")


if __name__ == "__main__":
    main()
