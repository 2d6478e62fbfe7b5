"""A whole room on this machine from one YAML file: real processes, real TLS, for trying things out."""
