"""What each kind of task is: its parameters, roles, disclosures, objections, warnings, limits and jobs."""
