"""The sections of a tuning's report, one module each."""
