"""Runs of 88a7842, one of each model: they open, evaluate, go on, replay and say what is wrong."""

import json
import shutil
from pathlib import Path
from typing import Any

import h5py
import keras
import numpy as np
import pytest

from ed_core import MODELS, EdkitError, Recording, Run, RunFolder, evaluate, open_run
from ed_core.nn.submodels import to_numpy
from ed_core.recording.run_description import FORMAT
from ed_core.training.train import resume

pytestmark = [
    pytest.mark.backend,
    pytest.mark.filterwarnings("ignore:not bit-identical"),
    pytest.mark.filterwarnings("ignore:.*is a run of an earlier version"),
]

LEGACY = Path(__file__).parents[2] / "legacy"
MODEL_RUNS = sorted(path.parent.name for path in LEGACY.glob("*/weights.h5"))
SHARED_PATHS = {  # of these models a variable of the encoder is called like one of the decoder
    *("dense_autoencoder", "conv_autoencoder", "stacked_autoencoder", "vae", "conv_vae"),
    *("conditional_vae", "autoencoder_classifier", "digit_and_angle"),
}


def info_of(name: str) -> dict[str, Any]:
    return json.loads((LEGACY / name / "run.json").read_text("utf-8"))


def steps_of(name: str) -> int:
    """Return how many steps an epoch of a run has, of 8 samples."""
    return int(info_of(name)["samples"]) // 8


def own(name: str) -> None:
    """Leave out a run that another backend trained: each has its turn there."""
    backend = info_of(name)["backend"]
    if backend != keras.config.backend():
        pytest.skip(f"it was trained on {backend}")


def copied(name: str, folder: Path) -> Path:
    """Copy a run, and let its description say where its data lie here."""
    path = folder / name
    shutil.copytree(LEGACY / name, path)
    info = info_of(name)
    kind, _, file = info["data"].rpartition("/")
    if kind:
        info["data"] = f"arrays:path={LEGACY / file}"
    (path / "run.json").write_text(json.dumps(info), "utf-8")
    return path


def test_there_is_a_run_of_every_model() -> None:
    assert set(MODEL_RUNS) == set(MODELS) - {"defect_detector"}  # which came later


@pytest.mark.parametrize("name", MODEL_RUNS)
def test_it_opens_evaluates_and_replays(name: str, tmp_path: Path) -> None:
    own(name)
    path = copied(name, tmp_path)
    run = open_run(path)
    numbers = evaluate(run)
    assert numbers["samples"] > 0
    assert all(np.isfinite(value) for value in numbers.values() if isinstance(value, float))
    with Recording(path) as recording:
        assert not recording.problem
        assert recording.steps.tolist() == [*range(0, 2 * steps_of(name) + 1, 2)]
        for probe in recording.header.probes:
            for frame in range(len(recording)):
                assert recording.read(probe.name, frame)
        assert recording.reference()
    assert open_run(path, weights="best").model.layer_weights


@pytest.mark.parametrize("name", MODEL_RUNS)
def test_it_goes_on(name: str, tmp_path: Path) -> None:
    own(name)
    path = copied(name, tmp_path)
    before = [to_numpy(weight) for weight in open_run(path).model.layer_weights]
    run = resume(path, epochs=3)
    assert run.info["epochs"] == run.info["epochs_done"] == 3
    assert "format" not in run.info  # it stays a run of an earlier version, and goes on saying so
    moved = [
        not np.array_equal(old, to_numpy(new))
        for old, new in zip(before, run.model.layer_weights, strict=True)
    ]
    assert any(moved)
    with Recording(path) as recording:
        assert not recording.problem
        assert recording.steps[-1] == 3 * steps_of(name)


def test_a_stopped_run_ends_with_the_right_weights(tmp_path: Path) -> None:
    backend = keras.config.backend()
    run = resume(copied(f"stopped-{backend}", tmp_path))
    with np.load(LEGACY / f"stopped-{backend}.npz") as right:
        for name, weight in zip(right.files, run.model.layer_weights, strict=True):
            assert to_numpy(weight) == pytest.approx(right[name], abs=1e-6), weight.path


@pytest.mark.parametrize("name", MODEL_RUNS)
@pytest.mark.filterwarnings("default:.*is a run of an earlier version")
def test_it_says_what_was_wrong(name: str, tmp_path: Path) -> None:
    with pytest.warns(UserWarning, match="is a run of an earlier version") as said:
        open_run(copied(name, tmp_path))
    text = str(said[0].message)
    torch = info_of(name)["backend"] == "torch"
    assert ("were not zeroed" in text) == (torch and name in SHARED_PATHS), text
    assert "its best checkpoint was chosen on the test split" in text
    assert "\n" not in text


def test_a_run_of_a_later_version_is_no_damaged_one(tmp_path: Path) -> None:
    path = copied("vae", tmp_path)
    info = json.loads((path / "run.json").read_text("utf-8"))
    (path / "run.json").write_text(json.dumps({**info, "format": FORMAT + 1}), "utf-8")
    with pytest.raises(EdkitError, match="written by a newer version"):
        open_run(path)


def test_what_of_a_recording_is_damaged_is_said_to_whoever_opens_its_run(
    folder: RunFolder, write: Any
) -> None:
    path = write()
    with h5py.File(path, "r+") as file:
        file["scalars"][1, 3] = 1e9
    run = Run(folder, folder.read(), None)  # type: ignore[arg-type]
    with pytest.warns(UserWarning, match=r"0000.h5: 1 damaged row of the scalars left out"):
        assert run.scalars["step"].tolist() == [1, 3, 4]
