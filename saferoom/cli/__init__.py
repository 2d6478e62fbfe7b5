"""The command line: `saferoom …`. Results to stdout, talk to stderr; only this room ends the process."""

from __future__ import annotations

import os
import sys

INTERRUPTED = 130


def main() -> None:
    """Entry point of the `saferoom` command. What it or a daemon writes is its owner's alone."""
    os.umask(0o077)
    try:
        from saferoom.cli.app import run  # imported here: Ctrl-C ends quietly from the first moment on

        code = run()
    except KeyboardInterrupt:
        code = INTERRUPTED
    sys.exit(code)
