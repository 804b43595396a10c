"""The sections of a benchmark's report, one module each."""
