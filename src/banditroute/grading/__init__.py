"""Where quality comes from: graders of answers, each returning a quality in [0, 1] or nothing."""
