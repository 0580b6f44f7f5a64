"""Axes of arrays of other programs: said where one reading fits, refused where two do."""

from collections.abc import Callable
from itertools import permutations
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from support.arrays import (
    CLASSES,
    RANDOM,
    SAVES,
    N,
    everything,
    load,
    pictures,
    said,
    save_hdf5,
    save_mat73,
    save_npz,
)

from ed_core import EdkitError

pytestmark = pytest.mark.usefixtures("no_child")


@pytest.mark.parametrize("save", SAVES)
@pytest.mark.parametrize("order", ["NHWC", "NCHW", "HWCN"])
@pytest.mark.parametrize("channels", [1, 3, 7])
def test_axes_that_can_be_read_in_one_way_are_turned(
    save: Callable[..., Path], order: str, channels: int, tmp_path: Path
) -> None:
    right = pictures(16, 20, channels)
    array = right.transpose([*map("NHWC".index, order)])
    path = save(tmp_path, {"image": array, "label": CLASSES[:, None].astype("uint8")})
    data = load(path)
    np.testing.assert_allclose(everything(data, "image"), right / 255, rtol=1e-6)
    np.testing.assert_array_equal(everything(data, "label"), CLASSES)
    rows = np.array([1, 4, 5, 11])
    whole = data.whole
    assert whole is not None
    np.testing.assert_allclose(whole["image"][rows], right[rows] / 255, rtol=1e-6)
    np.testing.assert_allclose(whole["image"][7], right[7] / 255, rtol=1e-6)
    turned = [option for _, option in said(data, "image")]
    assert turned == ([] if order == "NHWC" else ["axes=NHWC"])


@pytest.mark.parametrize(
    ("shape", "beside", "found"),
    [
        ((5, 6, 7), {"mask": (6, 7)}, (6, 7, 5)),
        ((6, 7, 5), {"mask": (6, 7)}, (6, 7, 5)),
        ((3, 3, 3), {"mask": (3, 3), "elevation": (1, 3, 3)}, None),
        ((6, 16, 6), {}, None),
        ((16, 17, 18), {}, None),
        ((3, 16, 3), {}, None),
    ],
)
def test_maps_decide_which_axis_holds_the_channels(
    shape: tuple[int, ...], beside: dict[str, tuple[int, ...]], found: Any, tmp_path: Path
) -> None:
    named = {name: pictures(*one, high=3) for name, one in beside.items()}
    path = save_npz(tmp_path, {"image": pictures(*shape), **named})
    if found:
        assert load(path).fields["image"].shape == found
        return
    with pytest.raises(EdkitError, match=r"two axes or none may hold them: say axes=LETTERS, such"):
        load(path)
    assert load(path, axes="image:NCHW").fields["image"].shape == (*shape[1:], shape[0])


@pytest.mark.parametrize("save", SAVES)
@settings(max_examples=12, suppress_health_check=[*HealthCheck], deadline=None)
@given(
    st.tuples(st.integers(2, 9), *[st.integers(1, 9)] * 3),
    st.sampled_from([*permutations("NHWC")]),
    st.sampled_from(["uint8", "uint16", "float32", "float16"]),
)
def test_stated_axes_read_back_equal_in_any_order(
    save: Callable[..., Path], tmp_path: Path, shape: Any, order: Any, dtype: str
) -> None:
    array = RANDOM.random(shape)
    white = np.iinfo(dtype).max if dtype[0] == "u" else 1
    array = (array * white).astype(dtype)
    array.flat[0] = white
    assume(dtype != "float16" or save is not save_mat73)  # which MATLAB has not
    assume(min(shape) > 1 or save in (save_npz, save_hdf5))  # MATLAB keeps no last axis of one
    letters = "".join(order)
    path = save(tmp_path, {"image": array.transpose([*map("NHWC".index, order)])})
    found = everything(load(path, axes=letters, bits=8 * (white > 1) * array.itemsize), "image")
    np.testing.assert_allclose(found, array.astype("float64") / white, rtol=1e-3)


@pytest.mark.parametrize("save", SAVES)
@settings(max_examples=15, suppress_health_check=[*HealthCheck], deadline=None)
@given(
    st.integers(5, 40),
    st.integers(1, 40),
    st.integers(1, 40),
    st.integers(1, 5),
    st.sampled_from(["NHWC", "NCHW", "HWCN"]),
)
def test_no_order_is_read_wrongly_in_silence(
    save: Callable[..., Path], tmp_path: Path, n: int, h: int, w: int, c: int, order: str
) -> None:
    """Equal, or refused with `axes=`, or turned otherwise and said."""
    array = RANDOM.integers(0, 256, (n, h, w, c)).astype("uint8")
    array.flat[0] = 255
    path = save(tmp_path, {"image": array.transpose([*map("NHWC".index, order)])})
    try:
        data = load(path)
    except EdkitError as error:
        refusal = str(error)
        assume("axes=" not in refusal and "axes for kind image" not in refusal)
        raise
    found = everything(data, "image")
    if said(data, "image") or found.shape != array.shape:
        assert said(data, "image") or order != "NHWC"
    else:
        np.testing.assert_allclose(found, array / 255, rtol=1e-6)


VIDEO = pictures(6, 9, 11, 3)


@pytest.mark.parametrize("order", ["NTHWC", "NTCHW", "NCTHW", "HWCTN"])
def test_videos_are_turned_alike(order: str, tmp_path: Path) -> None:
    array = VIDEO.transpose([*map("NTHWC".index, order)])
    data = load(save_npz(tmp_path, {"video": array, "label": CLASSES}))
    np.testing.assert_allclose(everything(data, "video"), VIDEO / 255, rtol=1e-6)
    grey = VIDEO[..., 0].transpose([*map("NTHW".index, "HWTN" if order[-1] == "N" else "NTHW")])
    data = load(save_npz(tmp_path, {"video": grey, "label": CLASSES}))
    np.testing.assert_allclose(everything(data, "video"), VIDEO[..., :1] / 255, rtol=1e-6)


def test_floats_beside_images_of_their_size_are_maps_of_values(tmp_path: Path) -> None:
    depth = RANDOM.normal(size=(N, 16, 20)).astype("float32")
    for order in ("NHWC", "NCHW"):
        image = pictures(16, 20, 3).transpose([*map("NHWC".index, order)])
        data = load(save_npz(tmp_path, {"image": image, "elevation": depth}))
        assert data.fields["elevation"].words == "value (16, 20, 1)"
        np.testing.assert_array_equal(everything(data, "elevation")[..., 0], depth)


def test_videos_whose_time_may_come_first_are_asked_about(tmp_path: Path) -> None:
    path = save_npz(tmp_path, {"video": pictures(2, 4, 5).transpose(1, 0, 2, 3)})
    with pytest.raises(EdkitError, match="say axes=video:TNHW if time comes first, axes=video:NT"):
        load(path)
    assert load(path, axes="video:TNHW").fields["video"].shape == (2, 4, 5, 1)
    assert load(path, axes="video:NTHW").fields["video"].shape == (N, 4, 5, 1)


def test_frames_of_no_colour_are_a_video_where_time_is_said(tmp_path: Path) -> None:
    for name, frames in (("images", pictures(8, 8, 8)), ("film", pictures(40, 16, 16)[:10])):
        path = save_npz(tmp_path, {f"train_{name}": frames, f"test_{name}": frames[:5]})
        with pytest.raises(EdkitError, match=r"say axes=LETTERS, .* axes=\w+:NTHW of videos"):
            load(path)
        (field,) = load(path, axes=f"{name}:NTHW").fields.values()
        assert field.words == f"video {(*frames.shape[1:], 1)}"


@pytest.mark.parametrize(
    ("kind", "shape", "letters"), [("image", (8, 8, 3), "NTHW"), ("video", (5, 8, 8), "NHWC")]
)
def test_letters_of_another_kind_are_refused(
    kind: str, shape: tuple[int, ...], letters: str, tmp_path: Path
) -> None:
    path = save_npz(tmp_path, {"x": pictures(*shape)})
    with pytest.raises(EdkitError, match=f"T for kind {kind}, received {letters}"):
        load(path, kind=f"x:{kind}", axes=f"x:{letters}")


def test_columns_are_the_samples_only_where_rows_cannot_be(tmp_path: Path) -> None:
    """A table of pandas lies beside its index, and beside the names of its columns twice."""
    names = np.array(["a", "b"])
    table = {"values": RANDOM.normal(size=(N, 2)), "index": np.arange(N), "a": names, "b": names}
    path = save_npz(tmp_path, table)
    with pytest.raises(EdkitError, match="say axes=values:NT if its rows are the samples, axes=va"):
        load(path)
    assert load(path, axes="values:NT").fields["values"].shape == (2, 1)
    assert load(path, axes="values:TN").fields["values"].shape == (N, 1)
