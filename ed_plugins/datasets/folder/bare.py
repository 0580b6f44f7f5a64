"""Description that a folder without one amounts to, by the names of its folders and files."""

import os
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from ed_core import EdkitError, Findings
from ed_core.plugins.spec import FieldKind
from ed_plugins.datasets._options import SPLITS, say_splits
from ed_plugins.datasets.folder.description import (
    FROM_FOLDERS,
    GROUP,
    FieldPlan,
    FolderPlan,
    Pixel,
)
from ed_plugins.datasets.folder.pictures import read_header, read_pixels
from ed_plugins.datasets.folder.pixels import Framing
from ed_plugins.datasets.folder.table import (
    Columns,
    FileNames,
    is_like_data,
    names_column,
    numbered,
    numbers_of,
    read_columns,
)
from ed_plugins.datasets.folder.walk import below, counted, few, in_threads, walk_images

NAME = "folder.toml"
_IMAGES = ("image", "images", "img", "imgs", "rgb", "photo", "photos", "picture", "pictures")
_MASKS = (
    *("mask", "masks", "label", "labels", "annotation", "annotations", "segmentation"),
    *(
        "segmentations",
        "seg",
        "gt",
        "groundtruth",
        "ground_truth",
        "target",
        "targets",
        "landcover",
    ),
)
_VALUES = ("elevation", "dem", "dsm", "height", "depth", "disparity", "disp", "distance")
_SUFFIXES = (
    "",
    "_mask",
    "_label",
    "_labels",
    "_seg",
    "_segmentation",
    "_gt",
    "-mask",
    "_elevation",
)
_LABELS = ("label", "class", "category", "species", "target", "diagnosis", "y")
_NO = ("no", "none")
_MOST_CLASSES = 1000
_MOST_PIXELS = 64  # different numbers or colours in masks
_VOID = 255  # in masks whose other ids are small


@dataclass(frozen=True, slots=True)
class Wishes:
    """What a user said of a folder without a description; see the options of `folder`."""

    labels: str = ""
    split: str = "auto"
    test: str = ""
    seed: int = 0


@dataclass(frozen=True, slots=True)
class _Tree:
    """Image files of a folder by the parts of their paths.

    Args:
        root: of all.
        paths: of the files.
        parts: of each path below the root, (folder, ..., name).
        layout: what the levels of folders stand for that were taken off the parts.
    """

    root: Path
    paths: Sequence[str]
    parts: Sequence[tuple[str, ...]]
    layout: tuple[str, ...] = ()

    def firsts(self) -> set[str]:
        """Return the names of the first folders; "" for a file without one."""
        return {one[0] if len(one) > 1 else "" for one in self.parts}

    def turned(self) -> "_Tree":
        """Return the tree with the second folders first, where folders hold those of fields."""
        rows = [row for row, one in enumerate(self.parts) if len(one) > 2]
        parts = [(one[1], one[0], *one[2:]) for one in (self.parts[row] for row in rows)]
        return _Tree(self.root, [self.paths[row] for row in rows], parts, (*self.layout, GROUP))

    def without(self, level: int, layout: str, keep: Iterable[str] | None = None) -> "_Tree":
        """Return the tree without a level of folders, and without folders that are not kept."""
        kept = None if keep is None else set(keep)
        rows = [
            row
            for row, one in enumerate(self.parts)
            if kept is None or (len(one) > level + 1 and one[level] in kept)
        ]
        parts = [self.parts[row][:level] + self.parts[row][level + 1 :] for row in rows]
        paths = [self.paths[row] for row in rows]
        return _Tree(self.root, paths, parts, (*self.layout, layout))


def infer_plan(root: Path, wishes: Wishes, findings: Findings) -> FolderPlan:
    """Return the description that a folder of images amounts to.

    Args:
        root: of the folder.
        wishes: of the user.
        findings: receives what was inferred.

    Raises:
        EdkitError: there is no image, or what there is can be read in two ways that differ.
    """
    others: Counter[str] = Counter()
    paths = list(walk_images(root, others))
    if not paths:
        raise EdkitError(
            f"{str(root)!r}: expected a folder with images, such as .png, .jpg or .tif, at any "
            f"depth, found {counted(others) or 'nothing'}."
        )
    tree = _Tree(root, paths, [tuple(below(path, root).split("/")) for path in paths])
    tree = _without_common(tree)
    splits: dict[str, str] = {}
    if wishes.split == "auto" and not wishes.test:
        tree, splits = _without_splits(tree, 0, findings)
    tree = _without_common(tree) if not splits else tree
    fields = _fields(tree, findings)
    within = tree.turned()
    if len(fields) == 1 and within.paths and not splits:
        fields = _fields(within, findings)
        tree = within if len(fields) > 1 else tree
    if len(fields) > 1:
        tree = tree.without(0, "{field}", [one.folder for one in fields.values()])
        if not splits and wishes.split == "auto" and not wishes.test:
            tree, splits = _without_splits(tree, 0, findings)
    table = _table(root, wishes, _mains(tree, fields), findings)
    if not table and wishes.labels not in _NO:
        tree, fields = _with_classes(tree, fields, findings)
    plan = FolderPlan(
        root / NAME,
        ".",
        "/".join(tree.layout) or ".",
        Framing(),
        splits,
        fields,
        bare=True,
        nested=any(len(one) > 1 + (GROUP in tree.layout) for one in tree.parts),
        split="last" if wishes.split == "last" else "random",
        test=wishes.test,
        seed=wishes.seed,
    )
    if table:
        plan = _with_table(plan, table, findings, drawn=wishes.split == "auto" and not wishes.test)
    return plan


def _mains(tree: _Tree, fields: Mapping[str, FieldPlan]) -> list[str]:
    """Return the files of the first field."""
    roots = tree.layout.count("{field}")
    main = next(iter(fields.values())).folder
    return [p for p in tree.paths if not roots or main in below(p, tree.root).split("/")]


def _without_common(tree: _Tree) -> _Tree:
    """Return a tree without the folders that all files share."""
    while len(firsts := tree.firsts()) == 1 and "" not in firsts:
        (name,) = firsts
        if SPLITS.get(name.lower()) not in (None, "train") or name.startswith("{"):
            return tree
        tree = tree.without(0, name)
    return tree


def _without_splits(tree: _Tree, level: int, findings: Findings) -> tuple[_Tree, dict[str, str]]:
    """Return a tree without the folders of splits, and split to the name of its folder."""
    named = {name: SPLITS[name.lower()] for name in tree.firsts() if name.lower() in SPLITS}
    if "train" not in named.values() or len(set(named.values())) < 2:
        return tree, {}
    twice = Counter(named.values()).most_common(1)[0]
    if twice[1] > 1:
        names = sorted(name for name, split in named.items() if split == twice[0])
        raise EdkitError(
            f"{str(tree.root)!r}: expected one folder of the split {twice[0]}, found "
            f"{' and '.join(names)}: say split=random, or describe the folder: edkit data "
            f"{tree.root} --write."
        )
    order = ("train", "validation", "test")
    splits = {split: name for name, split in sorted(named.items(), key=lambda p: order.index(p[1]))}
    beside = [one for one in tree.parts if len(one) < 2 or one[0] not in named]
    findings.leave_out(
        "split", len(beside), f"images outside of {', '.join(splits.values())}", "split=random"
    )
    return tree.without(level, "{split}", named), splits


def _fields(tree: _Tree, findings: Findings) -> dict[str, FieldPlan]:
    """Return the fields that sibling folders with files of the same names stand for."""
    stems: dict[str, set[str]] = {}
    for one in tree.parts:
        name, rest = (one[0], one[1:]) if len(one) > 1 else ("", one)
        stems.setdefault(name, set()).add(os.path.splitext("/".join(rest))[0])
    main = next((name for word in _IMAGES for name in stems if name.lower() == word), None)
    if main is None:
        return {"image": FieldPlan("")}
    fields = {"image": FieldPlan(main)}
    for name in sorted(stems.keys() - {main, ""}):
        suffix = _suffix(stems[main], stems[name])
        if suffix is None:
            continue
        words = re.split(r"[^a-z]+", name.lower())
        kind: FieldKind = "image"
        if any(word in _MASKS for word in [*words, name.lower()]):
            kind = "class"
        elif any(word in _VALUES for word in words) and _has_one_band(tree, name):
            kind = "value"
        own = re.sub(r"\W", "_", name.lower())
        own = "mask" if kind == "class" and "mask" not in fields else own
        if not own.isidentifier() or own in fields:
            findings.leave_out(own, 1, f"folder {name}: its name is no name of a field, or taken")
            continue
        plan = FieldPlan(name, kind, suffix=suffix)
        option = f"kind in [fields.{own}] of {NAME}"
        findings.infer(own, f"folder {name}, of the same names as {main}: {_words(kind)}", option)
        fields[own] = _with_pixels(plan, own, tree, findings) if kind == "class" else plan
    return fields if len(fields) > 1 else {"image": FieldPlan("")}


def _has_one_band(tree: _Tree, folder: str) -> bool:
    """Return whether the first file of a folder holds a number a pixel, and no colours."""
    pairs = zip(tree.paths, tree.parts, strict=True)
    header = read_header(next(path for path, one in pairs if one[0] == folder and len(one) > 1))
    return header.bands == 1


def _words(kind: str) -> str:
    return {"class": "a class a pixel", "value": "a number a pixel"}.get(kind, "images")


def _suffix(images: set[str], others: set[str]) -> str | None:
    """Return what stands behind the names of partners; None where most have none."""
    for suffix in _SUFFIXES:
        partners = sum(
            one.endswith(suffix) and one.removesuffix(suffix) in images for one in others
        )
        if 2 * partners > min(len(images), len(others)):
            return suffix
    return None


@dataclass(frozen=True, slots=True)
class _Pixels:
    """Ids, or colours as numbers, that masks hold, and the colours that palettes give to ids."""

    coloured: bool = False
    numbers: frozenset[int] = frozenset()
    palette: Mapping[int, str] = field(default_factory=dict)

    def __or__(self, other: "_Pixels") -> "_Pixels":
        return _Pixels(
            self.coloured or other.coloured,
            self.numbers | other.numbers,
            {**self.palette, **other.palette},
        )


def _with_pixels(plan: FieldPlan, name: str, tree: _Tree, findings: Findings) -> FieldPlan:
    """Return a field of masks with the classes that its files hold: ids, or colours."""
    pairs = zip(tree.paths, tree.parts, strict=True)
    paths = [path for path, one in pairs if len(one) > 1 and one[0] == plan.folder]
    pixels = _Pixels()
    for part in in_threads(_pixels_of, paths):
        pixels |= part
        if len(pixels.numbers) > _MOST_PIXELS:
            raise EdkitError(
                f"{os.path.dirname(paths[0])!r}: expected masks with a few ids or colours of "
                f"classes, found more than {_MOST_PIXELS} (JPEG changes them: use PNG). If its "
                f'files are numbers, say kind = "value" in a {NAME}: see docs/your-data.md.'
            )
    return _classes_of(plan, name, pixels, findings)


def _classes_of(plan: FieldPlan, name: str, pixels: _Pixels, findings: Findings) -> FieldPlan:
    """Return a field with a class for each id or colour."""
    ignore: tuple[Pixel, ...] = ()
    numbers = sorted(pixels.numbers)
    small = [one for one in numbers if one != _VOID]
    void = not pixels.coloured and 1 < len(small) < len(numbers) and small[-1] < _VOID // 2
    if void:
        ignore, numbers = (_VOID,), small
        findings.infer(name, f"{_VOID} is no class", f"ignore in [fields.{name}] of {NAME}")
    texts: list[Pixel] = [f"#{one:06x}" if pixels.coloured else one for one in numbers]
    classes = {str(one): (one,) for one in texts}
    colours = tuple(pixels.palette[one] for one in numbers if one in pixels.palette)
    if pixels.coloured or len(colours) < len(numbers) or len({*colours}) < len(colours):
        colours = tuple(map(str, texts)) if pixels.coloured else ()
    findings.infer(
        name,
        f"{len(classes)} classes by the {'colours' if pixels.coloured else 'ids'} in all files: "
        f"{few([*classes])}",
        f"classes in [fields.{name}] of {NAME}",
    )
    return replace(plan, classes=classes, colours=colours, ignore=ignore)


def _pixels_of(path: str) -> _Pixels:
    """Return the ids or colours of a mask, those of a palette with its colours."""
    header = read_header(path)
    grey = header.bands == 1 or header.palette
    pixels = read_pixels(path, header, numbers=grey)
    if not grey:
        packed = pixels[..., :3].astype("int32") @ np.array([1 << 16, 1 << 8, 1], "int32")
        return _Pixels(True, frozenset(np.unique(packed)[: 2 * _MOST_PIXELS].tolist()))
    ids = np.unique(pixels[..., 0])[: 2 * _MOST_PIXELS]
    if ids.dtype.kind == "f" and (ids != np.rint(ids)).any():
        raise EdkitError(
            f"{path!r}: expected whole ids of classes, found {ids[0]:g}: if its numbers are "
            f'values, say kind = "value" in a {NAME}.'
        )
    palette = {}
    if header.palette and header.reader == "pillow" and len(ids) <= _MOST_PIXELS:
        shown = read_pixels(path, header)[..., :3]
        for number in ids.tolist():
            colour = shown[pixels[..., 0] == number][0]
            palette[int(number)] = "#" + bytes(colour.tolist()).hex()
    return _Pixels(False, frozenset(map(int, ids.tolist())), palette)


def _with_classes(
    tree: _Tree, fields: dict[str, FieldPlan], findings: Findings
) -> tuple[_Tree, dict[str, FieldPlan]]:
    """Return a tree without the folders of classes, and the fields with the label, if there are."""
    names = sorted(tree.firsts())
    if len(fields) > 1 or len(names) < 2:
        return tree, fields
    if all(name.lower() in SPLITS for name in names):
        text = f"folders {few(names)} are read as one set, and no classes below them"
        findings.infer("label", text, "split=auto, or labels=FILE.csv")
        return tree, fields
    if "" in names:
        beside = sum(len(one) == 1 for one in tree.parts)
        text = f"folders are no classes, since {beside:,} images lie beside them"
        findings.infer("label", text, "labels=FILE.csv")
        return tree, fields
    if len(names) > min(_MOST_CLASSES, len(tree.parts) / 2) or any("{" in one for one in names):
        text = f"{len(names):,} folders of {len(tree.parts):,} images are no classes"
        findings.infer("label", text, "labels=FILE.csv")
        return tree, fields
    findings.infer("label", f"{len(names)} classes by folders: {few(names)}", "labels=no")
    label = FieldPlan(FROM_FOLDERS, "class", classes={name: (name,) for name in names})
    return tree.without(0, FROM_FOLDERS), {**fields, "label": label}


def _table(
    root: Path, wishes: Wishes, paths: Sequence[str], findings: Findings
) -> tuple[str, Columns, str] | None:
    """Return the table of labels, its columns and the one that names files; None without one."""
    if wishes.labels in _NO:
        return None
    names = FileNames(below(path, root) for path in paths)
    if wishes.labels:
        path = Path(wishes.labels)
        path = path if path.is_absolute() else root / path
        columns = read_columns(path, names)
        named = names_column(columns, names)
        if named is None:
            raise EdkitError(
                f"{str(path)!r}: expected a column with the names of the images, such as "
                f"{below(paths[0], root)!r}; found {few([*columns])}."
            )
        return os.path.relpath(path, root).replace(os.sep, "/"), columns, named[0]
    tables = []
    for path in sorted(root.glob("*.csv")):
        try:
            columns = read_columns(path, names)
        except EdkitError as error:  # it was not asked for
            why = str(error).removeprefix(repr(str(path))).strip(",:. ")
            findings.leave_out("table", 1, f"{path.name}, which is no table of labels: {why}")
            continue
        named = names_column(columns, names)
        if named is None:
            text = f"{path.name}, which does not name the images"
            findings.leave_out("table", 1, text, f"labels={path.name}")
        else:
            tables.append((path.name, columns, named[0]))
    if len(tables) > 1:
        raise EdkitError(
            f"{str(root)!r}: expected one table that names the images, found "
            f"{' and '.join(one[0] for one in tables)}: say labels={tables[0][0]}, or labels=no."
        )
    return tables[0] if tables else None


def _with_table(
    plan: FolderPlan,
    table: tuple[str, Columns, str],
    findings: Findings,
    drawn: bool,
) -> FolderPlan:
    """Return a description with the columns of a table as fields, and the one of its splits.

    Args:
        plan: without them.
        table: its name, its columns, and the one that names the files.
        findings: receives what is inferred and left out.
        drawn: whether the splits are drawn, unless folders or a column say them.
    """
    name, columns, names = table
    fields = dict(plan.fields)
    headless = [*columns] == numbered(len(columns))
    text = f"{name}{', without headings,' if headless else ''} names the files in column {names}"
    findings.infer("table", text, "labels=no")
    if odd := [heading for heading, cells in columns.items() if is_like_data(heading, cells)]:
        text = f"the first line of {name} is taken for headings, though {few(odd)} may be data"
        findings.infer("table", text, "headings in its first line")
    for heading, cells in columns.items():
        if heading == names:
            continue
        own = re.sub(r"\W", "_", heading.lower()).strip("_") or "column"
        if say_splits(cells):
            if drawn and not plan.splits and not plan.split_column:
                plan = replace(plan, split_column=heading)
            else:
                findings.leave_out("table", 1, f"column {heading}: the splits are said otherwise")
            continue
        entry = _column_plan(heading, cells)
        if entry is None or not own.isidentifier() or own in fields:
            why = "too many texts for classes"
            if entry is not None:
                why = "its name is taken" if own in fields else "its name cannot be a field's"
            findings.leave_out("table", 1, f"column {heading}: {why}")
            continue
        fields[own] = entry
        what = "values" if entry.kind == "value" else f"{len(entry.classes)} classes"
        findings.infer(own, f"{what} of column {heading}", f"kind in [fields.{own}] of {NAME}")
    if len(fields) == len(plan.fields) and not plan.split_column:
        raise EdkitError(
            f"{name!r}: expected a column of labels beside the names of the files, found none: "
            "say labels=no."
        )
    return replace(plan, fields=fields, table=name, names=names)


def _column_plan(heading: str, cells: Sequence[str]) -> FieldPlan | None:
    """Return the field of a column: numbers are values, texts are classes; None for other texts."""
    numbers = numbers_of(cells)
    texts = sorted({cell for cell in cells if cell})
    whole = numbers is not None and (numbers[~np.isnan(numbers)] % 1 == 0).all()
    few_texts = 0 < len(texts) <= min(_MOST_CLASSES, max(2, len(cells) / 2))
    if numbers is not None and not (whole and few_texts and heading.lower() in _LABELS):
        return FieldPlan("", "value", column=heading) if texts else None
    if not few_texts:
        return None
    if numbers is not None:
        texts.sort(key=float)
    classes: dict[str, tuple[Pixel, ...]] = {name: (name,) for name in texts}
    return FieldPlan("", "class", classes=classes, column=heading)
