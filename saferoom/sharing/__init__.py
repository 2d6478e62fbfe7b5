"""Masked values, shares, and what a dealer deals. Pure: no input or output."""
