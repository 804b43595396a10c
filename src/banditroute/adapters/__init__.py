"""Other libraries' own ways in: each module needs its library, and importing the package needs none."""
