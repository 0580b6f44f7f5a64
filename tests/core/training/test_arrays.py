"""Training on the arrays of a program: as they lie, never kept, and never mistaken for others."""

from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

import ed_core
from ed_core import EdkitError
from ed_core.evaluation import evaluate

pytestmark = [pytest.mark.backend, pytest.mark.usefixtures("tiny")]


@pytest.fixture
def arrays(tiny: Any) -> dict[str, np.ndarray]:
    return {name: array[:96] for name, array in tiny.splits["train"].items()}


def numbers(measured: dict[str, Any]) -> dict[str, float]:
    return {name: value for name, value in measured.items() if isinstance(value, float)}


def lie_as(kind: str, arrays: dict[str, np.ndarray], folder: Path) -> dict[str, Any]:
    """The arrays as numpy, as a file of numpy that is mapped into memory, or as HDF5."""
    if kind == "numpy":
        return arrays
    if kind == "memmap":
        for name, array in arrays.items():
            np.save(folder / f"{name}.npy", array)
        return {name: np.load(folder / f"{name}.npy", mmap_mode="r") for name in arrays}
    file = h5py.File(folder / "arrays.h5", "w")
    for name, array in arrays.items():
        file[name] = array
    return dict(file.items())


@pytest.mark.parametrize("kind", ["numpy", "memmap", "hdf5"])
def test_arrays_are_trained_on_as_they_lie(tmp_path, fast, arrays, kind):
    run = fast(tmp_path / "runs", data=lie_as(kind, arrays, tmp_path), epochs=1)
    assert run.info["data"] == "arrays"
    assert run.info["fields"]["label"]["kind"] == "class"
    assert run.info["fields"]["has_label"]["kind"] == "mask"
    assert run.info["fields"]["angle"]["kind"] == "value"
    assert run.info["fingerprint"]["train"]["samples"] == 69  # of 96, less a fifth and a tenth
    assert run.info["input"]["reading"]["arrays"]["image"]["axes"] == "NHWC"
    assert evaluate(run)["samples"] == 19


def test_arrays_in_splits_and_those_that_are_no_field(tmp_path, fast, arrays, capsys):
    named = {
        f"{split}/{name}": array for split in ("train", "test") for name, array in arrays.items()
    }
    run = fast(
        tmp_path, data={**named, "train/odd": np.zeros(5), "test/odd": np.zeros(5)}, epochs=1
    )
    assert evaluate(run)["samples"] == 96
    assert "1 left out: in split 'train' expected as many samples" in capsys.readouterr().err


def test_the_same_arrays_are_given_again_and_others_are_not_taken_for_them(tmp_path, fast, arrays):
    run = fast(tmp_path, data=arrays, epochs=1)
    with pytest.raises(EdkitError, match=r"arrays of a program is given them again"):
        ed_core.resume(run.path, epochs=2)
    other = {**arrays, "image": arrays["image"][::-1]}
    with pytest.raises(EdkitError, match=r"the samples of split 'train' are others now"):
        ed_core.resume(run.path, epochs=2, data=other)
    assert ed_core.resume(run.path, epochs=2, data=arrays).info["epochs_done"] == 2


def test_a_run_on_a_data_set_takes_no_arrays_in_its_place(tmp_path, fast, arrays):
    run = fast(tmp_path, epochs=1)
    with pytest.raises(EdkitError, match=r"was trained on 'stripes', received arrays: leave"):
        ed_core.resume(run.path, epochs=2, data=arrays)


def test_a_run_is_measured_on_its_own_arrays_and_on_all_of_others(tmp_path, fast, arrays):
    run = fast(tmp_path, data=arrays, epochs=1)
    again = ed_core.open_run(run.path)
    own = evaluate(again, arrays)
    assert own["split"] == "test"
    assert numbers(own) == pytest.approx(numbers(evaluate(run)))
    few = {name: array[:30] for name, array in arrays.items()}
    assert (evaluate(again, few)["split"], evaluate(again, few)["samples"]) == ("all", 30)
    with pytest.raises(EdkitError, match=r"field 'image' is image \(6, 5, 1\)"):
        evaluate(again, {**few, "image": few["image"][:, :, :5]})


def test_a_run_on_a_data_set_is_measured_on_arrays(tmp_path, fast, arrays):
    run = fast(tmp_path, epochs=1)
    few = {name: array[:30] for name, array in arrays.items()}
    assert evaluate(run, few)["samples"] == 30


@pytest.mark.once
@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({}, "expected arrays SPLIT/FIELD or FIELD, found none"),
        ({"image": np.zeros((40, 6, 6))}, "needs field 'label'|needs a field|needs 'label'"),
        ({"image": [object(), object()]}, "array 'image': expected"),
    ],
)
def test_what_cannot_be_trained_on_leaves_nothing(tmp_path, fast, data, message):
    with pytest.raises(EdkitError, match=message):
        fast(tmp_path / "runs", data=data)
    assert not (tmp_path / "runs").exists()
