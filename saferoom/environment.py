"""What processes that a node starts may see of its environment."""

from __future__ import annotations

from collections.abc import Mapping

PASSPHRASE = "SAFEROOM_PASSPHRASE"  # noqa: S105 - the variable's name


def without_secrets(environment: Mapping[str, str]) -> dict[str, str]:
    """A copy without secrets: whoever may look at a child process needs none of them."""
    return {name: value for name, value in environment.items() if name != PASSPHRASE}
