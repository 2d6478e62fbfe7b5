"""Files on this machine, one way for every room: YAML that people write, and private files."""
