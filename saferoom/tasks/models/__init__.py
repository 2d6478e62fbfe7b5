"""The models that tasks leave: each party's own part, how parts become joint scores, and their files."""
