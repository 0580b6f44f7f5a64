"""Rows of a table: what is a number, a category, a gap or none of these, and the rows of a run."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ed_core import Dataset, EdkitError, Field, Fields, FileSamples, load_data
from ed_core.data.preparation import Standardisation, hook_of, prepared
from ed_core.data.selection import select
from ed_core.plugins.spec import InputRecord
from ed_plugins.datasets.table.columns import categories_of, class_numbers, texts_of
from ed_plugins.datasets.table.reader import open_tables

RANDOM = np.random.default_rng(0)
ROWS = 60
PLAN = {"seed": 0, "validation": None}


def parts() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "part_id": [f"P{row:03d}" for row in range(ROWS)],
            "width": RANDOM.normal(100, 5, ROWS),
            "count": RANDOM.integers(0, 9, ROWS),
            "colour": np.resize(["red", "green", "blue"], ROWS),
            "good": np.resize([True, False, False], ROWS),
            "made": pd.date_range("2026-01-01", periods=ROWS).strftime("%Y-%m-%d"),
            "note": [f"a note of its own, {row}" for row in range(ROWS)],
            "same": 1,
            "void": np.nan,
            "quality": np.resize(["fine", "poor"], ROWS),
        }
    )


def save(path: Path, frame: pd.DataFrame) -> Path:
    if path.suffix == ".parquet":
        pytest.importorskip("pyarrow")
        frame.to_parquet(path)
    elif path.suffix == ".npz":
        texts = {n: c.to_numpy("U") for n, c in frame.items() if c.dtype.kind == "O"}
        np.savez(path, **{name: c.to_numpy() for name, c in frame.items()} | texts)
    else:
        frame.to_csv(path, index=False)
    return path


def load(folder: Path, frame: pd.DataFrame, options: str = "", ending: str = "csv") -> Dataset:
    return load_data(f"table:path={save(folder / f'own.{ending}', frame)}{options}")


def read_for(data: Dataset, path: Path, *names: str) -> FileSamples:
    fields = Fields({name: data.fields[name] for name in names or ("features",)})
    return open_tables(path, fields, json.loads(json.dumps(data.input.reading)))


def said(data: Dataset, about: str) -> list[str]:
    return [finding.text for finding in data.input.findings if finding.about == about]


@pytest.mark.parametrize("ending", ["csv", "parquet", "npz"])
def test_numbers_and_categories_are_features_and_the_rest_is_left_out_with_a_reason(
    tmp_path, ending
):
    data = load(tmp_path, parts(), ",label=quality", ending)
    assert data.fields["features"].names == (
        *("width", "count", "colour=blue", "colour=green", "colour=red"),
        *("good=False", "good=True"),
    )
    assert data.fields["label"].classes == ("fine", "poor")
    assert said(data, "rows") == ["named by column part_id"]
    left = " ".join(said(data, "columns"))
    assert "of dates, which are no numbers: made" in left
    assert "of text, 60 different: note" in left
    assert "with one value alone: same" in left
    assert "void" in left
    assert data.whole is not None
    np.testing.assert_allclose(data.whole["features"][:, 0], parts_width(tmp_path, ending))
    assert data.whole["label"].tolist() == [0, 1] * (ROWS // 2)


def parts_width(folder: Path, ending: str) -> np.ndarray:
    """The widths as they were saved; a new table has others."""
    path = folder / f"own.{ending}"
    if ending == "npz":
        return np.load(path)["width"].astype("float32")
    frame = pd.read_csv(path) if ending == "csv" else pd.read_parquet(path)
    return frame["width"].to_numpy("float32")


def test_numbers_are_standardised_on_the_training_rows_and_categories_are_not(tmp_path):
    data = select(load(tmp_path, parts()), (), PLAN)
    train = np.asarray(data.splits["train"]["features"][:])
    np.testing.assert_allclose(train[:, :2].mean(axis=0), 0, atol=1e-5)
    np.testing.assert_allclose(train[:, :2].std(axis=0), 1, atol=1e-5)
    assert set(np.unique(train[:, 2:])) == {0, 1}
    assert not np.allclose(data.splits["test"]["features"][:, :2].mean(axis=0), 0, atol=1e-3)


def test_an_empty_cell_is_no_target_and_reads_as_the_mean_or_as_no_category(tmp_path):
    frame = parts()
    frame.loc[3, "width"] = frame.loc[4, "colour"] = None
    frame.loc[5, "quality"] = None
    data = load(tmp_path, frame, ",label=quality,test=0.1")
    assert data.fields["label"].partial
    assert said(data, "gaps") == ["2 cells are empty (0.83 %): no target"]
    assert said(data, "label")[0] == "1 of 60 rows have none"
    ready = prepared(data, InputRecord())
    assert ready.whole is not None
    features, there = (np.asarray(ready.whole[n][:]) for n in ("features", "features_present"))
    assert features[3, 0] == 0
    assert there[3].tolist() == [0, 1, 1, 1, 1, 1, 1]
    assert features[4, 2:5].tolist() == [0, 0, 0]
    assert there[4].tolist() == [1, 1, 0, 0, 0, 1, 1]
    assert ready.whole["label"][5] == -1


def test_what_was_fitted_can_be_applied_and_undone_without_the_data(tmp_path):
    data = prepared(load(tmp_path, parts()), InputRecord())
    hook = hook_of(InputRecord.from_facts(json.loads(json.dumps({"fitted": data.input.fitted}))))
    assert isinstance(hook, Standardisation)
    raw = load_data(f"table:{tmp_path / 'own.csv'}").whole["features"]
    scaled = hook.apply({"features": raw}, data.input.fitted)["features"]
    np.testing.assert_array_equal(scaled, data.whole["features"][:])


def test_a_label_of_numbers_is_a_value_and_of_few_whole_ones_a_class(tmp_path):
    value = load(tmp_path, parts(), ",label=width")
    assert value.fields["value"].kind == "value"
    assert value.fields["value"].scale[0] == pytest.approx(100, abs=5)
    assert "width" not in value.fields["features"].names
    few = load(tmp_path, parts(), ",label=count")
    assert few.fields["label"].classes == tuple(map(str, range(9)))
    assert load(tmp_path, parts(), ",label=count,target=value").fields["value"].kind == "value"


def test_options_choose_drop_and_turn_columns(tmp_path):
    chosen = load(tmp_path, parts(), ",columns=count,width")
    assert chosen.fields["features"].names == ("count", "width")
    dropped = load(tmp_path, parts(), ",drop=colour,good,quality,categories=count")
    assert dropped.fields["features"].names == ("width", *(f"count={n}" for n in range(9)))
    with pytest.raises(EdkitError, match="has no column 'size': option 'drop' is of part_id"):
        load(tmp_path, parts(), ",drop=size")


def test_the_split_is_drawn_by_the_seed_or_said_by_a_column(tmp_path):
    frame = parts()
    one, same, other = (load(tmp_path, frame, f",columns=count,seed={n}") for n in (0, 0, 1))
    assert len(one.splits["test"]["features"]) == 12
    for name, equal in ((same, True), (other, False)):
        both = one.splits["test"]["features"], name.splits["test"]["features"]
        assert np.array_equal(*both) == equal
    frame = frame.assign(split=np.resize(["train", "train", "val", "test"], ROWS))
    data = load(tmp_path, frame)
    assert {name: len(a["features"]) for name, a in data.splits.items()} == {
        "train": 30,
        "validation": 15,
        "test": 15,
    }
    assert data.whole is None
    assert "split" not in " ".join(data.fields["features"].names)


@pytest.mark.parametrize(
    ("change", "options", "message"),
    [
        ({"width": "wide"}, "", r"line 4, column 2 .'width'.*expected a number.*found 'wide'"),
        ({"width": np.inf}, "", r"expected a finite number, found 'inf'"),
        ({"width": -9999}, "", r"has -9999 in 1 of 60 rows.*say gap=-9999"),
        ({}, ",label=note", r"expected a label with a few classes, found 60 in 60 rows"),
        ({}, ",test=1", r"expected rows to train on and rows to test, found 0 and 60"),
        ({}, ",test=colour", r"expected train, validation or test, found 'red'"),
        ({}, ",gap=x", r"option 'gap' is a number such as -9999"),
        ({}, ",columns=quality,label=quality", r"named by option 'columns' and by another"),
    ],
)
def test_what_is_no_table_of_numbers_is_one_line(tmp_path, change, options, message):
    frame = parts().astype(object)
    for name, cell in change.items():
        frame.loc[2, name] = cell
    with pytest.raises(EdkitError, match=message) as caught:
        load(tmp_path, frame, options)
    assert "\n" not in str(caught.value)


def test_a_mark_of_no_value_that_is_stated_is_a_gap(tmp_path):
    frame = parts()
    frame.loc[2, "width"] = -9999
    data = load(tmp_path, frame, ",gap=-9999")
    assert np.isnan(data.whole["features"][2, 0])


@pytest.mark.parametrize("ending", ["csv", "parquet", "npz"])
def test_rows_of_another_file_are_read_as_the_run_read_its_own(tmp_path, ending):
    frame = parts()
    frame.loc[3, "width"] = frame.loc[4, "colour"] = None
    data = load(tmp_path, frame, ",label=quality")
    few = frame[["colour", "good", "part_id", "width", "count"]].iloc[[7, 3, 4]]
    if ending == "npz":
        few = few.fillna({"colour": ""})
    samples = read_for(data, save(tmp_path / f"new.{ending}", few))
    assert [*samples.names] == [f"new.{ending} P{row:03d}" for row in (7, 3, 4)]
    rows = np.stack([one["features"] for one in samples.read(range(3))])
    expected = data.whole["features"][[7, 3, 4]]
    np.testing.assert_array_equal(rows, expected.astype(rows.dtype))
    assert samples.fields["features"].names == data.fields["features"].names


def test_rows_without_an_id_are_numbered_from_one(tmp_path):
    frame = parts().drop(columns="part_id")
    data = load(tmp_path, frame)
    assert [*read_for(data, tmp_path / "own.csv").names[:2]] == ["own.csv 1", "own.csv 2"]


def test_a_row_that_the_run_cannot_take_is_refused_and_the_others_go_on(tmp_path):
    data = load(tmp_path, parts())
    frame = parts().astype(object)
    frame.loc[1, "colour"], frame.loc[2, "width"] = "mauve", "wide"
    samples = read_for(data, save(tmp_path / "new.csv", frame))
    first, strange, wide, *others = samples.read(range(ROWS))
    assert isinstance(first, dict)
    assert "expected one of the run's categories, blue, green, red, found 'mauve'" in str(strange)
    assert "expected a finite number, found 'wide'" in str(wide)
    assert all(isinstance(one, dict) for one in others)


def test_a_table_without_a_column_of_the_run_is_refused(tmp_path):
    data = load(tmp_path, parts())
    new = save(tmp_path / "new.csv", parts().drop(columns="colour"))
    with pytest.raises(EdkitError, match=r"no column 'colour', which the run was trained on"):
        read_for(data, new)
    with pytest.raises(EdkitError, match=r"run was trained on none, but takes image"):
        open_tables(new, Fields(image=Field((8, 8, 1))), {})


def test_the_label_is_read_where_it_is_asked_for(tmp_path):
    data = load(tmp_path, parts(), ",label=quality")
    samples = read_for(data, tmp_path / "own.csv", "features", "label")
    every: Any = samples.read(range(4))
    assert [int(one["label"]) for one in every] == [0, 1, 0, 1]


@given(st.lists(st.sampled_from(["1", "2", "10", "x", ""]), min_size=1))
def test_texts_and_their_classes_agree(cells: list[str]) -> None:
    texts = texts_of(pd.Series(cells, dtype="object"))
    classes = categories_of(pd.Series(cells, dtype="object"))
    numbers = class_numbers(texts, classes)
    assert [classes[n] if n >= 0 else "" for n in numbers] == cells
    if set(cells) <= {"1", "2", "10"}:
        assert list(classes) == sorted(classes, key=int)
