"""How far the figures of `metrics` may be from the truth, on the rows that there are."""
