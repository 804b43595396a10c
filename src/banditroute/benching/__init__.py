"""Every model of the pool on a team's own prompts, graded: which of them should be in the pool."""
