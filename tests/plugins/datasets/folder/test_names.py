"""Names of files and folders, and what else lies in them: matched, counted, or refused."""

import codecs
import os
import unicodedata
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from ed_core import DATASETS, Dataset, EdkitError, Field, Fields, load_data
from ed_plugins.datasets.folder.walk import walk_images

BASIC = (Path(__file__).parents[3] / "support" / "scenes.toml").read_text("utf-8")
NFC, NFD = (unicodedata.normalize(form, "Gebäude é") for form in ("NFC", "NFD"))


def said(data: Dataset) -> list[str]:
    return [f"{f.about} {f.left_out} {f.text} ({f.option})" for f in data.input.findings]


def test_names_match_however_their_accents_are_stored(tmp_path: Path, make: Any, load: Any) -> None:
    path = make(tmp_path)
    for split in ("train", "val"):
        (tmp_path / split / "images" / "a.png").rename(tmp_path / split / "images" / f"{NFC}.png")
        (tmp_path / split / "labels" / "a.png").rename(tmp_path / split / "labels" / f"{NFD}.png")
    data = load(path)
    raw = np.asarray(Image.open(tmp_path / "train" / "labels" / f"{NFD}.png")).astype(int)
    np.testing.assert_array_equal(data.splits["train"]["mask"][0], np.where(raw == 9, -1, raw))
    os.link(tmp_path / "val/images" / f"{NFC}.png", tmp_path / "val/images" / f"{NFD}.png")
    with pytest.raises(EdkitError, match=r"found '.*' as well \(they differ only in how accents"):
        load(path)


def test_folders_match_however_they_are_written(tmp_path: Path, make: Any, load: Any) -> None:
    make(tmp_path / NFD / "b")
    path = tmp_path / "my.toml"
    for root in (f"{NFC}/b", f"{NFC}\\b", f".\\{NFD}\\b"):
        path.write_text(f"root = '{root}'\n{BASIC}", "utf-8")
        assert len(load(path).splits["train"]["mask"]) == 2


@pytest.mark.parametrize("mark", [codecs.BOM_UTF8, b""])
def test_a_toml_may_begin_with_a_byte_order_mark(
    tmp_path: Path, make: Any, load: Any, mark: bytes
) -> None:
    path = make(tmp_path)
    path.write_bytes(mark + path.read_bytes().replace(b"\n", b"\r\n"))
    assert len(load(path).splits["train"]["mask"]) == 2


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (BASIC.encode("utf-16"), "expected text in UTF-8, found UTF-16: save it as UTF-8"),
        (BASIC.encode("utf-16-le"), "found UTF-16: save it as UTF-8"),
        (f"# Ä\n{BASIC}".encode("cp1252"), "found the byte 0xc4 in line 1: save it as UTF-8"),
        (
            rb'root = "C:\data\scenes"',
            r"expected no backslash between double quotes: write a path ",
        ),
        (rb'root = "C:\Users\me"', r"""found 'root = "C:\\Users\\me"'"""),
        (rb'root = "C:\new\train"', r"write a path with backslashes in 'single quotes', or with /"),
        (b"root = scenes", r"""texts in quotes, and tables such as [fields.image]; found 'root"""),
        (b'[fields.image]\nfolder = "a', "tables such as [fields.image] (Unterminated string"),
    ],
)
def test_a_toml_that_is_none_is_explained(
    tmp_path: Path, load: Any, content: bytes, message: str
) -> None:
    (tmp_path / "my.toml").write_bytes(content)
    with pytest.raises(EdkitError) as caught:
        load(tmp_path / "my.toml")
    assert message in str(caught.value)
    assert str(caught.value).startswith(f"'{tmp_path}/my.toml'")


def test_what_is_not_read_is_counted(tmp_path: Path, make: Any, load: Any) -> None:
    path = make(tmp_path)
    images = tmp_path / "train" / "images"
    for name in ("Thumbs.db", "._a.png", "index.csv", "b.csv", "README"):
        (images / name).write_bytes(b"x")
    os.mkfifo(images / "pipe.png")
    (images / "loop.png").symlink_to("loop.png")
    (images / "lost.png").symlink_to("nothing.png")
    (images / "more.png").mkdir()
    (tmp_path / "train" / "depth").mkdir()
    (tmp_path / "raw").mkdir()
    (tmp_path / "raw" / "loop").symlink_to(tmp_path)
    data = load(path)
    assert len(data.splits["train"]["image"]) == 2
    assert said(data) == [
        "split 0 train 2, validation 2 (folder val) ([splits] in my.toml)",
        "files 9 3 pipes or broken links, 2 .csv, 1 hidden, 1 without ending, 1 .db, 1 folders ()",
        "folders 2 not described: raw, train/depth ()",
    ]


@pytest.mark.parametrize("kind", ["same name", "link", "linked field"])
def test_one_folder_is_not_two_splits(tmp_path: Path, make: Any, load: Any, kind: str) -> None:
    path = make(tmp_path)
    test = {"same name": "train", "link": "copy", "linked field": "half"}[kind]
    if kind == "link":
        (tmp_path / "copy").symlink_to("train")
    if kind == "linked field":
        (tmp_path / "half").mkdir()
        (tmp_path / "half" / "images").symlink_to(tmp_path / "train" / "images")
        (tmp_path / "half" / "labels").symlink_to(tmp_path / "val" / "labels")
    path.write_text(f'[splits]\ntrain = "train"\ntest = "{test}"\n{BASIC}')
    with pytest.raises(EdkitError, match=r"is the folder of the splits train and test: expected"):
        load(path)


def test_files_that_two_splits_share_are_counted(tmp_path: Path, make: Any, load: Any) -> None:
    path = make(tmp_path)
    for number, name in enumerate("ab"):
        (tmp_path / "val" / "images" / f"{name}.png").unlink()
        source = tmp_path / "train" / "images" / f"{name}.png"
        (tmp_path / "val" / "images" / f"{name}.png").symlink_to(source)
        if not number:
            assert "split 0 1 files of validation are files of train as well ()" in said(load(path))
    with pytest.raises(EdkitError, match=r"are links to files of another: expected images of"):
        load(path)


def test_copies_in_another_split_are_counted(tmp_path: Path, make: Any, load: Any) -> None:
    path = make(tmp_path)
    assert "copies" not in " ".join(said(load(path)))
    file = tmp_path / "train" / "images" / "a.png"
    (tmp_path / "val" / "images" / "a.png").write_bytes(file.read_bytes())
    assert "split 0 1 files of validation are copies of files of train ()" in said(load(path))


def test_two_folders_for_one_split_are_asked_about(tmp_path: Path, make: Any, load: Any) -> None:
    path = make(tmp_path, splits=("train", "val", "valid"))
    with pytest.raises(EdkitError, match=r"split validation, found val and valid") as caught:
        load(path)
    table = str(caught.value).partition("such as ")[2].rstrip(".")
    path.write_text(table.replace("] ", "]\n").replace(", ", "\n") + f"\n{BASIC}")
    assert [*load(path).splits] == ["train", "validation"]


def test_a_folder_without_an_image_says_what_is_in_it(tmp_path: Path, make: Any, load: Any) -> None:
    path = make(tmp_path)
    for file in (tmp_path / "val" / "labels").iterdir():
        file.rename(file.with_suffix(".xml"))
    with pytest.raises(EdkitError, match=r"found no file that is read, such as .png.* but 2 \.xml"):
        load(path)
    (tmp_path / "val" / "labels" / "a.xml").rename(tmp_path / "val" / "labels" / "a.png")
    with pytest.raises(EdkitError, match=r"1 without one \(not read there: 1 \.xml\)"):
        load(path)


@pytest.mark.parametrize(
    ("number", "remedies"),
    [
        (255, ("ignore = [255]", 'classes = { "no" = 0, "yes" = 255 }')),
        (7, ("ignore = [7]",)),
    ],
)
def test_an_id_without_a_class_is_said_with_what_to_do(
    tmp_path: Path, save: Any, load: Any, number: int, remedies: Any
) -> None:
    toml = '[fields.mask]\nkind = "class"\n'
    path = tmp_path / "my.toml"
    for split in ("train", "test"):
        save(tmp_path / split / "mask" / "a.png", np.array([[0, number, 0, 1 % number]], "uint8"))
    path.write_text(f'{toml}classes = ["no", "yes"]\n')
    with pytest.raises(EdkitError, match=rf"found {number} in 1 pixels") as caught:
        load(path)
    assert f"say {remedies[0]}, else add" in str(caught.value)
    path.write_text(f'{toml}classes = ["no", "yes"]\n{remedies[0]}\n')
    assert load(path).splits["test"]["mask"].tolist() == [[[0, -1, 0, 1]]]
    if number == 255:
        save(tmp_path / "train" / "mask" / "a.png", np.array([[0, 255]], "uint8"))
        save(tmp_path / "test" / "mask" / "a.png", np.array([[0, 255]], "uint8"))
        assert remedies[1] in str(caught.value)
        path.write_text(f"{toml}{remedies[1]}\n")
        assert load(path).splits["test"]["mask"].tolist() == [[[0, 1]]]


def test_a_map_of_colours_may_be_stored_as_grey(tmp_path: Path, save: Any, load: Any) -> None:
    for split in ("train", "test"):
        save(tmp_path / split / "mask" / "a.png", np.array([[0, 128]], "uint8"))
    toml = '[fields.mask]\nkind = "class"\nclasses = { sky = "#000000", road = "#808080" }\n'
    (tmp_path / "my.toml").write_text(toml)
    assert load(tmp_path / "my.toml").splits["test"]["mask"].tolist() == [[[0, 1]]]


def test_the_folder_of_a_split_may_hold_the_images(tmp_path: Path, make: Any, load: Any) -> None:
    path = make(tmp_path)
    for split in ("train", "val"):  # as the CamVid of SegNet has them
        (tmp_path / split / "labels").rename(tmp_path / f"{split}annot")
        for file in (tmp_path / split / "images").iterdir():
            file.rename(tmp_path / split / file.name)
        (tmp_path / split / "images").rmdir()
    before = BASIC.replace('"images"', '""').replace('"labels"', '"annot"')
    path.write_text(f'layout = "{{split}}{{field}}"\n{before}', "utf-8")
    assert len(load(path).splits["train"]["image"]) == 2


def test_a_folder_is_the_same_from_within(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for place in ("image/cat/a", "image/dog/a", "image/dog/b.c"):
        for field in ("image", "depth"):
            file = tmp_path / f"{place.replace('image', field)}.png"
            file.parent.mkdir(parents=True, exist_ok=True)
            Image.new("L", (8, 8), len(place)).save(file)
    (tmp_path / "labels.csv").write_text("file,kind\ncat/a,0\ndog/a,1\ndog/b.c,1\n")
    fields = Fields({name: Field((8, 8, 1), "image") for name in ("image", "depth")})
    reader = DATASETS["folder"].files
    assert reader is not None
    monkeypatch.chdir(tmp_path)
    for path in (tmp_path, Path()):
        data = load_data(f"folder:{path},labels=labels.csv")
        assert data.whole is not None
        np.testing.assert_array_equal(data.whole["kind"], [0, 1, 1])
        names = reader.open(path, fields, {}).names
        assert [*names] == ["image/cat/a.png", "image/dog/a.png", "image/dog/b.c.png"]


def test_names_that_end_in_a_dot_have_no_ending(tmp_path: Path) -> None:
    for name in ("a.", "b..", "c.png.", "d"):
        (tmp_path / name).touch()
    others: Counter[str] = Counter()
    assert [*walk_images(tmp_path, others)] == []
    assert others == {"without ending": 4}
