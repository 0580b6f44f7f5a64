"""The TOML file that describes a folder of images: what it may say, and what it may not."""

import inspect
import re
from pathlib import Path
from typing import Any

import pytest

from ed_core import EdkitError, load_data
from ed_plugins.datasets.folder.description import read_plan
from ed_plugins.datasets.folder.loader import folder

BASIC = (Path(__file__).parents[3] / "support" / "scenes.toml").read_text("utf-8")


def test_the_toml_may_lie_in_the_folder_and_splits_may_have_other_names(
    tmp_path: Path, make: Any
) -> None:
    toml = '[splits]\ntrain = "one"\ntest = "two"\n' + BASIC
    make(tmp_path, toml, ("one", "two")).rename(tmp_path / "folder.toml")
    assert list(load_data(f"folder:{tmp_path}").splits) == ["train", "test"]


def test_a_layout_puts_the_field_first(tmp_path: Path, make: Any, load: Any) -> None:
    path = make(tmp_path / "x", 'layout = "{field}/{split}"\n' + BASIC)
    for split in ("train", "val"):
        for name in ("images", "labels"):
            (tmp_path / "x" / name).mkdir(exist_ok=True)
            (tmp_path / "x" / split / name).rename(tmp_path / "x" / name / split)
    assert len(load(path).splits["train"]["mask"]) == 2


def test_the_root_is_looked_for_in_the_data_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make: Any, load: Any
) -> None:
    make(tmp_path / "data" / "scenes")
    path = tmp_path / "my.toml"
    path.write_text('root = "scenes"\n' + BASIC)
    monkeypatch.setenv("EDKIT_DATA", str(tmp_path / "data"))
    assert len(load(path).splits["train"]["mask"]) == 2
    monkeypatch.setenv("EDKIT_DATA", str(tmp_path))
    with pytest.raises(EdkitError, match=r"expected a folder 'scenes' beside it or in EDKIT_DATA"):
        load(path)


@pytest.mark.parametrize(
    ("toml", "message"),
    [
        ("fields = [", "cannot be read as TOML"),
        ("[fields]\n", "expected a table such as [fields.image], found none"),
        ("", "expected a table such as [fields.image], found none"),
        ("fields = 3", "fields is tables such as [fields.image]; found 3"),
        ("[fields]\nimage = 3", "field 'image': expected a table of its own, found '3'"),
        ('rot = "x"\n' + BASIC, "Did you mean 'root'"),
        (BASIC + 'colour = ["#000000"]', "field 'mask': 'colour'. Did you mean 'colours' or"),
        (
            "[fields.image]\nscale = 2",
            "field 'image': 'scale'. Known: background, bands, bits, channels, folder, kind",
        ),
        ('[fields.a]\nkind = "picture"', "kind is image or class or value, found 'picture'"),
        ("[fields.a]\nkind = []", "field 'a': kind is"),
        ('[fields."a/b"]', "field 'a/b': expected a name of letters"),
        ('[fields.a]\nkind = "class"', "field 'a': expected classes, found none"),
        ("size = [3]\n" + BASIC, "size is [HEIGHT, WIDTH] in pixels; found [3]"),
        ("size = [0, 3]\n" + BASIC, "size is [HEIGHT, WIDTH]"),
        ("root = 3\n" + BASIC, "root is a folder; found 3"),
        ('layout = "{split}"\n' + BASIC, "layout is a path with {field} for image, mask"),
        ("[splits]\ntrain = 1\n" + BASIC, "splits is a table such as"),
        ('[splits]\ntrain = "train"\n' + BASIC, "expected the splits train and validation or test"),
        (BASIC + 'colours = ["#000000"]', "a colour for each of 3 classes, found 1"),
        (BASIC + 'colours = ["red"]', "colours is colours such as"),
        (BASIC.replace("ignore = 9", "ignore = 1"), "1 is given twice"),
        (BASIC.replace("ignore = 9", 'ignore = "#000000"'), "ids alone or colours alone"),
        (BASIC.replace("ignore = 9", "ignore = -1"), "ignore is ids from 0 to 65535"),
        (BASIC.replace('"tree"', '"sky"'), "classes is names in the order of their ids"),
        ("[fields.a]\nkind = 'value'\nscale = 0", "scale is a number other than 0; found 0"),
        ("[fields.a]\nkind = 'value'\nfill = 'mean'", "fill is a number or"),
        (
            "[fields.a]\nkind = 'value'\npage = 'all'",
            "page is the number of a page, from 1; found 'a",
        ),
        ("[fields.a]\nkind = 'value'\nbands = [1, 2]", "bands is the number of one band, such as"),
        ("[fields.image]\nbands = []", "bands is the numbers of bands, from 1, such as [4, 3, 2]"),
        ("[fields.image]\nrange = [1, 0]", "range is [LOW, HIGH], the numbers that stand for 0 a"),
        ("[fields.image]\nrange = [0, 1]\nbits = 8", "expected range or bits, found both"),
        ("[fields.image]\nbackground = 'white'", "background is a colour under transparent pixels"),
        ("[fields.image]\nchannels = 2", "channels is 1 or 3; found 2"),
        ("[fields.image]\nbits = true", "bits is a whole number from 1 to 16; found True"),
        ("a = " + "[" * 5000, "cannot be read as TOML"),
    ],
)
def test_a_wrong_description_is_one_line_with_its_file(
    tmp_path: Path, toml: str, message: str, make: Any, load: Any
) -> None:
    path = make(tmp_path, toml)
    with pytest.raises(EdkitError, match=re.escape(message)) as caught:
        load(path)
    assert "my.toml'" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_what_the_documents_show_is_a_description(tmp_path: Path) -> None:
    page = (Path(__file__).parents[4] / "docs" / "your-data.md").read_text("utf-8")
    first, example, whole = re.findall(r"^```toml\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    assert whole in (inspect.getdoc(inspect.getmodule(folder)) or "")
    for block, size in ((example, ()), (whole, (180, 240))):
        (tmp_path / "my.toml").write_text(block)
        plan = read_plan(tmp_path / "my.toml")
        assert plan.frame.size == size
        assert [*plan.fields] == ["image", "mask", "elevation"]
        assert plan.fields["elevation"].scale == 1e-4
    (tmp_path / "my.toml").write_text(first)
    assert [*read_plan(tmp_path / "my.toml").labels["label"].classes] == ["cat", "dog"]


def test_without_a_path_it_says_what_to_do(tmp_path: Path) -> None:
    for text, message in {
        "folder": "needs a folder of images, or the TOML file that describes one: folder:PATH, or",
        f"folder:{tmp_path}/none.toml": "or one of camvid, dubai_landuse, zion_landcover; found n",
        f"folder:{tmp_path}": "expected a folder with images, such as .png",
    }.items():
        with pytest.raises(EdkitError, match=re.escape(message)):
            load_data(text)
