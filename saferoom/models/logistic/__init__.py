"""Joint logistic regression on shares: plan, passes, verdict, and its plain twin."""
