"""The sections of a simulation's report, one module each."""
