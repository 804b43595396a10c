"""The sections of an evaluation's report, one module each."""
