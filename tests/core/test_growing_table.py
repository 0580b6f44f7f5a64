"""A table that is read while it grows."""

from collections.abc import Iterator
from pathlib import Path

import h5py
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ed_core.recording import growing_table
from ed_core.recording.growing_table import GrowingTable

COLUMNS = 4


class Counted:
    """A data set that counts the rows that are read of it."""

    def __init__(self, dataset: h5py.Dataset) -> None:
        self.dataset = dataset
        self.rows = 0

    def __getitem__(self, part: slice) -> np.ndarray:
        self.rows += part.stop - part.start
        return self.dataset[part]

    def __len__(self) -> int:
        return len(self.dataset)

    def __getattr__(self, name: str) -> object:
        return getattr(self.dataset, name)


@pytest.fixture
def dataset(tmp_path: Path) -> Iterator[h5py.Dataset]:
    with h5py.File(tmp_path / "table.h5", "w") as file:
        yield file.create_dataset(
            "t",
            (0, COLUMNS),
            "f8",
            maxshape=(None, COLUMNS),
            chunks=(16, COLUMNS),
            fillvalue=np.nan,
        )


def write(dataset: h5py.Dataset, rows: np.ndarray) -> None:
    dataset.resize(len(dataset) + len(rows), axis=0)
    dataset[len(dataset) - len(rows) :] = rows


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.lists(st.integers(0, 900), max_size=6))
def test_whatever_comes_when_all_of_it_is_seen(dataset: h5py.Dataset, parts: list[int]) -> None:
    dataset.resize(0, axis=0)
    table = GrowingTable(dataset, whole=COLUMNS)
    for number, count in enumerate(parts):
        write(dataset, np.random.default_rng(number).random((count, COLUMNS)))
        before, kept = table.rows, table.rows.copy()
        table.refresh()
        assert np.array_equal(table.rows, dataset[()])
        assert np.array_equal(before, kept)  # what was handed out is as it was


def test_a_look_reads_what_is_new_however_long_the_table_is(dataset: h5py.Dataset) -> None:
    counted = Counted(dataset)
    table = GrowingTable(counted, whole=COLUMNS)  # type: ignore[arg-type]
    write(dataset, np.zeros((50_000, COLUMNS)))
    table.refresh()
    counted.rows = 0
    write(dataset, np.ones((3, COLUMNS)))
    table.refresh()
    assert len(table.rows) == 50_003
    assert counted.rows <= 3 + growing_table._AGAIN


def test_a_row_that_is_half_written_ends_the_table_until_it_is_whole(dataset: h5py.Dataset) -> None:
    table = GrowingTable(dataset, whole=2)
    write(dataset, np.arange(5.0 * COLUMNS).reshape(5, COLUMNS))
    dataset[2, 1] = np.nan
    dataset[4, 3] = np.nan
    table.refresh()
    assert len(table.rows) == 2
    dataset[2, 1] = 9.0
    table.refresh()
    assert len(table.rows) == 5
    assert np.isnan(table.rows[4, 3])  # beyond the columns that make a row whole
    dataset[4, 3] = 19.0
    table.refresh()
    assert table.rows[4, 3] == 19.0


def test_a_table_that_would_fill_the_memory_is_refused(dataset: h5py.Dataset) -> None:
    table = GrowingTable(dataset, whole=COLUMNS)
    dataset.resize(2**40, axis=0)
    with pytest.raises(ValueError, match="has 1099511627776 rows"):
        table.refresh()
