"""What a prompt says of its task: shipped classifier, rules, classes of one's own, context features; numpy alone."""
