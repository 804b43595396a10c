"""The sections of a monthly report."""
