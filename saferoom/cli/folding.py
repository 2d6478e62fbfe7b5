"""Long lines in pieces that fit a terminal: cut between words, and between Chinese characters."""

from __future__ import annotations

import re
from collections.abc import Iterator

from rich.cells import cell_len

_OPENING = "“‘（《〈【「『([{"
_CLOSING = "”’）》〉】」』)]}，。、；：？！…％%,.;:?!"
_WIDE = "\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff\uff00-\uffef“”‘’…"
# A piece that stays whole: a wide character, or a word; with what opens before it and closes after it.
_PIECE = re.compile(
    rf"[{re.escape(_OPENING)}]*(?:[{_WIDE}]|[^\s{_WIDE}]+|(?=\s|$))[{re.escape(_CLOSING)}]*\s*|\s+"
)


def folded(line: str, width: int | None, *, indent: int) -> Iterator[str]:
    """A line in pieces of at most `width` cells; later ones are indented by `indent`.

    A word that is longer than that stands alone, whole. None: as it is.
    """
    if width is None or cell_len(line) <= width:
        yield line
        return
    text = line.lstrip()
    begun = line[: len(line) - len(text)]
    for piece in (found for found in _PIECE.findall(text) if found):
        if begun.strip() and cell_len((begun + piece).rstrip()) > width:
            yield begun.rstrip()
            begun = " " * indent
        begun += piece
    yield begun.rstrip()
