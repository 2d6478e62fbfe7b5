"""Contracts: what was agreed, in one canonical form; who signed it; what it and each party's policy allow."""
