"""The daemons: a party's node, the coordinator, the processes their jobs run in, and their state."""
