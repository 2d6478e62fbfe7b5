"""The daemons: coordinator and party, their contracts and their jobs."""
