"""The sections of each kind of report: from a result to parts, without drawing."""
