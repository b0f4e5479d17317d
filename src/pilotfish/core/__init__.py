"""The scheduler: inputs in, effects out. Pure: same inputs, same seed, same decisions."""
