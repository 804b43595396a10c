"""The sections of a live store's report, one module each."""
