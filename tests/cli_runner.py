"""Running the command line inside the test process: the same entry, without the start-up each time."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Mapping
from contextlib import ExitStack, chdir, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from unittest.mock import patch

from saferoom.cli.app import run


@dataclass(frozen=True)
class Result:
    """What a command wrote, and the code it ended with."""

    code: int
    stdout: str
    stderr: str


def run_command(words: tuple[str, ...], *, folder: Path, environment: Mapping[str, str]) -> Result:
    """`saferoom WORDS` in `folder`."""
    stdout, stderr = io.StringIO(), io.StringIO()
    with ExitStack() as stack:
        stack.enter_context(chdir(folder))
        stack.enter_context(patch.dict(os.environ, environment, clear=True))
        stack.enter_context(patch.object(sys, "argv", ["saferoom", *words]))
        stack.enter_context(redirect_stdout(stdout))
        stack.enter_context(redirect_stderr(stderr))
        code = run()
    return Result(code, stdout.getvalue(), stderr.getvalue())
