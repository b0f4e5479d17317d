"""Probes: each asks one question of a scheduler by what it does to pods."""
