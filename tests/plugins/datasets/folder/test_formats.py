"""Image files of every kind in a folder: read as they are, or refused with what to do."""

import struct
import subprocess
import sys
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import pytest
import tifffile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image
from support import patience

from ed_core import Dataset, EdkitError, InputRecord
from ed_core.data.preparation import as_trained, prepared

RANDOM = np.random.default_rng(0)
Put = Callable[..., Path]


def png16(array: np.ndarray) -> bytes:
    """Return a PNG of 16 bits of (height, width, 2, 3 or 4), which Pillow does not write."""
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in array)
    kind = {2: 4, 3: 2, 4: 6}[array.shape[2]]
    header = struct.pack(">IIBBBBB", array.shape[1], array.shape[0], 16, kind, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        for name, data in ((b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    )


def write(path: Path, array: np.ndarray, **options: Any) -> None:
    """Write an array as the file's ending says."""
    if path.suffix == ".tif" and "exif" not in options:
        colour = array.ndim == 3 and array.shape[-1] in (3, 4) and "photometric" not in options
        tifffile.imwrite(path, array, **{"photometric": "rgb"} if colour else {}, **options)
    elif array.dtype == np.uint16 and array.ndim == 3:
        path.write_bytes(png16(array))
    else:
        Image.fromarray(array).save(path, **options)


@pytest.fixture
def put(tmp_path: Path) -> Put:
    """Write one image into both splits, and the TOML file; return its path."""

    def write_both(name: str, array: Any, toml: str = "[fields.image]\n", **options: Any) -> Path:
        for split in ("train", "test"):
            folder = tmp_path / split / "image"
            folder.mkdir(parents=True, exist_ok=True)
            for old in folder.iterdir():
                old.unlink()
            if isinstance(array, bytes):
                (folder / name).write_bytes(array)
            else:
                write(folder / name, array, **options)
        (tmp_path / "my.toml").write_text(toml)
        return tmp_path / "my.toml"

    return write_both


def only(data: Dataset) -> np.ndarray:
    return np.asarray(data.splits["train"]["image"][0])


def said(data: Dataset) -> str:
    return " | ".join(f"{f.about} {f.left_out} {f.text} ({f.option})" for f in data.input.findings)


IMAGE = "[fields.image]\n"


def test_what_is_white_in_a_run_is_white_in_all_that_it_is_shown(put: Put, load: Any) -> None:
    own = prepared(load(put("a.png", np.array([[0, 4000]], "uint16"))), InputRecord())
    assert own.input.fitted == {"white": {"image": 4095}}
    darker = load(put("a.png", np.array([[0, 1000]], "uint16")))
    assert only(darker).max() == np.float32(1000 / 1023)
    shown = as_trained(darker, own.fields, own.input, own.preparation)
    assert only(shown).max() == np.float32(1000 / 4095)
    brighter = load(put("a.png", np.array([[0, 9000]], "uint16")))
    with pytest.raises(EdkitError, match=r"white is 4,095, these have numbers beyond: say bits or"):
        only(as_trained(brighter, own.fields, own.input, own.preparation))
    stated = load(put("a.png", np.array([[0, 9000]], "uint16"), f"{IMAGE}bits = 16\n"))
    shown = as_trained(stated, own.fields, own.input, own.preparation)
    assert only(shown).max() == np.float32(9000 / 65535)


@settings(max_examples=30, deadline=None, suppress_health_check=[*HealthCheck])
@given(
    st.sampled_from(["uint8", "uint16", "int16", "uint32", "float32", "float64"]),
    st.sampled_from([1, 2, 3, 4, 6]),
    st.sampled_from(["<", ">"]),
    st.sampled_from([{}, {"compression": "zlib"}, {"compression": "lzw", "predictor": True}]),
    st.sampled_from([{}, {"tile": (16, 16)}, {"rowsperstrip": 3}, {"bigtiff": True}]),
    st.sampled_from(["contig", "separate"]),
    st.sampled_from([(7, 9), (17, 33)]),
)
def test_any_tiff_reads_as_it_was_written(
    put: Put, load: Any, dtype: str, bands: int, order: str, packed: Any, laid: Any, planar: str,
    shape: tuple[int, int],
) -> None:  # fmt: skip
    floats = np.dtype(dtype).kind == "f"
    pixels = (
        RANDOM.random((*shape, bands)).astype(dtype)
        if floats
        else RANDOM.integers(0, min(np.iinfo(dtype).max, 60000), (*shape, bands)).astype(dtype)
    )
    stored = np.moveaxis(pixels, -1, 0) if planar == "separate" else pixels
    stored = pixels[..., 0] if bands == 1 else stored
    options = {"byteorder": order, **packed, **laid}
    if bands > 1:
        options |= {"planarconfig": planar, "photometric": "minisblack"}
    if floats and "predictor" in packed:
        del options["predictor"]
    high = 1 if floats else 255 if dtype == "uint8" else 65535
    if bands > 3:
        with pytest.raises(EdkitError, match=rf"expected 1 or 3 bands, found {bands}: say which"):
            load(put("a.tif", stored, f"{IMAGE}range = [0, {high}]\n", **options))
    toml = f"{IMAGE}range = [0, {high}]\n" + "bands = 'all'\n" * (bands > 3)
    found = only(load(put("a.tif", stored, toml, **options)))
    np.testing.assert_allclose(found, pixels.astype("float64") / high, rtol=1e-6)


@settings(max_examples=25, deadline=None, suppress_health_check=[*HealthCheck])
@given(
    st.sampled_from(
        [
            *(("png", {}), ("webp", {"lossless": True}), ("bmp", {}), ("gif", {}), ("tga", {})),
            *(
                ("ppm", {}),
                ("jp2", {}),
                ("tif", {}),
                ("qoi", {}),
                ("avif", {"quality": 100, "subsampling": "4:4:4"}),
            ),
            *(("pcx", {}), ("apng", {"format": "png"}), ("dib", {}), ("sgi", {})),
        ]
    ),
    st.booleans(),
    st.sampled_from([(7, 9), (16, 5)]),
)
def test_any_other_image_reads_as_it_was_written(
    put: Put, load: Any, kind: tuple[str, Any], grey: bool, shape: tuple[int, int]
) -> None:
    ending, options = kind
    grey = grey or ending == "gif"  # of more than 256 colours it has the nearest
    grey = grey and ending not in ("webp", "avif", "qoi", "ppm")
    pixels = RANDOM.integers(0, 256, (*shape, 1 if grey else 3), dtype="uint8")
    path = put(f"a.{ending}", pixels[..., 0] if grey else pixels, f"{IMAGE}channels = 3", **options)
    tolerance = 0.5 if ending != "avif" else 12  # which has no RGB of its own
    assert abs(only(load(path)) * 255 - pixels).max() < tolerance


def test_colour_of_16_bits_keeps_all_levels(put: Put, load: Any) -> None:
    pixels = RANDOM.integers(0, 65536, (9, 7, 4)).astype("uint16")
    for bands in (3, 2, 4):
        toml = IMAGE + "bands = 'all'\n" * (bands != 3)
        found = only(load(put("a.png", pixels[..., :bands], toml)))
        np.testing.assert_allclose(found, pixels[..., :bands] / 65535, rtol=1e-6)


@pytest.mark.parametrize(
    ("ending", "dtype"),
    [("tif", ">u2"), ("tif", "<u2"), ("tif", "f4"), ("tif", ">f8"), ("png", "u2")],
)
def test_deep_images_are_averaged_as_floats_are(
    put: Put, load: Any, dtype: str, ending: str
) -> None:
    pixels = RANDOM.integers(0, 65536, (40, 60, 3)) / 65535
    high = 65535 if "u2" in dtype else 1
    stored = np.rint(pixels * high).astype(dtype) if high > 1 else pixels.astype(dtype)
    order = {"byteorder": dtype[0]} if dtype[0] in "<>" else {}
    toml = f"size = [8, 15]\n{IMAGE}" + "bits = 16\n" * (high > 1)
    found = only(load(put(f"a.{ending}", stored, toml, **order)))
    for band in range(3):
        whole = Image.fromarray(pixels[..., band].astype("float32"))
        expected = np.asarray(whole.resize((15, 8), Image.Resampling.BILINEAR))
        np.testing.assert_allclose(found[..., band], expected, atol=2e-5)


def test_white_is_as_the_file_says(put: Put, load: Any) -> None:
    data = load(put("a.tif", np.array([[0, 2000]], "uint16"), bitspersample=12))
    assert only(data).max() == np.float32(2000 / 4095)
    assert "white is 4,095, as the files say" in said(data)
    header = b"P5 # a camera\n3 1\n1000\n" + np.array([0, 500, 1000], ">u2").tobytes()
    data = load(put("a.pgm", header))
    np.testing.assert_allclose(only(data)[0, :, 0], [0, 0.5, 1])
    assert "white is 1,000, as the files say" in said(data)
    ids = '[fields.image]\nkind = "class"\nclasses = ["a", "b", "c"]\n'
    data = load(put("a.pgm", b"P2 3 1 2\n0 1 2\n", ids))
    np.testing.assert_array_equal(data.splits["test"]["image"][0], [[0, 1, 2]])


@pytest.mark.parametrize(
    ("array", "message", "remedy", "expected"),
    [
        ([[-1, 1]], r"found -1 to 1: say range = \[-1, 1\]", "range = [-1, 1]", [0, 1]),
        ([[0, 200]], r"say what is white, such as range = \[0, 255\]", "range = [0, 200]", [0, 1]),
        ([[0, 0.5], [1, 4080]], r"range = \[0, 4095\]", "range = [0, 4080]", [0, 0.5 / 4080]),
        ([[-7, 3]], r"range = \[-7, 3\]", "range = [-7, 3]", [0, 1]),
    ],
)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_floats_beyond_0_to_1_are_refused_until_their_range_is_said(
    put: Put, load: Any, array: Any, message: str, remedy: str, expected: Any, dtype: str
) -> None:
    pixels = np.array(array, dtype)
    with pytest.raises(EdkitError, match=message):
        load(put("a.tif", pixels))
    found = only(load(put("a.tif", pixels, f"{IMAGE}{remedy}\n")))
    np.testing.assert_allclose(found[0, :, 0], expected, atol=1e-6)


def test_floats_a_hair_above_1_are_1_and_said(put: Put, load: Any) -> None:
    pixels = np.zeros((4, 4, 3), "float64")
    pixels[0, 0], pixels[1, 1] = 1.0000001, -1e-6
    data = load(put("a.tif", pixels))
    assert only(data).max() == 1
    assert only(data).min() == 0
    assert "12 numbers beyond 0..1 taken as its ends" in said(data)  # of two files
    pixels[0, 0] = np.nan
    with pytest.raises(EdkitError, match=r'found 3 others: such a map is kind = "value" with miss'):
        load(put("a.tif", pixels))
    toml = f'{IMAGE}kind = "value"\nmissing = nan\nbands = [1]'
    assert np.isnan(only(load(put("a.tif", pixels, toml)))).sum() == 1


@pytest.mark.parametrize(
    ("name", "frames", "count"),
    [("a.tif", 5, 5), ("a.gif", 3, 3), ("a.webp", 3, 3), ("a.png", 3, 3)],
)
def test_pages_are_chosen_or_all_and_never_the_first_in_silence(
    put: Put, load: Any, name: str, frames: int, count: int
) -> None:
    pixels = np.stack([np.full((4, 6), 40 * n + 5, "uint8") for n in range(frames)])
    if name == "a.tif":
        toml = put(name, pixels, photometric="minisblack")
    else:
        toml = put(name, pixels[0])
        first, *others = [Image.fromarray(page) for page in pixels]
        options = {"lossless": True} if name == "a.webp" else {}
        for split in ("train", "test"):
            target = toml.parent / split / "image" / name
            first.save(target, save_all=True, append_images=others, duration=50, **options)
    with pytest.raises(EdkitError, match=rf"expected one page, found {count}: say which, such as"):
        load(toml)
    toml.write_text(f"{IMAGE}page = 3\nchannels = 1\n")
    data = load(toml)
    np.testing.assert_allclose(only(data) * 255, pixels[2][..., None], atol=0.6)
    assert f"image {2 * (count - 1)} pages other than page 3" in said(data)
    toml.write_text(f'{IMAGE}page = "all"\n')
    assert only(load(toml)).shape[2] in (count, 3 * count)
    toml.write_text(f"{IMAGE}page = 9\n")
    with pytest.raises(EdkitError, match=rf"expected page 9, found {count} pages: correct page"):
        load(toml)


RED_GREEN = np.zeros((4, 5, 4), "uint8")
RED_GREEN[..., 0], RED_GREEN[..., 3] = 200, 255
RED_GREEN[0] = (0, 250, 0, 0)  # a colour that is hidden


@pytest.mark.parametrize(("void", "dtype"), [(65535, "uint16"), (-9999, "float32")])
def test_no_value_in_an_image_is_black_and_tells_no_white(
    put: Put, load: Any, void: int, dtype: str
) -> None:
    white = 4000 if dtype == "uint16" else 1
    pixels = np.array([[0, white, void]], dtype)
    tag = [(42113, "s", 0, str(void), True)]  # GDAL_NODATA
    data = load(put("a.tif", pixels, extratags=tag))
    right = np.array([0, white / (4095 if dtype == "uint16" else 1), 0])
    np.testing.assert_allclose(only(data)[0, :, 0], right, rtol=1e-6)
    assert f"{void} in 2 pixels is no value, as the files say, and read as black" in said(data)
    stated = f"{IMAGE}range = [{min(void, 0)}, {max(void, 1)}]\n"
    assert "no value" not in said(load(put("a.tif", pixels, stated, extratags=tag)))


def test_files_whose_0_is_white_are_said(put: Put, load: Any) -> None:
    """Such as those that tifffile makes of bool."""
    data = load(put("a.tif", np.eye(4, dtype=bool)))
    np.testing.assert_array_equal(only(data)[..., 0], 1 - np.eye(4))
    assert "0 is white in 2 files, as they say" in said(data)


def test_bits_that_are_lost_are_said(put: Put, load: Any) -> None:
    toml = put("a.png", np.zeros((8, 8, 3), "uint8"))
    for split in ("train", "test"):
        (folder := toml.parent / split / "image").joinpath("a.png").unlink()
        deep = imagecodecs.avif_encode(np.full((8, 8, 3), 500, "uint16"), bitspersample=10)
        (folder / "a.avif").write_bytes(deep)
    assert "2 files of AVIF of 10 bits read as RGB of 8 bits" in said(load(toml))


@pytest.mark.parametrize("name", ["a.png", "a.tif", "a.webp", "a.tga", "palette.png", "deep.png"])
def test_no_colour_under_transparency_is_shown(put: Put, load: Any, name: str) -> None:
    options: dict[str, Any] = {"lossless": True, "exact": True} if name == "a.webp" else {}
    pixels: Any = RED_GREEN
    if name == "palette.png":
        pixels = np.where(RED_GREEN[..., 3] == 255, 0, 1).astype("uint8")
        paletted = Image.fromarray(pixels, "L").convert("P")
        paletted.putpalette([200, 0, 0, 0, 250, 0])
        path = put(name, pixels)
        for split in ("train", "test"):
            paletted.save(path.parent / split / "image" / name, transparency=1)
    else:
        deep = RED_GREEN.astype("uint16") * 257
        path = put(name, deep if name == "deep.png" else pixels, **options)
    for colour, expected in (("", (255, 255, 255)), ("#102030", (16, 32, 48))):
        path.write_text(IMAGE + f'background = "{colour}"\n' * bool(colour))
        data = load(path)
        np.testing.assert_allclose(only(data)[0] * 255, [expected] * 5, atol=0.01)
        np.testing.assert_allclose(only(data)[1:] * 255, np.full((3, 5, 3), (200, 0, 0)), atol=0.01)
        text = f"transparent pixels in 2 of 2 files laid over {colour or '#ffffff'}"
        assert text in said(data)
    path.write_text(IMAGE + 'bands = "all"\n')
    assert only(load(path)).shape == (4, 5, 4)
    path.write_text(IMAGE + "bands = [4]\n")
    assert set(np.unique(only(load(path)))) == {0, 1}


def test_transparency_that_hides_nothing_is_left_out(put: Put, load: Any) -> None:
    data = load(put("a.png", np.where(RED_GREEN == 0, 7, RED_GREEN)[1:]))
    assert only(data).shape == (3, 5, 3)
    assert 'image 2 transparency of files that are opaque everywhere (bands = "all"' in said(data)


def test_a_fourth_band_that_is_called_transparency_is_asked_about(put: Put, load: Any) -> None:
    infrared = RANDOM.integers(1, 255, (8, 8, 4), dtype="uint8")
    with pytest.raises(EdkitError, match=r"between clear and opaque in most pixels: say bands = "):
        load(put("a.tif", infrared))
    found = only(load(put("a.tif", infrared, f'{IMAGE}bands = "all"')))
    np.testing.assert_allclose(found * 255, infrared, atol=1e-3)
    found = only(load(put("a.tif", infrared, f"{IMAGE}bands = [4, 1, 2]")))
    np.testing.assert_allclose(found * 255, infrared[..., [3, 0, 1]], atol=1e-3)
    assert only(load(put("a.tif", infrared, f'{IMAGE}background = "#ffffff"'))).shape == (8, 8, 3)


def test_maps_have_no_hidden_colours(put: Put, load: Any) -> None:
    toml = '[fields.image]\nkind = "class"\n{}\nclasses = {{ a = "#c80000", b = "#00fa00" }}\n'
    with pytest.raises(EdkitError, match=r'5 pixels with it: say background = "#000000"'):
        load(put("a.png", RED_GREEN, toml.format("")))
    one = f'{IMAGE}kind = "class"\nclasses = ["a"]\nbands = [1]\n'
    assert "image 2 bands of each file (bands in my.toml)" in said(
        load(put("a.png", np.zeros((4, 5, 3), "uint8"), one))
    )
    toml = toml.format('background = "#000000"\nignore = "#000000"')
    found = load(put("a.png", RED_GREEN, toml)).splits["test"]["image"][0]
    np.testing.assert_array_equal(found, [[-1] * 5, *[[0] * 5] * 3])


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize(
    "name", ["a.jpg", "a.tif", "a.png", "a.webp", "a.avif", "deep.tif", "ids.tif"]
)
def test_every_image_is_upright(put: Put, load: Any, name: str, orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    seen = np.kron(RANDOM.permutation(6).reshape(2, 3) * 40, np.ones((16, 16))).astype("uint8")
    undo = {6: 8, 8: 6}.get(orientation, orientation)
    kinds = Image.Transpose
    turns = {2: 0, 3: kinds.ROTATE_180, 4: 1, 5: 5, 6: kinds.ROTATE_270, 7: 6, 8: kinds.ROTATE_90}
    stored = Image.fromarray(seen)
    stored = stored.transpose(turns[undo]) if undo > 1 else stored
    pixels = np.asarray(stored)
    toml = IMAGE
    if name in ("deep.tif", "ids.tif"):
        tag = [(274, 3, 1, orientation, True)]
        pixels = pixels.astype("uint16") if name == "deep.tif" else pixels
        toml += "bits = 8" if name == "deep.tif" else 'kind = "value"'
        path = put(name, pixels, toml, extratags=tag)
    else:
        options = {"a.webp": {"lossless": True}, "a.avif": {"quality": 100}}.get(name, {})
        path = put(name, pixels, f"{IMAGE}channels = 1", exif=exif.tobytes(), **options)
    data = load(path)
    found = only(data)[..., 0] * (1 if name == "ids.tif" else 255)
    assert abs(found - seen).max() < 6
    assert ("turned as their orientation says" in said(data)) == (orientation > 1)
    path.write_text(path.read_text() + "\nupright = false\n")
    assert abs(only(load(path))[..., 0] * (1 if name == "ids.tif" else 255) - pixels).max() < 6


def test_a_photograph_that_is_turned_beside_a_map_that_is_not(put: Put, load: Any) -> None:
    tag = [(274, 3, 1, 6, True)]
    path = put("a.tif", np.zeros((4, 6), "uint8"), extratags=tag)
    for split in ("train", "test"):
        (path.parent / split / "mask").mkdir()
        Image.new("L", (6, 4)).save(path.parent / split / "mask" / "a.png")
    mask = '[fields.mask]\nkind = "class"\nclasses = ["a"]\n'
    path.write_text(IMAGE + mask)
    with pytest.raises(EdkitError, match=r"has 4x6 pixels .* upright = false in \[fields.image\]"):
        load(path)
    path.write_text(f"{IMAGE}upright = false\n{mask}")
    assert only(load(path)).shape == (4, 6, 1)


def test_the_main_picture_of_a_phone_is_taken(put: Put, load: Any) -> None:
    path = put("a.jpg", np.zeros((16, 24, 3), "uint8"))
    big, small = Image.new("RGB", (24, 16), "#808080"), Image.new("RGB", (12, 8))
    for split in ("train", "test"):
        target = path.parent / split / "image" / "a.jpg"
        big.save(target, format="MPO", save_all=True, append_images=[small])
    data = load(path)
    assert only(data).mean() * 255 == pytest.approx(128, abs=2)
    assert "image 2 previews and masks inside of the files" in said(data)


def test_previews_in_a_tiff_are_no_pages(put: Put, load: Any) -> None:
    path = put("a.tif", np.zeros((32, 48), "uint8"))
    for split in ("train", "test"):
        with tifffile.TiffWriter(path.parent / split / "image" / "a.tif") as file:
            file.write(np.full((32, 48), 255, "uint8"))
            file.write(np.zeros((16, 24), "uint8"), subfiletype=1)
    data = load(path)
    assert only(data).shape == (32, 48, 1)
    assert only(data).min() == 1
    assert "previews and masks" in said(data)


def test_photographs_of_phones_need_an_extra(
    put: Put, load: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    heif = pytest.importorskip("pillow_heif")
    path = put("a.heic", b"")
    for split in ("train", "test"):
        image = heif.from_pillow(Image.new("RGB", (24, 16), "#808080"))
        image.save(path.parent / split / "image" / "a.heic")
    assert only(load(path)).mean() * 255 == pytest.approx(128, abs=3)
    monkeypatch.setattr("ed_plugins.datasets.folder.walk.can_read_heif", lambda: False)
    with pytest.raises(EdkitError, match=r"but 1 \.heic: pip install 'edkit\[heic\]'"):
        load(path)
    for split in ("train", "test"):
        Image.new("L", (8, 8)).save(path.parent / split / "image" / "b.png")
    data = load(path)
    assert only(data).shape == (8, 8, 1)
    assert "files 2 2 .heic (pip install 'edkit[heic]'" in said(data)


def test_an_avif_that_calls_itself_heic_as_well_is_read_after_a_heic(tmp_path: Path) -> None:
    heif = pytest.importorskip("pillow_heif")
    heif.from_pillow(Image.new("RGB", (24, 16), "#808080")).save(tmp_path / "a.heic")
    Image.new("RGB", (24, 16), "#808080").save(tmp_path / "b.avif")
    content = bytearray((tmp_path / "b.avif").read_bytes())
    content[8:12] = b"mif1"  # its main brand, which both have
    (tmp_path / "b.avif").write_bytes(content)
    # In a process of its own: which formats are set up is the same for all of a process.
    script = (
        "from pathlib import Path; from collections import Counter\n"
        "from ed_plugins.datasets.folder.walk import walk_images\n"
        "from ed_plugins.datasets.folder.pictures import read_header, read_pixels\n"
        f"for path in walk_images(Path({str(tmp_path)!r}), Counter()):\n"
        "    print(round(read_pixels(path, read_header(path)).mean()))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=patience.SECONDS
    )
    values = [int(line) for line in done.stdout.split()]
    assert len(values) == 2, done.stderr
    assert all(abs(value - 128) < 4 for value in values)


def test_a_large_photograph_is_read_at_a_fraction_of_its_size(
    put: Put, load: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = np.linspace(0, 255, 1600)[:, None] * np.ones((1, 2000))
    photograph = np.repeat(rows[..., None], 3, axis=2).astype("uint8")
    path = put("a.jpg", photograph, f"size = [40, 50]\n{IMAGE}", quality=95)
    whole = only(load(path))
    monkeypatch.setattr("ed_plugins.datasets.folder.pictures._LARGE", 2**20)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 2**18)
    assert abs(only(load(path)) - whole).max() < 0.02
    assert Image.MAX_IMAGE_PIXELS == 2**18


def test_what_would_take_more_memory_than_there_is_is_refused_unread(
    put: Put, load: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    bomb = png16(np.zeros((1, 1, 3)))
    bomb = bomb[:16] + struct.pack(">II", 60000, 60000) + bomb[24:29] + bomb[29:]
    bomb = bomb[:29] + struct.pack(">I", zlib.crc32(bomb[12:29])) + bomb[33:]
    with pytest.raises(EdkitError, match=r"has 60,000 x 60,000 pixels, expected at most 268,435,4"):
        load(put("a.png", bomb, f"size = [8, 8]\n{IMAGE}"))
    path = put("a.png", np.zeros((300, 400, 3), "uint8"), f"size = [16384, 16384]\n{IMAGE}")
    for place in ("ed_core.data.memory.available", "ed_plugins.datasets.folder.check.available"):
        monkeypatch.setattr(place, lambda: 40 * 2**20)
    with pytest.raises(EdkitError, match=r"a sample of 16384x16384 pixels would take") as caught:
        load(path)
    size = str(caught.value).partition("say size = ")[2].partition(" or less in my.toml")[0]
    path.write_text(f"size = {size}\n{IMAGE}")
    assert only(load(path)).size > 10 * 2**20
    monkeypatch.setattr("ed_plugins.datasets.folder.check.available", lambda: 2**18)
    monkeypatch.setattr("ed_core.data.memory.available", lambda: 2**18)
    with pytest.raises(EdkitError, match=r"cut the largest file into tiles"):
        load(path)


@pytest.mark.parametrize("what", ["cut", "noise", "postscript"])
@pytest.mark.parametrize("name", ["a.tif", "a.png", "deep.png", "a.jpg"])
def test_a_damaged_file_is_named_in_our_words(put: Put, load: Any, name: str, what: str) -> None:
    deep = np.uint16 if name == "deep.png" else np.uint8
    path = put(name, RANDOM.integers(0, 256, (40, 40, 3)).astype(deep))
    file = path.parent / "test" / "image" / name
    content = file.read_bytes()
    file.write_bytes(
        {
            "cut": content[: len(content) // 2],
            "noise": RANDOM.integers(0, 256, 5000, "uint8").tobytes(),
            "postscript": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\nshowpage\n",
        }[what]
    )
    with pytest.raises(EdkitError, match=rf"test/image/{name}'") as caught:
        load(path)
    assert "cannot be read as an image: it is dam" in str(caught.value) or "expected an" in str(
        caught.value
    )
    assert "\n" not in str(caught.value)


def test_images_of_two_depths_have_one_range_or_are_refused(put: Put, load: Any) -> None:
    path = put("a.png", np.array([[0, 255]], "uint8"))
    for split in ("train", "test"):
        write(path.parent / split / "image" / "b.png", np.array([[0, 65535]], "uint16"))
    with pytest.raises(EdkitError, match=r"found 1 channel of 16 bits: save all alike") as caught:
        load(path)
    remedy = str(caught.value).partition("say ")[2].partition(" in [fields")[0]
    path.write_text(f"{IMAGE}{remedy}\n")
    images = np.asarray(load(path).splits["train"]["image"])
    np.testing.assert_allclose(images[..., 1, 0].ravel(), [255 / 65535, 1])


def test_what_elevation_says_for_no_value_is_no_elevation(put: Put, load: Any) -> None:
    toml = '[fields.image]\nkind = "value"\n'
    for void, dtype in ((-9999, "float32"), (-32768, "int16"), (np.finfo("f4").max, "float32")):
        pixels = np.full((4, 5), 300, dtype)
        pixels[1, 1:3] = void
        with pytest.raises(EdkitError, match=r"in 2 pixels and 300 to 300 in the others") as caught:
            load(put("a.tif", pixels, toml))
        remedy = str(caught.value).partition("say ")[2].partition(" if they")[0]
        data = load(put("a.tif", pixels, f"{toml}{remedy}\n"))
        assert np.isnan(only(data)).sum() == 2
        data = load(put("a.tif", pixels, f"{toml}missing = nan\n"))
        assert only(data)[1, 1] == np.float32(void)
    pixels = np.array([[1, -np.inf, np.nan, np.finfo("f8").min]], "float64")
    with pytest.raises(EdkitError, match=r"found -inf in 3 pixels: say missing = -inf"):
        load(put("a.tif", pixels, toml))
    data = load(put("a.tif", pixels, f"{toml}missing = -inf\n"))
    np.testing.assert_array_equal(only(data)[0, :, 0], [1, *[np.nan] * 3])
    depth = np.array([[0, 900, 4000]], "uint16")  # of cameras, where 0 is often none
    assert "0 in 2 pixels is a value, though the others are 900 to 4000" in said(
        load(put("a.tif", depth, toml))
    )
    assert "is a value" not in said(load(put("a.tif", depth, f"{toml}missing = 0\n")))
    assert "is a value" not in said(load(put("a.tif", depth // 200, toml)))
    tag = [(42113, "s", 0, "-5", True)]  # GDAL_NODATA
    data = load(put("a.tif", np.array([[1, -5, 3]], "int16"), toml, extratags=tag))
    np.testing.assert_array_equal(only(data)[..., 0], [[1, np.nan, 3]])
    assert data.fields["image"].partial
    assert "-5 in 2 pixels is no value, as the files say (missing = -5 in my.toml)" in said(data)
