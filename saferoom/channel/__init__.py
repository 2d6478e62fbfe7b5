"""The parties' conversation: `Session`, the tensor codec, and a network in memory for tests."""
