"""Charts as small callable values: each holds its numbers and draws itself for a given width in CSS pixels."""
