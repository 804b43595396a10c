"""The pure router: catalog, eligibility, decisions; no clock, no chance, no I/O."""
