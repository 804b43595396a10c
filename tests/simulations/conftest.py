"""What the scripts in simulations/ share can be imported by name, as they do themselves."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "simulations"))
