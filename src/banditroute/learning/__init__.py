"""The learning core: evidence, posteriors, selection, pacing; numpy and scipy only, no clock, no chance, no I/O."""
