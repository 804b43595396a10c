"""The sections of a simulation's report, one module each: from a result to parts, without drawing."""
