"""What the pages show, read from log files and checked: entries, jobs, contracts, witnesses."""
