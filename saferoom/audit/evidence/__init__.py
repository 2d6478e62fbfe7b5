"""What an auditor does with logs: verify, search, follow a contract's data, hand over a bundle."""
