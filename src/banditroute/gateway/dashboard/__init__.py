"""The dashboard: one page that shows a live router and, to an admin's key, throws its switches."""
