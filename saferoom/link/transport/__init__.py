"""A party's line to the coordinator: gRPC streams over mutual TLS, and how they come back."""
