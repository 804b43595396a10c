"""For those who test against banditroute or extend it: contract suites and fakes."""
