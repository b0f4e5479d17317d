"""The lab: what a student starts from, and what says how far the scheduler has come."""
