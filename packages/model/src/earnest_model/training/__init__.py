"""Training: the loop, its recipes and schedules, checkpoints and validation (section 3.3)."""
