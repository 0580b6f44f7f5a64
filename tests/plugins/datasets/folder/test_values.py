"""Images of values: scaled, filled where there is none, and named where they are no values."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ed_core import EdkitError

VALUES = """
[fields.height]
kind = "value"
scale = 0.1
offset = -5.0
missing = 0
"""


@pytest.fixture
def make_values(tmp_path: Path, save: Any) -> Callable[..., Path]:
    """Write one image a split and the TOML file; return its path."""

    def make(toml: str, array: np.ndarray) -> Path:
        for split in ("train", "test"):
            save(tmp_path / split / "height" / "a.tif", array)
        (tmp_path / "my.toml").write_text(toml)
        return tmp_path / "my.toml"

    return make


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "int32", "float32"])
def test_values_are_scaled_and_missing_ones_are_nan(
    dtype: str, load: Any, make_values: Any
) -> None:
    raw = np.array([[0, 10, 20], [200, 0, 30]], dtype)
    data = load(make_values(VALUES, raw))
    field = data.fields["height"]
    assert (field.shape, field.kind, field.partial) == ((2, 3, 1), "value", True)
    height = data.splits["train"]["height"]
    assert height.dtype == np.dtype("float32")
    expected = [[np.nan, -4, -3], [15, np.nan, -2]]
    np.testing.assert_allclose(height[0, ..., 0], expected, rtol=1e-6)


@pytest.mark.parametrize(("fill", "expected"), [('"nearest"', [-4, 15]), ("7", [7, 7])])
def test_missing_values_are_filled_on_request(
    fill: str, expected: list[float], load: Any, make_values: Any
) -> None:
    raw = np.array([[0, 10, 20, 20], [200, 30, 30, 30], [0, 200, 30, 30]], "uint16")
    data = load(make_values(VALUES + f"fill = {fill}\n", raw))
    assert not data.fields["height"].partial
    height = data.splits["train"]["height"][0, ..., 0]
    known = raw > 0
    np.testing.assert_allclose(height[known], raw[known] * 0.1 - 5, rtol=1e-6)
    assert height[2, 0] == pytest.approx(expected[1])
    assert height[0, 0] in (pytest.approx(expected[0]), pytest.approx(expected[1]))


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.array([[0, np.nan]], "float32"), "found nan in 1 pixels: say missing = nan"),
        (np.array([[0, np.inf]], "float32"), "found inf in 1 pixels"),
        (np.zeros((2, 2, 3), "uint8"), "expected one value a pixel, found 3 bands"),
    ],
)
def test_bad_values_are_named(array: np.ndarray, message: str, load: Any, make_values: Any) -> None:
    path = make_values('[fields.height]\nkind = "value"\n', array)
    with pytest.raises(EdkitError, match=rf"a\.tif': .*{message}"):
        load(path)


def test_a_field_without_any_value_cannot_be_filled(load: Any, make_values: Any) -> None:
    path = make_values(VALUES + 'fill = "nearest"', np.zeros((2, 2), "uint16"))
    with pytest.raises(EdkitError, match=r"a\.tif': expected a value to fill with, found none"):
        load(path)
