"""The pages' addresses, by theme."""
