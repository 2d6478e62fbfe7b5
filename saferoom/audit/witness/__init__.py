"""Witnesses: who cosigns whose checkpoints, what they remember, and how many must vouch."""
