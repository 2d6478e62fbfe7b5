"""Job processes as their daemon sees them: forked, connected, watched, ended."""
