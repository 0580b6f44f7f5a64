"""Recordings of a user read for a run: cut as its own were, each window named by its time."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.io import wavfile

from ed_core import Dataset, EdkitError, Field, Fields, FileSamples, load_data
from ed_plugins.datasets.signals.reader import open_signals

RANDOM = np.random.default_rng(0)
SOUND = RANDOM.integers(-30_000, 30_000, (20_000, 1), "int16")
DATES = pd.date_range("2026-01-31 12:00", periods=2000, freq="10min")
TABLE = pd.DataFrame({"Zeit": DATES, "speed": RANDOM.random(2000), "torque": RANDOM.random(2000)})


def write(path: Path, samples: np.ndarray, rate: int = 8000) -> Path:
    wavfile.write(path, rate, samples)
    return path


def table(path: Path, frame: pd.DataFrame) -> Path:
    if path.suffix == ".parquet":
        pytest.importorskip("pyarrow")
        frame.to_parquet(path)
    else:
        frame.to_csv(path, index=False)
    return path


def read_for(data: Dataset, path: Path) -> FileSamples:
    reading = json.loads(json.dumps(data.input.reading))
    return open_signals(path, data.fields, reading)


def stacked(samples: FileSamples) -> np.ndarray:
    every = samples.read(range(len(samples.names)))
    assert all(isinstance(one, dict) for one in every), every
    return np.stack([one["signal"] for one in every if isinstance(one, dict)])


@pytest.mark.parametrize("hop", [0, 100])
@pytest.mark.parametrize("kind", ["int16", "uint8", "int32", "float32"])
def test_the_windows_of_a_sound_are_those_of_the_training(tmp_path, hop, kind):
    samples = (SOUND // 256 + 128).astype("uint8") if kind == "uint8" else SOUND.astype(kind)
    path = write(tmp_path / "a.wav", samples)
    data = load_data(f"signals:path={path},hop={hop},window=200")
    again = read_for(data, path)
    assert data.whole is not None
    np.testing.assert_array_equal(stacked(again), data.whole["signal"])
    step = (hop or 200) / 8000
    assert again.names[:3] == ["a.wav 0 s", f"a.wav {step:g} s", f"a.wav {2 * step:g} s"]
    np.testing.assert_allclose([one["time"] for one in again.read(range(2))], [0, step])


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_the_windows_of_a_table_are_named_by_the_time_of_their_first_row(tmp_path, ending):
    path = table(tmp_path / f"own.{ending}", TABLE)
    data = load_data(f"signals:path={path},window=100")
    again = read_for(data, path)
    np.testing.assert_array_equal(stacked(again), data.whole["signal"])
    assert again.names[1] == f"own.{ending} 2026-02-01T04:40:00"


def test_columns_are_found_by_their_names_in_any_order(tmp_path):
    data = load_data(f"signals:path={table(tmp_path / 'own.csv', TABLE)},window=100")
    other = TABLE[["torque", "Zeit", "speed"]].assign(more=1)
    again = read_for(data, table(tmp_path / "new.csv", other))
    np.testing.assert_array_equal(stacked(again), data.whole["signal"])


def test_rows_without_a_clock_are_named_by_their_number(tmp_path):
    path = tmp_path / "own.csv"
    np.savetxt(path, RANDOM.random((1000, 2)), delimiter=",")
    data = load_data(f"signals:path={path},window=64")
    assert read_for(data, path).names[:2] == ["own.csv 0", "own.csv 64"]


def test_gaps_are_gaps_as_in_training(tmp_path):
    gaps = TABLE.copy()
    gaps.loc[300:320, "speed"] = np.nan
    path = table(tmp_path / "own.csv", gaps)
    for missing in ("drop", "fill", "mask"):
        data = load_data(f"signals:path={path},window=100,missing={missing}")
        again = read_for(data, path)
        np.testing.assert_array_equal(stacked(again), data.whole["signal"])
        assert again.fields["signal"].partial == (missing == "mask")


def test_another_rate_is_brought_to_that_of_the_run_and_said(tmp_path):
    data = load_data(f"signals:path={write(tmp_path / 'own.wav', SOUND)},window=200")
    again = read_for(data, write(tmp_path / "fast.wav", SOUND, 16_000))
    assert len(again.names) == 50
    assert "resampled from 16000 Hz to 8000 Hz" in [one.text for one in again.findings]


def test_what_cannot_be_brought_to_the_run_is_refused_by_name(tmp_path):
    sounds = load_data(f"signals:path={write(tmp_path / 'own.wav', SOUND)},window=200")
    stereo = write(tmp_path / "stereo.wav", np.repeat(SOUND, 2, axis=1))
    with pytest.raises(EdkitError, match=r"stereo.wav' has 2 channels, .* trained on 1: give"):
        read_for(sounds, stereo)
    tables = load_data(f"signals:path={table(tmp_path / 'own.csv', TABLE)},window=100")
    with pytest.raises(EdkitError, match=r"no column 'torque', which the run was trained on"):
        read_for(tables, table(tmp_path / "less.csv", TABLE[["Zeit", "speed"]]))
    fast = TABLE.assign(Zeit=pd.date_range("2026-01-31", periods=2000, freq="1min"))
    with pytest.raises(EdkitError, match=r"fast.csv' has a step of 60 s, .* on one of 600"):
        read_for(tables, table(tmp_path / "fast.csv", fast))
    with pytest.raises(EdkitError, match=r"holds signals, and the run takes image"):
        open_signals(stereo, Fields(image=Field((8, 8, 1))), {})


def test_a_folder_goes_on_past_a_file_that_cannot_be_read(tmp_path):
    folder = tmp_path / "new"
    folder.mkdir()
    data = load_data(f"signals:path={table(tmp_path / 'own.csv', TABLE)},window=100")
    table(folder / "a.csv", TABLE[:250])
    (folder / "b.csv").write_text("only words\n")
    samples = read_for(data, folder)
    assert [name.partition(" ")[0] for name in samples.names] == ["a.csv", "a.csv", "b.csv"]
    *good, bad = samples.read(range(3))
    assert isinstance(bad, EdkitError)
    np.testing.assert_array_equal([one["signal"] for one in good], data.whole["signal"][:2])
    left = {one.about: one.left_out for one in samples.findings}
    assert left["samples"] == 50
