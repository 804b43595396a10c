"""The floor: Thompson sampling of one signal in the best plain numpy and scipy, nothing around it.

One contiguous block holds each arm's covariance with its mean as an extra row. Deciding is one product with it,
learning one rank-one update; every output is preallocated and nothing is checked.
"""

import numpy as np
from scipy.linalg.blas import dger


class Floor:
    """K arms, inputs of width X, unit prior covariance, noise variance .09; starts from a random mean."""

    def __init__(self, width: int, arms: int, rng: np.random.Generator) -> None:
        self.block = np.zeros((arms, width + 1, width))
        self.block[:, :width] = 0.04 * np.eye(width)
        self.block[:, width] = 0.1 * rng.standard_normal((arms, width))
        self.rng = rng
        self.noise = 0.09
        self.flat = self.block.reshape(-1, width)
        self.out = np.empty(arms * (width + 1))
        self.rows = self.out.reshape(arms, width + 1)
        self.mean = self.rows[:, width]
        self.Sx = self.rows[:, :width]
        self.var, self.score = np.empty(arms), np.empty(arms)
        self.columns = [self.block[arm].T for arm in range(arms)]

    def decide(self, x: np.ndarray) -> int:
        np.dot(self.flat, x, out=self.out)
        np.dot(self.Sx, x, out=self.var)
        self.rng.standard_normal(out=self.score)
        self.score *= np.sqrt(self.var)
        self.score += self.mean
        return int(self.score.argmax())

    def learn(self, arm: int, y: float) -> None:
        """Takes the last decision's outcome; spoils the product kept from it."""
        g = self.rows[arm]
        g[-1] -= y
        scale = -1.0 / (self.noise + self.var[arm])
        dger(scale, g[:-1], g, a=self.columns[arm], overwrite_a=1, overwrite_x=0, overwrite_y=0)
