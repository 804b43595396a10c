"""Where decisions, outcomes, feedback and what was learned of them are kept."""
