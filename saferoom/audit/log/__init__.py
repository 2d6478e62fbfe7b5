"""A node's own log: appended to, stored, exported, and the salts and files that can be erased."""
