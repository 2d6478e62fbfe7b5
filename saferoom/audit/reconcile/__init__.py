"""Several logs compared with each other: conversations, disclosures, jobs, contracts."""
