"""The coordinator's end: passes opaque frames on and books what it saw pass."""
