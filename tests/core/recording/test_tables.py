"""A table that is read while it grows."""

import zlib
from collections.abc import Iterator
from pathlib import Path

import h5py
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ed_core.recording import tables
from ed_core.recording.tables import GrowingTable, summed, sums_are_right

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
    assert counted.rows <= 3 + tables._AGAIN


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


def test_a_row_with_a_wrong_sum_is_left_out_and_counted(dataset: h5py.Dataset) -> None:
    table = GrowingTable(dataset)
    rows = np.array([summed(np.arange(3.0) + number) for number in range(6)])
    rows[2, 1] += 1e-9
    write(dataset, rows)
    table.refresh()
    assert np.array_equal(table.rows, rows[[0, 1, 3, 4, 5]])
    assert table.numbers.tolist() == [0, 1, 3, 4, 5]
    assert table.damaged == 1
    write(dataset, summed(np.full(3, np.nan))[None])  # a number of the row may be missing
    table.refresh()
    assert table.numbers.tolist() == [0, 1, 3, 4, 5, 6]
    assert table.damaged == 1


def test_the_last_row_is_waited_for_while_the_table_grows(dataset: h5py.Dataset) -> None:
    table = GrowingTable(dataset)
    good = summed(np.arange(3.0))
    half = good.copy()
    half[0] = 7.0
    write(dataset, np.array([good, half, np.full(COLUMNS, np.nan)]))
    table.refresh(growing=True)
    assert (len(table.rows), table.damaged) == (1, 0)
    table.refresh(growing=False)  # its writer is gone; the last row was never begun
    assert (len(table.rows), table.damaged) == (1, 1)
    dataset[1] = good
    table.refresh()
    assert (len(table.rows), table.damaged) == (2, 0)


@given(st.integers(0, 5 * 8 * COLUMNS - 1), st.integers(0, 7))
def test_no_bit_of_a_row_changes_unseen(position: int, bit: int) -> None:
    rows = np.array([summed(np.random.default_rng(n).random(COLUMNS - 1)) for n in range(5)])
    for dtype in ("f8", "u1"):
        data = bytearray(rows.tobytes())
        if dtype == "u1":  # as rows of bytes, with the sum in the last four
            width = 8 * COLUMNS
            for at in range(0, len(data), width):
                crc = zlib.crc32(data[at : at + width - 4])
                data[at + width - 4 : at + width] = crc.to_bytes(4, "little")
        shape = (5, -1)
        assert sums_are_right(np.frombuffer(data, dtype).reshape(shape)).all()
        data[position] ^= 1 << bit
        right = sums_are_right(np.frombuffer(data, dtype).reshape(shape))
        assert np.flatnonzero(~right).tolist() == [position // (8 * COLUMNS)]


def test_a_table_that_would_fill_the_memory_is_refused(dataset: h5py.Dataset) -> None:
    table = GrowingTable(dataset, whole=COLUMNS)
    dataset.resize(2**40, axis=0)
    with pytest.raises(ValueError, match="has 1099511627776 rows"):
        table.refresh()
