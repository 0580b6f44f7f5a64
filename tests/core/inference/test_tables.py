"""Results as one file: the same numbers in every format, by name."""

from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pandas as pd
import pytest

from ed_core import EdkitError, Field, Fields
from ed_core.inference.job import begun
from ed_core.inference.stream import Result
from ed_core.inference.tables import FileWriter, column_names

OUTPUTS = Fields(
    label=Field((), "class", ("cat", "dög")),
    label_probability=Field((), "value"),
    label_probabilities=Field((2,), "value", ("cat", "dög")),
    code=Field((2, 2), "value", unit="km"),
)
FACTS = {"run": "r", "verb": "encode", "options": {}, "input": "i", "backend": "jax"}


def results(first: int, count: int) -> list[Result]:
    random = np.random.default_rng(first)
    rows = []
    for row in range(first, first + count):
        shares = random.dirichlet([1, 1]).astype("f4")
        outputs: dict[str, Any] = {
            "label": np.array(["cat", "dög"])[shares.argmax()],
            "label_probability": shares.max(),
            "label_probabilities": shares,
            "code": random.normal(size=(2, 2)).astype("f4"),
        }
        rows.append(Result(row, f'bild {"x" * row}, "{row}".png', {}, outputs))
    return rows


def write(path: Path) -> list[Result]:
    """Write three batches, the middle one without a sample."""
    writer = FileWriter(OUTPUTS, path.suffix)
    batches = [results(0, 3), [], results(3, 2)]
    with begun(path, False, FACTS) as job:
        for number, batch in enumerate(batches):
            job.keep(number, *writer.write(job, batch))
        writer.finish(job)
        job.finish([])
    return [result for batch in batches for result in batch]


@pytest.mark.parametrize("ending", [".csv", ".parquet"])
def test_a_table_has_a_row_a_sample_and_a_column_a_number(tmp_path: Path, ending: str) -> None:
    if ending == ".parquet":
        pytest.importorskip("pyarrow")
    rows = write(tmp_path / f"out{ending}")
    table = (pd.read_csv if ending == ".csv" else pd.read_parquet)(tmp_path / f"out{ending}")
    codes = [f"code_{number}" for number in range(1, 5)]
    assert [*table] == ["name", "label", "label_probability", "label_cat", "label_dög", *codes]
    assert table["name"].tolist() == [row.name for row in rows]
    assert table["label"].tolist() == [row.outputs["label"] for row in rows]
    expected = np.stack([row.outputs["code"].ravel() for row in rows])
    assert (table[codes].to_numpy("f4") == expected).all()  # all digits


@pytest.mark.parametrize("ending", [".npz", ".h5"])
def test_arrays_keep_their_shapes(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"out{ending}"
    rows = write(path)
    if ending == ".npz":
        with np.load(path) as file:
            arrays: Any = dict(file)
    else:
        with h5py.File(path) as file:
            assert file["code"].attrs["unit"] == "km"
            texts = ("name", "label")
            arrays = {n: d.asstr()[:] if n in texts else d[:] for n, d in file.items()}
    assert arrays["name"].tolist() == [row.name for row in rows]
    for name in OUTPUTS:
        expected = np.stack([row.outputs[name] for row in rows])
        np.testing.assert_array_equal(arrays[name], expected)


def test_a_code_of_one_number_has_a_number_too() -> None:
    assert column_names("code", Field((1,), "value")) == ["code_1"]


def test_reconstructed_rows_keep_the_names_of_their_columns() -> None:
    row = Field((2,), "signal", names=("pressure", "state=bad"))
    assert column_names("features", row) == ["features_pressure", "features_state=bad"]


@pytest.mark.parametrize(
    ("outputs", "ending", "message"),
    [
        (Fields(image=Field((200, 200, 3))), ".csv", "120,000 columns is too wide"),
        (Fields(name=Field((), "value")), ".npz", "called as the column of the samples' names"),
    ],
)
def test_what_does_not_fit_is_refused(outputs: Fields, ending: str, message: str) -> None:
    with pytest.raises(EdkitError, match=message):
        FileWriter(outputs, ending)


def test_maps_of_another_size_are_refused_by_name(tmp_path: Path) -> None:
    sizes = [(2, 2), (2, 2), (3, 2), (2, 2)]
    maps = [Result(n, f"{n}", {}, {"mask": np.zeros(s, "i4")}) for n, s in enumerate(sizes)]
    writer = FileWriter(Fields(mask=Field((2, 2), "class")), ".npz", lambda result: result.outputs)
    refused = []
    with begun(tmp_path / "out.npz", False, FACTS) as job:
        for number in range(2):
            columns, more = writer.write(job, maps[2 * number : 2 * number + 2])
            job.keep(number, columns, more)
            refused += more
        writer.finish(job)
        job.finish(refused)
    assert [name for name, _ in refused] == ["2"]
    assert "(3, 2), and that of the first one (2, 2)" in refused[0][1]
    with np.load(tmp_path / "out.npz") as arrays:
        assert arrays["mask"].shape == (3, 2, 2)
