"""The command line: `saferoom …`. Results to stdout, talk to stderr; only this room ends the process."""

from __future__ import annotations

import sys


def main() -> None:
    """Entry point of the `saferoom` command."""
    from saferoom.cli.app import run  # imported here: `import saferoom.cli` stays free of side effects

    sys.exit(run())
