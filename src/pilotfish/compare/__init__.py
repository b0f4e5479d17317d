"""Measures schedulers from outside, whoever wrote them: alike for polling, watch and any other."""
