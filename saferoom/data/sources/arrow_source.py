"""Arrow and Feather files, whose own types count."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import pyarrow as pa
from pyarrow import ipc

from saferoom.data.sources.base import Access, FileSource, Problem, connect, streamed


class ArrowSource(FileSource):
    """A file of Arrow record batches (Feather, version 2), or a stream of them."""

    suffixes = (".arrow", ".feather", ".arrows")

    kind: Literal["arrow"] = "arrow"

    def open(self, problem: Problem) -> Access:
        self.require_file(problem)
        schema, _ = self._batches()
        connection = connect()
        return Access(
            connection, schema.names, typed=True, relation=lambda: streamed(connection, self._reader())
        )

    def _reader(self) -> pa.RecordBatchReader:
        schema, batches = self._batches()
        plain = pa.schema([(field.name, _plain(field.type)) for field in schema])
        return pa.RecordBatchReader.from_batches(
            plain, (pa.table(batch).cast(plain).to_batches()[0] for batch in batches if batch.num_rows)
        )

    def _batches(self) -> tuple[pa.Schema, Iterator[pa.RecordBatch]]:
        file = pa.memory_map(str(self.path))
        try:
            whole = ipc.open_file(file)
        except pa.ArrowInvalid:  # the other form begins without the file's mark
            file.seek(0)
            stream = ipc.open_stream(file)
            return stream.schema, iter(stream)
        return whole.schema, (whole.get_batch(number) for number in range(whole.num_record_batches))


def _plain(kind: pa.DataType) -> pa.DataType:
    """The type DuckDB takes for it: codes of categories become what they stand for."""
    if pa.types.is_dictionary(kind):
        return _plain(kind.value_type)
    return pa.float32() if pa.types.is_float16(kind) else kind
