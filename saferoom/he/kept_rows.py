"""Encrypted rows that stay with the workers: sent once, added up by bin for any subset of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from gmpy2 import mpz
from numpy.typing import NDArray

from saferoom.errors import UsageError
from saferoom.he.ciphertexts import Ciphertexts
from saferoom.he.keys import PublicKey
from saferoom.he.vectors import BinSums
from saferoom.he.workers import Workers


class KeptRows:
    """Encrypted rows that stay with the workers, added up by bin for any subset of them.

    Workers keep the rows of one `KeptRows` at a time: the next one takes their place.
    """

    def __init__(
        self, key: PublicKey, columns: Sequence[NDArray[Any]], counts: Sequence[int], workers: Workers
    ) -> None:
        """`columns` are (rows,) bin numbers of each feature, below its entry in `counts`."""
        self._all = BinSums(key, columns, counts, workers, keep=True)
        self._complete = False

    def add(self, chunk: Ciphertexts) -> None:
        """The next rows: kept, and added to the sums of all rows.

        Raises PeerError if they are no ciphertexts, at the next call at the latest.
        """
        self._all.add(chunk)

    def all(self) -> list[list[mpz]]:
        """For each feature the ciphertexts of its bins' sums over all rows, not yet re-randomised; once.

        An empty bin is 1. Raises PeerError as `add`, ShapeError if there are fewer or more rows than bins.
        """
        sums = self._all.finish()
        self._complete = True
        return sums

    def of(self, rows: NDArray[np.int32]) -> list[list[mpz]]:
        """As `all`, over a subset: (rows,) positions. Any number of times, once `all` was called."""
        if not self._complete:
            raise UsageError("the sums of all rows come before those of a subset")
        if len(rows) and not 0 <= rows.min() <= rows.max() < self._all.rows:
            raise UsageError("positions of rows that are not there")
        return self._all.of(rows)
