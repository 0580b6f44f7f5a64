"""Windows of WAV and CSV files: nothing of the test is in the training, and nothing is rescaled."""

import io
import os
import re
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.io import wavfile

from ed_core import Dataset, EdkitError, load_data
from ed_core.data.preparation import prepared
from ed_core.data.selection import select
from ed_core.plugins.options import FilePath
from ed_core.plugins.spec import InputRecord
from ed_plugins.datasets.signals.electrocardiogram import electrocardiogram
from ed_plugins.datasets.signals.files import find_recordings
from ed_plugins.datasets.signals.loader import signals, windows


def load(path: Path, **options: Any) -> Any:
    return signals(path=FilePath(str(path)), **options)


def scaled(data: Dataset) -> Dataset:
    """The data set as it is trained on where nothing is kept aside."""
    return prepared(data, InputRecord())


def write(path: Path, samples: np.ndarray, rate: int = 8000) -> Path:
    wavfile.write(path, rate, samples)
    return path


def sound(length: int, seed: int = 0, channels: int = 1) -> np.ndarray:
    samples = np.random.default_rng(seed).normal(500, 3000, (length, channels))
    return samples.clip(-32768, 32767).astype("int16")


@given(st.integers(0, 60), st.integers(1, 20), st.integers(1, 25), st.integers(1, 3))
def test_windows_hold_the_signal_in_its_order(
    length: int, window: int, hop: int, channels: int
) -> None:
    signal = np.arange(length * channels, dtype="float32").reshape(length, channels)
    cut = windows(signal, window, hop)
    assert cut.shape == (max(0, length - window) // hop + 1, window, channels)
    assert cut.flags.c_contiguous
    for number, part in enumerate(cut):
        there = signal[number * hop : number * hop + window]
        np.testing.assert_array_equal(part[: len(there)], there)
        assert np.isnan(part[len(there) :]).all()


FULL = {"uint8": (128, 128), "int16": (0, 2**15), "int32": (0, 2**31), "float32": (0, 1)}


@pytest.mark.parametrize("dtype", FULL)
@pytest.mark.parametrize("channels", [1, 2])
def test_one_file_is_split_by_time_and_scaled_by_its_training_part(
    tmp_path: Path, dtype: str, channels: int
) -> None:
    samples = np.random.default_rng(1).normal(100, 20, (1000, channels)).round().astype(dtype)
    samples[800:] //= 2  # the test part is another: its mean must not matter
    zero, full = FULL[dtype]
    numbers = (samples.astype("f8") - zero) / full
    raw = load(write(tmp_path / "a.wav", samples), window=50)
    assert raw.fields["signal"].shape == (50, channels)
    cut = np.concatenate([raw.splits[split]["signal"] for split in ("train", "test")])
    np.testing.assert_array_equal(cut.reshape(1000, channels), numbers.astype("float32"))
    data = scaled(raw)
    train, test = (data.splits[split]["signal"] for split in ("train", "test"))
    assert (len(train), len(test)) == (16, 4)
    assert train.dtype == np.dtype("float32")
    np.testing.assert_allclose(train.mean(axis=(0, 1)), 0, atol=1e-5)
    np.testing.assert_allclose(train.std(axis=(0, 1)), 1, rtol=1e-5)
    mean, deviation = samples[:800].mean(axis=0), samples[:800].std(axis=0)
    expected = (samples - mean) / deviation
    found = np.concatenate([train, test]).reshape(1000, channels)
    np.testing.assert_allclose(found, expected, atol=1e-4)


def test_what_is_kept_aside_is_the_end_and_no_part_of_the_scale(tmp_path: Path) -> None:
    samples = np.random.default_rng(1).normal(100, 20, (1000, 2)).round().astype("int16")
    samples[700:] //= 2
    data = load(write(tmp_path / "a.wav", samples), window=50, hop=25)
    held = select(data, (), {"validation": 0.1})
    numbers = samples / 2**15
    mean, deviation = numbers[:700].mean(axis=0), numbers[:700].std(axis=0)
    windows_ = {split: arrays["signal"] for split, arrays in held.splits.items()}
    # 31 windows before sample 800: the last 3 are kept aside, one overlaps them and is left out.
    assert {split: len(found) for split, found in windows_.items()} == {
        "train": 27,
        "test": 7,
        "validation": 3,
    }
    np.testing.assert_allclose(held.input.fitted["mean"], mean, rtol=0.01)
    first = (numbers[700:750] - held.input.fitted["mean"]) / held.input.fitted["deviation"]
    np.testing.assert_allclose(windows_["validation"][0], first, atol=1e-4)
    np.testing.assert_allclose(held.input.fitted["deviation"], deviation, rtol=0.05)


def test_no_window_is_on_both_sides_even_if_windows_overlap(tmp_path: Path) -> None:
    data = load(write(tmp_path / "a.wav", np.arange(1000, dtype="int16")), window=50, hop=1)
    train, test = (data.splits[split]["signal"] for split in ("train", "test"))
    assert (len(train), len(test)) == (751, 151)
    assert train.max() < test.min()


def test_files_are_split_and_every_class_is_on_both_sides(tmp_path: Path) -> None:
    for number in range(10):
        for name in ("yes", "no"):
            write(tmp_path / f"{name}_{number}.wav", sound(100 + number, number))
    data = load(tmp_path, window=100, labels=True)
    assert data.fields["label"].classes == ("no", "yes")
    np.testing.assert_array_equal(np.bincount(data.splits["train"]["label"]), [8, 8])
    np.testing.assert_array_equal(np.bincount(data.splits["test"]["label"]), [2, 2])
    again = load(tmp_path, window=100, labels=True)
    np.testing.assert_array_equal(data.splits["test"]["signal"], again.splits["test"]["signal"])


def test_a_pattern_chooses_the_test_files_and_labels_follow_the_files(tmp_path: Path) -> None:
    for number, name in enumerate(["a_x_0", "a_x_1", "b_x_0", "b_x_1"]):
        write(tmp_path / f"{name}.wav", np.full(30, 100 * number, "int16"))
    data = load(tmp_path, window=10, labels=True, test="*_0")
    means = {k: v["signal"].mean(axis=(1, 2)) for k, v in scaled(data).splits.items()}
    expected = (np.array([0, 200, 100, 300]) - 200) / 100  # trained on 100 and 300
    np.testing.assert_allclose(means["test"], np.repeat(expected[:2], 3), atol=1e-6)
    np.testing.assert_allclose(means["train"], np.repeat(expected[2:], 3), atol=1e-6)
    for arrays in data.splits.values():
        np.testing.assert_array_equal(arrays["label"], np.repeat([0, 1], 3))


def test_short_files_are_filled_up_with_the_mean(tmp_path: Path) -> None:
    for name in ("a", "b"):
        write(tmp_path / f"{name}.wav", sound(70))
    data = load(tmp_path, window=100)
    (window,) = data.splits["train"]["signal"]
    assert np.isnan(window[70:]).all()
    (window,) = scaled(data).splits["train"]["signal"]
    assert not window[70:].any()
    np.testing.assert_allclose(window[:70].mean(), 0, atol=1e-5)


def test_a_silent_channel_stays_finite(tmp_path: Path) -> None:
    samples = sound(500, channels=2)
    samples[:, 1] = 7
    data = scaled(load(write(tmp_path / "a.wav", samples), window=20))
    assert not data.splits["train"]["signal"][..., 1].any()


def test_rate_resamples_a_sine_to_the_same_sine(tmp_path: Path) -> None:
    time = np.arange(8000) / 800
    wave = (1000 + 9000 * np.sin(2 * np.pi * 5 * time)).astype("int16")
    slow = scaled(load(write(tmp_path / "a.wav", wave, 800), rate=200, window=40))
    signal = np.concatenate([slow.splits[s]["signal"] for s in ("train", "test")]).ravel()
    assert len(signal) == 2000
    expected = np.sqrt(2) * np.sin(2 * np.pi * 5 * np.arange(2000) / 200)
    np.testing.assert_allclose(signal[50:-50], expected[50:-50], atol=0.02)


def test_without_files_there_is_a_made_electrocardiogram() -> None:
    data = load_data("signals:window=128,seed=2")
    assert list(data.fields) == ["signal", "time"]
    np.testing.assert_array_equal(data.splits["train"]["time"][:3], [0, 1, 2])
    assert data.splits["train"]["signal"].shape == (2880, 128, 1)
    wave = electrocardiogram(np.random.default_rng(0), 60 * 128, 128)[:, 0]
    peaks = np.flatnonzero((wave[1:-1] > 0.6) & (wave[1:-1] >= wave[:-2]) & (wave[1:-1] > wave[2:]))
    beats = 1 + np.sum(np.diff(peaks) > 40)  # noise may give a beat two peaks
    assert 50 <= beats <= 70  # a minute
    assert 0.8 < wave.max() < 1.6  # mV


def bad(name: str, content: bytes) -> Any:
    return pytest.param(name, content, id=name.partition(".")[0])


def wav(samples: np.ndarray) -> bytes:
    file = io.BytesIO()
    wavfile.write(file, 8000, samples)
    return file.getvalue()


GOOD = wav(sound(500))


@pytest.mark.parametrize(
    ("name", "content"),
    [
        bad("truncated.wav", GOOD[:600]),
        bad("odd.wav", GOOD[:601]),
        bad("header_alone.wav", GOOD[:44]),
        bad("cut_header.wav", GOOD[:30]),
        bad("empty.wav", b""),
        bad("text.wav", b"this is no sound at all"),
        bad("no_channel.wav", GOOD[:22] + struct.pack("<H", 0) + GOOD[24:]),
        bad("nan.wav", wav(np.array([0, np.nan, 1], "float32"))),
        bad("infinite.csv", b"1\n1e300\n"),
        bad("words.csv", b"a,b\n1,two\n"),
        bad("ragged.csv", b"1,2\n3\n"),
        bad("gap.csv", b"1,2\n3,\n"),
        bad("heading.csv", b"a,b\n"),
        bad("empty_table.csv", b""),
        bad("clock.csv", b"time\n1\n2\n"),
        bad("binary.csv", bytes(range(256))),
    ],
)
def test_a_bad_file_is_one_line_that_names_it(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(EdkitError) as caught:
        load(tmp_path / name)
    assert re.fullmatch(rf"'[^\n]*{name}'[^\n]*\.", str(caught.value))


@pytest.mark.parametrize(
    ("files", "options", "message"),
    [
        ({}, {}, "expected WAV or CSV files in this folder, found none"),
        ({"a_1.wav": sound(300)}, {}, "'a_1.wav' has 300 samples: expected at least 1280"),
        (
            {"a.wav": sound(300), "b.wav": sound(300, channels=2)},
            {},
            "b.wav' has 2 channels at 8000 Hz, but 'a.wav' has 1 channel at 8000 Hz",
        ),
        (
            {"a.wav": sound(9), "b_1.wav": sound(9)},
            {"labels": True},
            "a.wav': expected a name such",
        ),
        ({"a_1.wav": sound(9), "a_2.wav": sound(9)}, {"labels": True}, "found 'a' alone"),
        (
            {"a_1.wav": sound(9), "b_1.wav": sound(9)},
            {"labels": True},
            "no class has two files",
        ),
        (
            {"a.wav": sound(9), "b.wav": sound(9)},
            {"test": "c*"},
            "found 0 of 2 to test, the first being 'a.wav' (option 'test' takes 'c*')",
        ),
        ({"a.wav": sound(9), "b.wav": sound(9)}, {"test": "*"}, "found 2 of 2 to test"),
        ({}, {"window": 1}, "option 'window' is at least 2, received 1"),
        ({}, {"hop": -1}, "option 'hop' is at least 0, received -1"),
    ],
)
def test_what_does_not_fit_is_named(
    tmp_path: Path, files: dict[str, np.ndarray], options: dict[str, Any], message: str
) -> None:
    for name, samples in files.items():
        write(tmp_path / name, samples)
    with pytest.raises(EdkitError, match=re.escape(message)):
        load(tmp_path, **options)


def test_two_rates_are_one_after_resampling(tmp_path: Path) -> None:
    write(tmp_path / "a.wav", sound(4000), 8000)
    write(tmp_path / "b.wav", sound(8000), 16000)
    with pytest.raises(EdkitError, match=r"b\.wav' has 1 channel at 16000 Hz"):
        load(tmp_path)
    data = load(tmp_path, rate=8000, window=400)
    assert [len(data.splits[s]["signal"]) for s in ("train", "test")] == [10, 10]


def test_a_path_that_is_not_there_is_named(tmp_path: Path) -> None:
    for path in (tmp_path / "none.wav", tmp_path / "none" / "*.wav", tmp_path / "*.wav"):
        with pytest.raises(EdkitError, match=r"does not exist: expected a WAV or CSV file"):
            load(path)


def test_options_about_files_need_a_path() -> None:
    for options in ({"labels": True}, {"test": "*"}, {"split": "files"}):
        with pytest.raises(EdkitError, match="give 'path'"):
            signals(**options)  # type: ignore[arg-type]


def test_the_real_electrocardiogram(data_folder: Path) -> None:
    if not (data_folder / "ecg_mitbih100").is_dir():
        pytest.skip(f"no ecg_mitbih100 in {data_folder}")
    both = load_data(f"signals:{data_folder}/ecg_mitbih100/*.wav,split=time,window=360")
    assert both.splits["train"]["signal"].shape == (2 * 520000 // 360, 360, 1)
    one = load_data(f"signals:{data_folder}/ecg_mitbih100/100_MLII.wav,window=360")
    assert len(one.splits["test"]["signal"]) == 130000 // 360


def test_the_spoken_digits_and_their_official_split(data_folder: Path) -> None:
    folder = data_folder / "spoken_digits"
    if not folder.is_dir():
        pytest.skip(f"no spoken_digits in {data_folder}")
    data = load_data(f"signals:{folder},labels=yes,test=*_[0-4],window=20000")
    assert data.fields["label"].classes == tuple("0123456789")
    for split, count in (("train", 24), ("test", 6)):  # of two speakers, index 5 to 16 and 0 to 2
        np.testing.assert_array_equal(np.bincount(data.splits[split]["label"]), [count] * 10)


@pytest.mark.parametrize("name", ["", "a.wav", "*.wav"])
def test_a_file_that_hangs_whoever_opens_it_is_passed_over(tmp_path: Path, name: str) -> None:
    os.mkfifo(tmp_path / "a.wav")
    with pytest.raises(EdkitError, match=r"expected (a )?WAV or CSV file"):
        find_recordings(tmp_path / name)
