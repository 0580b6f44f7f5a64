"""Bare paths: which data set reads a file whose ending several read, and that it is said."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from ed_core import EdkitError
from ed_core.data.loading import data_of, load_data

ROWS = 40
NUMBERS = {"a": np.arange(ROWS) % 7 / 3, "b": np.arange(ROWS) % 5 / 2}
CLOCK = {"timestamp": pd.date_range("2026-01-01", periods=ROWS, freq="h").astype(str)}
STEPS = {"x": 0.1 * np.arange(ROWS)}
CATEGORIES = {"colour": np.resize(["red", "green"], ROWS)}
SPLITS = {"split": np.resize(["train", "train", "test"], ROWS)}
IDS = {"part_id": [f"P{row}" for row in range(ROWS)]}


@pytest.mark.parametrize(
    ("columns", "kind", "reason"),
    [
        (CLOCK, "signals", "a clock, 'timestamp'"),
        (STEPS, "signals", "a clock, 'x'"),
        (CATEGORIES, "table", "categories in column colour"),
        (SPLITS, "table", "splits in column split"),
        (IDS, "table", "names of rows in column part_id"),
    ],
)
def test_a_csv_file_is_what_its_columns_say(
    tmp_path: Path, columns: dict[str, object], kind: str, reason: str
) -> None:
    path = tmp_path / "it.csv"
    pd.DataFrame({**columns, **NUMBERS}).to_csv(path, index=False)
    text, (finding,) = data_of(str(path))
    other = {"table": "signals", "signals": "table"}[kind]
    assert text == f"{kind}:{path}"
    assert (finding.text, finding.option) == (f"{kind}: {reason}", f"{other}:{path}")
    load_data(f"{text},window=4" if kind == "signals" else text)


@pytest.mark.parametrize("columns", [{}, {**CLOCK, **CATEGORIES}])
def test_a_csv_file_that_may_be_both_is_refused_with_both_remedies(
    tmp_path: Path, columns: dict[str, object]
) -> None:
    path = tmp_path / "it.csv"
    pd.DataFrame({**columns, **NUMBERS}).to_csv(path, index=False)
    with pytest.raises(EdkitError) as error:
        data_of(str(path))
    assert f"say signals:{path} or table:{path}" in str(error.value)


@pytest.mark.parametrize(
    ("shape", "kind"), [((ROWS,), "table"), ((ROWS, 3), ""), ((ROWS, 8, 8), "arrays")]
)
def test_an_npz_file_is_what_its_axes_say(
    tmp_path: Path, shape: tuple[int, ...], kind: str
) -> None:
    path = tmp_path / "it.npz"
    np.savez(path, image=np.zeros(shape, "uint8"), label=np.arange(ROWS) % 2)
    if kind:
        assert data_of(str(path))[0] == f"{kind}:{path}"
        return
    with pytest.raises(EdkitError, match=f"say arrays:{path} or table:{path}"):
        data_of(str(path))


def test_a_path_without_its_data_set_is_refused_with_the_one_that_reads_it(
    tmp_path: Path,
) -> None:
    path = tmp_path / "it.csv"
    pd.DataFrame({**CATEGORIES, **NUMBERS}).to_csv(path, index=False)
    with pytest.raises(EdkitError, match=f"reads it before it: table:{path}"):
        load_data(str(path))


def test_a_data_set_is_said_to_be_no_folder_of_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert not load_data("digits").input.findings
    (tmp_path / "digits").mkdir()
    assert not load_data("digits").input.findings  # nothing that could be meant
    np.save(tmp_path / "digits" / "it.npy", np.zeros((9, 8, 8), "uint8"))
    (finding,) = load_data("digits").input.findings
    assert "not the folder of that name" in finding.text
    assert finding.option == "arrays:digits"
