"""Joint gradient-boosted trees: both sides of growing a tree, what each party keeps, and the plain twin."""
