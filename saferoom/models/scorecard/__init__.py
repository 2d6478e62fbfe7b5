"""What a scorecard needs besides the regression: bins, weight of evidence, selection, and the plain twin."""
