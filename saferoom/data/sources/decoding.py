"""A text file of any encoding as a pipe of UTF-8: decoded piece by piece, by a decoder that remembers."""

from __future__ import annotations

import codecs
import os
import threading
from pathlib import Path

_PIECE_BYTES = 1 << 20


class WrongTextError(UnicodeError):
    """The file is not of its encoding: said with the line, without what stands there."""


class Decoding:
    """Gives a path that reads as UTF-8, again for each reading. `failure`: why the last one broke off."""

    def __init__(self, path: Path, encoding: str) -> None:
        self._path, self._encoding = path, encoding
        self._thread: threading.Thread | None = None
        self._end: int | None = None
        self.failure: Exception | None = None

    def start(self) -> str:
        """Begin to decode; what the former reading left is given up."""
        self.close()
        self.failure = None
        self._end, entry = os.pipe()
        self._thread = threading.Thread(target=self._feed, args=(entry,), name="decoding", daemon=True)
        self._thread.start()
        return f"/dev/fd/{self._end}"

    def close(self) -> None:
        """Let go of the pipe; whoever still writes into it stops."""
        if self._end is not None:
            os.close(self._end)
            self._end = None
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def _feed(self, entry: int) -> None:
        decoder = codecs.getincrementaldecoder(self._encoding)()
        lines = 1
        try:
            with os.fdopen(entry, "wb") as pipe, self._path.open("rb") as file:
                while piece := file.read(_PIECE_BYTES):
                    text = self._decoded(decoder, piece, lines, final=False)
                    lines += text.count("\n")
                    pipe.write(text.encode())
                pipe.write(self._decoded(decoder, b"", lines, final=True).encode())
        except BrokenPipeError:
            pass  # nobody reads on
        except (OSError, UnicodeError) as error:
            self.failure = error

    def _decoded(self, decoder: codecs.IncrementalDecoder, piece: bytes, lines: int, *, final: bool) -> str:
        try:
            return decoder.decode(piece, final)
        except UnicodeError as error:
            before = getattr(error, "object", b"")[: getattr(error, "start", 0)]
            lines += before.decode(self._encoding, errors="ignore").count("\n")
            raise WrongTextError(f"line {lines} cannot be decoded") from None
