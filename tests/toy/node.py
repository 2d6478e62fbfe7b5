"""`saferoom` with one more kind of task: `python tests/toy/node.py party up --home HOME`.

With a file descriptor for its only argument it is the process that this node's jobs are forked from.
"""

from __future__ import annotations

import sys

from saferoom import cli
from saferoom.kinds import registry
from saferoom.node.processes import job_starter
from tests.toy import kind

registry.KINDS = (*registry.KINDS, kind.KIND)

if __name__ == "__main__":
    if sys.argv[1:2] and sys.argv[1].isdecimal():
        from saferoom.node.processes import forkserver

        sys.exit(forkserver.main(int(sys.argv[1])))
    job_starter.FORKSERVER = "tests.toy.node"
    sys.exit(cli.main())
