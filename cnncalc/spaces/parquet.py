"""Rows as a file of Parquet, made from lines of CSV part by part; pyarrow loads for nothing else."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import IO, Any

from ..errors import usage_error
from ..formats.csv import written
from .results import kinds_of, read_rows
from .sweep import Rows

#: Rows of a group, and where the description of them is.
GROUP, KEY = 1 << 17, b"cnncalc"


def arrow(module: str = "pyarrow") -> Any:
    """A module of pyarrow; raises `SpecError` where it is not installed."""
    try:
        return import_module(module)
    except ImportError:
        raise usage_error("Parquet needs pyarrow, which is not installed", "pip install 'cnncalc[parquet]'") from None


def write(file: IO[bytes], head: Mapping[str, Any], names: Sequence[str], lines: Iterable[bytes]) -> None:
    """Lines of CSV as a file of Parquet, whose metadata have the head."""
    pa, parquet = arrow(), arrow("pyarrow.parquet")
    kinds = kinds_of(head, names)
    types = {int: pa.int64(), float: pa.float64(), None: pa.string()}
    schema = pa.schema([(name, types[kinds[name]]) for name in names])
    schema = schema.with_metadata({KEY: json.dumps({**head, "names": list(names)}, ensure_ascii=False).encode("utf-8")})
    with parquet.ParquetWriter(file, schema) as writer:
        rows: list[list[str]] = []
        for row in csv.reader(line.decode("utf-8") for line in lines):
            rows.append(row)
            if len(rows) == GROUP:
                writer.write_table(_table(pa, schema, kinds, rows))
                rows = []
        if rows:
            writer.write_table(_table(pa, schema, kinds, rows))


def _table(pa: Any, schema: Any, kinds: Mapping[str, Any], rows: list[list[str]]) -> Any:
    columns = [[(kind or str)(row[place]) for row in rows] for place, kind in enumerate(kinds.values())]
    return pa.table([pa.array(each, field.type) for each, field in zip(columns, schema, strict=True)], schema=schema)


class ParquetReader:
    """A file of Parquet that a sweep wrote, as lines of CSV; raises `SpecError` for what is none."""

    form = ".parquet"

    def __init__(self, path: Path) -> None:
        self.path = path
        parquet = arrow("pyarrow.parquet")
        try:
            self.file = parquet.ParquetFile(path)
            self.head: dict[str, Any] = json.loads(self.file.schema_arrow.metadata[KEY])
            self.names: list[str] = self.head.pop("names")
            self.kinds = kinds_of(self.head, self.names)
            assert self.file.schema_arrow.names == self.names
        except (OSError, ValueError, KeyError, TypeError, AttributeError, AssertionError):
            raise usage_error("is no file of rows that a sweep wrote", where=str(path)) from None

    def __iter__(self) -> Iterator[Rows]:
        for batch in self.file.iter_batches(1 << 15):
            columns = batch.to_pydict()
            lines = written(self.names, zip(*columns.values(), strict=True)).encode("utf-8").splitlines(keepends=True)
            yield read_rows(columns, lines[1:])
