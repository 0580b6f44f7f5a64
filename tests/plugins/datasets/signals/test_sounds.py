"""WAV files: every depth reads alike, and a damaged or a foreign file is one line."""

import io
import os
import re
import struct
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st
from scipy.io import wavfile

from ed_core import Dataset, EdkitError, Standardisation, load_data
from ed_core.data.preparation import as_trained, prepared
from ed_core.plugins.findings import block
from ed_core.plugins.spec import InputRecord
from ed_plugins.datasets.signals.wav import read_wav, wav_header

DEPTHS = ["PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE"]
TONE = 0.5 * np.sin(np.arange(4000) / 8000 * 2 * np.pi * 440)


def write(path: Path, samples: np.ndarray = TONE, rate: int = 8000, depth: str = "PCM_16") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, samples, rate, subtype=depth)
    return path


def load(path: Path, *options: str) -> Dataset:
    return load_data(",".join([f"signals:path={path}", "window=256", *options]))


def said(data: Dataset) -> str:
    return " ".join(block(data.input.findings).split())


def test_a_tone_is_alike_at_every_depth(tmp_path: Path) -> None:
    for depth in [*DEPTHS, "test"]:
        write(tmp_path / f"{depth}.wav", depth="PCM_16" if depth == "test" else depth)
    data = load(tmp_path, "test=test")
    tones = data.splits["train"]["signal"].reshape(len(DEPTHS), -1)
    np.testing.assert_allclose(tones, np.tile(TONE[: tones.shape[1]], (6, 1)), atol=0.01)
    np.testing.assert_allclose(tones.std(axis=1), tones.std(), rtol=2e-3)
    assert "6 types of numbers; full scale is 1" in said(data)


@given(
    st.sampled_from(DEPTHS),
    st.sampled_from(["WAV", "WAVEX", "RF64"]),
    st.sampled_from(["FILE", "BIG"]),
    st.integers(1, 3),
    st.integers(0, 2**32 - 1),
)
def test_what_soundfile_writes_reads_back(
    depth: str, form: str, endian: str, channels: int, seed: int
) -> None:
    samples = np.random.default_rng(seed).uniform(-1, 1, (30, channels))
    path = Path(os.environ["EDKIT_CONFIG"]) / "tone.wav"
    path.parent.mkdir(exist_ok=True)
    endian = endian if form == "WAV" else "FILE"
    soundfile.write(path, samples, 8000, subtype=depth, format=form, endian=endian)
    header = wav_header(path)
    assert (header.rate, header.channels, header.frames) == (8000, channels, 30)
    expected = soundfile.read(path, dtype="float64", always_2d=True)[0]
    np.testing.assert_allclose(read_wav(path, header), expected, atol=1e-7)


def test_floats_beyond_1_stay_and_are_said(tmp_path: Path) -> None:
    data = load(write(tmp_path / "a.wav", 5 * TONE, depth="FLOAT"))
    assert data.splits["train"]["signal"].max() == pytest.approx(2.5, rel=1e-3)
    assert "floats beyond 1, up to 2.5, as they are" in said(data)


def test_values_of_before_full_scale_are_refused(tmp_path: Path) -> None:
    whole, floats = (load(write(tmp_path / f"{d}.wav", depth=d)) for d in ("PCM_16", "FLOAT"))
    old = InputRecord({"standardised": "signal", "mean": [20.0], "deviation": [11000.0]})
    with pytest.raises(EdkitError, match=r"not in units of full scale.*: train it again"):
        prepared(whole, old).splits["train"]
    for own in (None, Standardisation("signal")):  # the run's own data may have been others
        with pytest.raises(EdkitError, match="train it again"):
            as_trained(whole, whole.fields, old, own)
    assert np.isfinite(prepared(floats, old).splits["train"]["signal"]).all()
    new = prepared(floats, InputRecord()).input
    assert new.fitted is not None
    assert new.fitted["unit"] == "full scale"
    again = as_trained(whole, whole.fields, new).splits["train"]["signal"]
    assert np.std(again) == pytest.approx(1, rel=1e-3)


def header(form: int = 1, channels: int = 1, rate: int = 8000, frame: int = 2) -> bytes:
    return b"fmt " + struct.pack("<IHHIIHH", 16, form, channels, rate, rate * frame, frame, 16)


def sound(start: bytes, samples: bytes = b"\1\0" * 2000, size: int | None = None) -> bytes:
    stated = len(samples) if size is None else size
    body = b"WAVE" + start + b"data" + struct.pack("<I", stated) + samples
    return b"RIFF" + struct.pack("<I", min(len(body), 2**32 - 1)) + body


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "expected a WAV file, found nothing"),
        (b"fLaC" + bytes(50), "expected a WAV file, found a file that begins with b'fLaC'"),
        (sound(b""), "found its header alone: it is cut off or damaged; copy it again"),
        (sound(header())[:30], "found its header alone"),
        (sound(header(), size=9999), r"says 9,999 bytes of samples \(2 a frame\), found 4,000: it"),
        (sound(header(), b"\1\0\1"), r"says 3 bytes of samples \(2 a frame\), found 3: it is cut"),
        (sound(header(), b""), r"expected samples, found none: leave it out"),
        (sound(header(7, frame=1)), "expected whole numbers .* found µ-law: convert it.*ffmpeg"),
        (sound(header(85)), "found MP3: convert it"),
        (sound(header(channels=0)), "frames of 2 bytes for channels: 0, which is no sound"),
        (sound(header(rate=0)), "16 bits at 0 Hz, and frames of 2 bytes .* which is no sound"),
        (sound(header(frame=7)), "frames of 7 bytes for channels: 1, which is no sound"),
    ],
)
def test_a_damaged_or_foreign_file_is_one_line(
    tmp_path: Path, content: bytes, message: str
) -> None:
    (tmp_path / "a.wav").write_bytes(content)
    with pytest.raises(EdkitError, match=message) as caught:
        load(tmp_path / "a.wav")
    assert re.fullmatch(r"'[^\n]*a.wav'[^\n]*\.", str(caught.value))


def test_a_sound_from_a_pipe_ends_where_the_file_does(tmp_path: Path) -> None:
    (tmp_path / "a.wav").write_bytes(sound(header(), size=2**32 - 1))
    assert len(load(tmp_path / "a.wav").whole["signal"]) == 7  # type: ignore[index]


def test_a_file_larger_than_the_memory_is_not_read(tmp_path: Path) -> None:
    size = 2**42
    long = b"ds64" + struct.pack("<IQQQI", 28, size + 72, size, size // 2, 0)
    start = b"RF64" + b"\xff" * 4 + b"WAVE" + long + header() + b"data" + b"\xff" * 4
    with (tmp_path / "a.wav").open("wb") as file:
        file.write(start)
        file.truncate(len(start) + size)
    with pytest.raises(EdkitError, match=r"a.wav' would take 12,288.0 GB of memory"):
        load(tmp_path / "a.wav")


@pytest.mark.parametrize("missing", ["drop", "fill", "mask"])
def test_gaps_of_floats(tmp_path: Path, missing: str) -> None:
    samples = np.arange(4000) / 4000
    samples[300:302] = np.nan, np.inf
    path = write(tmp_path / "a.wav", samples, depth="FLOAT")
    with pytest.raises(EdkitError, match=r"frame 300, channel 1: .* in 2 of 4,000 .* missing=drop"):
        load(path)
    data = load(path, f"missing={missing}")
    train = data.splits["train"]
    if missing == "drop":
        np.testing.assert_allclose(train["signal"][1:3, 0, 0], [302 / 4000, 558 / 4000], rtol=1e-5)
        np.testing.assert_allclose(train["time"][1:3], [302 / 8000, 558 / 8000])
        assert "2 left out: with a gap" in said(data)
    elif missing == "fill":
        np.testing.assert_allclose(train["signal"].ravel(), np.arange(3072) / 4000, atol=1e-6)
    else:
        assert np.flatnonzero(np.isnan(train["signal"])).tolist() == [300, 301]
        with pytest.raises(EdkitError, match=r"cannot be resampled: say missing=fill"):
            load(path, "missing=mask", "rate=4000")
        load(path, "missing=fill", "rate=4000")


def test_the_remedies_of_rates_and_channels_work(tmp_path: Path) -> None:
    write(tmp_path / "a.wav", rate=16000)
    write(tmp_path / "b.wav", np.stack([TONE, -TONE], axis=1))
    with pytest.raises(EdkitError) as caught:
        load(tmp_path)
    remedies = re.findall(r"(?:rate|channels)=\w+", str(caught.value))
    assert remedies == ["rate=8000", "channels=mono"]
    for missing in remedies:
        with pytest.raises(EdkitError, match="expected files of one kind"):
            load(tmp_path, missing)
    mean = load(tmp_path, *remedies, "test=b").splits["test"]["signal"]
    np.testing.assert_allclose(mean, 0, atol=1e-4)
    first = load(tmp_path, "rate=8000", "channels=first", "test=b").splits["test"]["signal"]
    np.testing.assert_allclose(first.ravel(), TONE[: first.size], atol=1e-4)


def test_a_folder_a_class_with_what_lies_beside(tmp_path: Path) -> None:
    for name in ("yes", "nö"):
        for number in range(5):
            write(tmp_path / name / "deep" / f"{number}.wav", TONE[:600])
    (tmp_path / "yes" / "._0.wav").write_bytes(b"of a Mac")
    (tmp_path / "notes.txt").write_text("none of it")
    (tmp_path / "labels.csv").write_text("a,b\n1,2\n")
    (tmp_path / "yes" / "loop").symlink_to(tmp_path)
    os.mkfifo(tmp_path / "yes" / "pipe.wav")
    data = load(tmp_path, "labels=yes")
    assert data.fields["label"].classes == ("nö", "yes")
    np.testing.assert_array_equal(np.bincount(data.splits["train"]["label"]), [8, 8])
    assert "10 WAV, all of them in folders below" in said(data)
    left = "4 left out: 1 .csv, 1 .txt, 1 hidden, 1 broken or special beside WAV"
    assert f"{left} (path={tmp_path}/*.csv)" in said(data)
    assert "2 classes by the names of folders" in said(data)
    write(tmp_path / "lone_1.wav")
    with pytest.raises(EdkitError, match=r"lone_1.wav' lies beside folders.*move it"):
        load(tmp_path, "labels=yes")


def test_folders_that_are_splits(tmp_path: Path) -> None:
    for split, number in (("train", 4), ("val", 2), ("Test", 3)):
        for name in ("a", "b"):
            for one in range(number):
                write(tmp_path / split / name / f"{one}.wav", TONE[:300])
    data = load(tmp_path, "labels=yes")
    assert {s: len(x["label"]) for s, x in data.splits.items()} == {
        "train": 8,
        "test": 6,
        "validation": 4,
    }
    assert data.fields["label"].classes == ("a", "b")
    assert "by folders: 8 train, 6 test, 4 validation files (split=files)" in said(data)
    drawn = load(tmp_path, "split=files")
    assert [len(x["time"]) for x in drawn.splits.values()] == [14, 4]


def test_names_of_a_mac_are_the_same_class(tmp_path: Path) -> None:
    for number, name in enumerate(["größe", "gro\u0308ße", "klein", "klein"]):
        write(tmp_path / f"{name}_{number}.wav", TONE[:300])
    assert load(tmp_path, "labels=yes").fields["label"].classes == ("größe", "klein")
    assert len(load(tmp_path, "test=gr\u00f6ße_*").splits["test"]["time"]) == 2


@pytest.mark.parametrize("option", ["columns=1", "clock=none", "decimal=,", "heading=no"])
def test_an_option_of_tables_is_none_of_sounds(tmp_path: Path, option: str) -> None:
    with pytest.raises(EdkitError, match="is about tables, received with WAV files alone"):
        load(write(tmp_path / "a.wav"), option)


def test_windows_too_many_for_the_memory(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    wavfile.write(path, 8000, np.zeros(10**7, "uint8"))
    with pytest.raises(EdkitError, match=r"would take .* of memory, .*: give a larger 'hop'"):
        load_data(f"signals:path={path},window=1000000,hop=1")


def test_a_reader_that_fails_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(path: Path) -> None:
        raise ValueError("Some foreign\nsentence.")

    path = write(tmp_path / "a.wav")
    monkeypatch.setattr(wavfile, "read", broken)
    with pytest.raises(EdkitError, match=r"expected 4,000 frames of 16 bits, .* \(Some foreign se"):
        read_wav(path, wav_header(path))


def test_a_header_of_bytes_is_read_as_scipy_writes_it() -> None:
    file = io.BytesIO()
    wavfile.write(file, 8000, np.zeros(3, "int16"))
    assert file.getvalue()[12:36] == header()


@pytest.mark.parametrize("form", ["all/data/{split}/{name}", "{name}/{split}"])
def test_splits_and_classes_in_folders_further_down(tmp_path: Path, form: str) -> None:
    for split in ("train", "test"):
        for name in ("no", "yes"):
            for number in range(2):
                write(tmp_path / form.format(split=split, name=name) / f"{number}.wav", TONE[:600])
    data = load(tmp_path, "labels=yes")
    assert data.fields["label"].classes == ("no", "yes")
    assert "by folders: 4 train, 4 test files" in said(data)


def test_other_sounds_are_told_how_to_be_converted(tmp_path: Path) -> None:
    (tmp_path / "a.flac").write_bytes(b"fLaC" + bytes(99))
    for path in (tmp_path, tmp_path / "a.flac"):
        with pytest.raises(EdkitError, match=r"convert it to WAV, such as by ffmpeg -i OLD.flac"):
            load(path)
