"""One worker process: `python -m saferoom.he.worker FD`, started by `Workers`, never by hand."""

from __future__ import annotations

import signal
import sys
from multiprocessing.connection import Connection

from saferoom.errors import SafeRoomError
from saferoom.he.work import Work
from saferoom.he.workers import receive_message, send_message


def main(file_descriptor: int) -> int:
    """Do tasks until the pipe closes. Returns the process's exit code."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides when to end
    pipe, work = Connection(file_descriptor), Work()
    try:
        while True:
            (task, header), parts = receive_message(pipe)
            try:
                found = work.do(str(task), header, parts)  # type: ignore[arg-type]
            except SafeRoomError as error:
                send_message(pipe, [type(error).__name__, error.message], [])
            except Exception as error:  # its text could hold numbers that nobody may read
                send_message(pipe, ["ProtocolError", f"a worker failed with {type(error).__name__}"], [])
            else:
                send_message(pipe, ["", ""], found)
    except (EOFError, OSError):
        return 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1])))
