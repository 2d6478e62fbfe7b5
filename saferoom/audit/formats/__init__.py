"""The log to the byte: canonical JSON, hash tree, tiles, checkpoints, signed notes."""
