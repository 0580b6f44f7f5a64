"""Arrays of a user read for a run: as the run's own were, one by one, and never by a guess."""

import json
import tracemalloc
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from ed_core import Dataset, EdkitError, Fields, FileSamples, load_data
from ed_plugins.datasets.arrays.reader import open_arrays

RANDOM = np.random.default_rng(0)
DEEP = RANDOM.integers(0, 4096, (20, 8, 8, 1), "uint16")
ANIMALS = np.repeat(["cat", "dog"], 10)


def train_on(folder: Path, options: str = "", **named: Any) -> Dataset:
    np.savez(folder / "own.npz", **named)
    return load_data(f"arrays:{folder}/own.npz{options}")


def save(path: Path, **named: Any) -> Path:
    if path.suffix == ".npy":
        np.save(path, *named.values())
    elif path.suffix == ".h5":
        with h5py.File(path, "w") as file:
            for name, array in named.items():
                file[name] = array
    else:
        np.savez(path, **named)
    return path


def read_for(data: Dataset, path: Path, *names: str) -> FileSamples:
    reading = json.loads(json.dumps(data.input.reading))
    return open_arrays(path, Fields({n: data.fields[n] for n in names or ("image",)}), reading)


def stacked(samples: FileSamples, name: str = "image") -> np.ndarray:
    every = samples.read(range(len(samples.names)))
    assert all(isinstance(one, dict) for one in every), every
    return np.stack([one[name] for one in every if isinstance(one, dict)])


@pytest.mark.parametrize("ending", ["npz", "npy", "h5"])
@pytest.mark.parametrize(
    "image",
    [
        DEEP,
        DEEP.astype("uint8"),
        DEEP / 4095,
        DEEP / 2047.5 - 1,
        DEEP.transpose(0, 3, 1, 2),
        RANDOM.random((20, 3, 8, 9)),
    ],
    ids=["12 bits", "bytes", "floats", "signed", "channels first", "colour"],
)
def test_the_runs_own_samples_are_read_as_it_was_trained_on_them(tmp_path, image, ending):
    data = train_on(tmp_path, image=image)
    samples = read_for(data, save(tmp_path / f"new.{ending}", image=image))
    assert data.whole is not None
    np.testing.assert_array_equal(stacked(samples), data.whole["image"][:])
    assert [*samples.names] == [f"new.{ending} {row}" for row in range(20)]
    assert samples.fields["image"] == data.fields["image"]


def test_a_dark_image_is_read_by_the_white_of_the_run_and_a_brighter_one_refused(tmp_path):
    data = train_on(tmp_path, image=DEEP)
    dark = save(tmp_path / "dark.npy", x=DEEP[:2] // 16)  # of 8 bits, were it alone
    np.testing.assert_allclose(stacked(read_for(data, dark)), DEEP[:2] // 16 / 4095, rtol=1e-6)
    bright = save(tmp_path / "bright.npy", x=DEEP[:2] * 2)
    with pytest.raises(EdkitError, match=r"bright.npy.*expected numbers from 0 to 4095.*bring"):
        read_for(data, bright)


def test_the_range_that_was_stated_cuts_what_lies_beyond_and_says_so(tmp_path):
    data = train_on(tmp_path, ",range=0..2000", image=DEEP)
    samples = read_for(data, save(tmp_path / "new.npy", x=DEEP[:3]))
    np.testing.assert_allclose(stacked(samples), (DEEP[:3] / 2000).clip(0, 1), rtol=1e-5)
    assert [one.text for one in samples.findings if "beyond 0..2000 are cut" in one.text]


@pytest.mark.parametrize(
    ("new", "message"),
    [
        ({"image": RANDOM.random((2, 8, 8, 4))}, "expected images of 1 channels.*found"),
        ({"image": RANDOM.random((2, 8, 8, 1)) * np.nan}, "NaN or infinite"),
        ({"a": RANDOM.random((2, 5)), "b": RANDOM.random(3)}, "expected an array 'image'"),
        ({"a": RANDOM.random((2, 8, 8)), "b": RANDOM.random((2, 8, 8))}, "found a .2, 8, 8., b"),
    ],
)
def test_what_does_not_fit_the_run_is_refused_by_name(tmp_path, new, message):
    data = train_on(tmp_path, image=DEEP / 4095)
    with pytest.raises(EdkitError, match=rf"new.npz.*{message}"):
        read_for(data, save(tmp_path / "new.npz", **new))


def test_the_only_array_that_fits_is_the_input_and_an_image_may_come_alone(tmp_path):
    data = train_on(tmp_path, image=DEEP)
    other = save(tmp_path / "new.npz", foo=DEEP[:3], dates=np.arange(3))
    assert len(read_for(data, other).names) == 3
    alone = read_for(data, save(tmp_path / "one.npy", x=DEEP[7, :, :, 0]))
    assert [*alone.names] == ["one.npy"]
    np.testing.assert_array_equal(stacked(alone)[0], data.whole["image"][7])


@pytest.mark.parametrize(
    "labels", [np.array(["dog", "dog", ""]), np.array([1, 1, -1])], ids=["texts", "numbers"]
)
def test_a_class_has_the_number_that_it_has_in_the_run(tmp_path, labels):
    data = train_on(tmp_path, image=DEEP, label=ANIMALS)
    new = save(tmp_path / "new.npz", image=DEEP[:3], label=labels)
    assert stacked(read_for(data, new, "image", "label"), "label").tolist() == [1, 1, -1]
    with pytest.raises(EdkitError, match=r"expected the classes cat, dog, found 'emu'"):
        read_for(data, save(tmp_path / "emu.npz", label=np.array(["emu"])), "label")
    with pytest.raises(EdkitError, match=r"deep.npz.*expected an array 'label'"):
        read_for(data, save(tmp_path / "deep.npz", image=DEEP[:1]), "image", "label")


def test_a_folder_is_read_file_by_file_and_what_is_damaged_is_one_sample(tmp_path):
    data = train_on(tmp_path, image=DEEP)
    (tmp_path / "new" / "deep").mkdir(parents=True)
    save(tmp_path / "new" / "a.npy", x=DEEP[:2])
    (tmp_path / "new" / "b.npz").write_bytes(b"PK")
    save(tmp_path / "new" / "deep" / "c.h5", **{"test/image": DEEP[2:4]})
    (tmp_path / "new" / "notes.txt").touch()
    samples = read_for(data, tmp_path / "new")
    assert [*samples.names] == [
        "a.npy 0",
        "a.npy 1",
        "b.npz",
        "deep/c.h5 test/0",
        "deep/c.h5 test/1",
    ]
    every = samples.read(range(1, 5))
    assert isinstance(every[1], EdkitError)
    assert [finding.left_out for finding in samples.findings if finding.about == "files"] == [1]
    np.testing.assert_array_equal(every[3]["image"], data.whole["image"][3])


def test_a_run_on_files_of_another_kind_takes_arrays_that_fit_its_fields(tmp_path):
    fields = Fields(image=train_on(tmp_path, image=DEEP).fields["image"])
    new = save(tmp_path / "new.npy", x=DEEP.astype("uint8"))
    np.testing.assert_allclose(
        stacked(open_arrays(new, fields, {})), DEEP.astype("uint8") / 255, rtol=1e-6
    )


@pytest.mark.parametrize("ending", ["npy", "h5"])
def test_a_large_file_is_never_in_memory_as_a_whole(tmp_path, ending):
    data = train_on(tmp_path, image=RANDOM.random((10, 16, 16, 1)))
    new = save(tmp_path / f"new.{ending}", image=np.zeros((20_000, 16, 16), "float32"))
    tracemalloc.start()
    samples = read_for(data, new)
    for first in range(0, 20_000, 500):
        samples.read(range(first, first + 500))
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert most < 10 * 2**20  # of 20


def test_images_are_standardised_one_by_one_for_a_run_that_was_trained_so(tmp_path: Path) -> None:
    images = np.random.default_rng(0).random((10, 4, 5, 1), "float32") * 0.5
    data = train_on(tmp_path, ",standardise=yes", image=images)
    own = np.asarray(data.whole["image"] if data.whole else None)
    mean, deviation = (f(images, axis=(1, 2, 3), keepdims=True) for f in (np.mean, np.std))
    np.testing.assert_allclose(own, 0.5 + (images - mean) / (8 * deviation), atol=1e-5)
    np.testing.assert_array_equal(
        stacked(read_for(data, save(tmp_path / "b.npz", image=images))), own
    )
    dark = save(tmp_path / "dark.npz", image=images * 0.5)
    samples = read_for(data, dark)
    np.testing.assert_allclose(stacked(samples), own, atol=1e-5)
    for one, image in zip(samples.read(range(10)), images * 0.5, strict=True):
        factor, offset = one["image_own_scale"]
        np.testing.assert_allclose(one["image"] * factor + offset, image, atol=1e-6)
