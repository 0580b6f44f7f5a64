"""Files of a described folder, matched between fields."""

import os
import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from filecmp import cmp
from fnmatch import fnmatch
from itertools import combinations
from pathlib import Path, PurePosixPath

import numpy as np

from ed_core import EdkitError, Findings, content_generator
from ed_plugins.datasets._download import places
from ed_plugins.datasets._options import SPLITS, say_splits
from ed_plugins.datasets.folder.description import FROM_FOLDERS, GROUP, FolderPlan
from ed_plugins.datasets.folder.pictures import HEIF
from ed_plugins.datasets.folder.table import (
    FileNames,
    column,
    label_numbers,
    read_columns,
    rows_named,
)
from ed_plugins.datasets.folder.walk import (
    HEIC_ADVICE,
    below,
    counted,
    few,
    list_images,
    walk_images,
)

Files = Mapping[str, Sequence[str]]  # field to the paths of its files, in the same order
_Folders = Mapping[str, Mapping[str, Sequence[Path]]]  # split to field to its folders

_USUAL = {"train": ("train",), "validation": ("val", "validation", "valid"), "test": ("test",)}
_TEST = 0.2  # share of the samples that is drawn for the test
_ALL = ""  # stands for the split of samples that are not in folders of splits


@dataclass(frozen=True, slots=True)
class SampleFiles:
    """Files and labels of all samples.

    Args:
        files: field to the file of each sample.
        labels: field to the number of each sample, (samples,): a class, -1 for none, or a value,
            NaN for none.
        names: of the samples, their paths below the folder of their field without the ending.
        splits: split to the rows of its samples, increasing.
        drawn: whether these were drawn from one set.
    """

    files: Files
    labels: Mapping[str, np.ndarray]
    names: Sequence[str]
    splits: Mapping[str, np.ndarray]
    drawn: bool = False


@dataclass(slots=True)
class _Listing:
    """The image files of a field in a split by name, and the counts of others by ending or kind."""

    folder: Path
    images: dict[str, str] = field(default_factory=dict)
    classes: dict[str, int] = field(default_factory=dict)
    others: Counter[str] = field(default_factory=Counter)


def find_root(plan: FolderPlan) -> Path:
    """Return the folder beside the TOML file, else below EDKIT_DATA, else below the cache."""
    candidates = [resolve(place, plan.root) for place in (plan.path.parent, *places())]
    for candidate in candidates:
        if os.path.isdir(candidate):
            return candidate
    raise EdkitError(
        f"{str(plan.path)!r}: expected a folder {plan.root!r} beside it or in EDKIT_DATA, found "
        f"none: looked for {' and '.join(map(str, candidates))}."
    )


def resolve(base: Path, name: str) -> Path:
    r"""Return a path below `base`; accept a\b for a/b and other Unicode forms of accents."""
    path = base / name
    if os.path.exists(path):
        return path
    path = base
    for part in PurePosixPath(name.replace("\\", "/")).parts:
        step = path / part
        if not os.path.exists(step) and os.path.isdir(path):
            alike = [one for one in os.listdir(path) if _normal(one) == _normal(part)]
            step = path / alike[0] if len(alike) == 1 else step
        path = step
    return path if os.path.exists(path) else base / name


def find_files(plan: FolderPlan, root: Path, findings: Findings) -> SampleFiles:
    """Return the files of every field, sorted by name or in the order of a table, and matched.

    Names that differ only in the Unicode form of accents match.

    Raises:
        EdkitError: a split or a field has no folder or no images, two splits are one folder, two
            files of a folder have one name, or a file has no partner in another field.
    """
    left = Counter[str]()
    splits = _splits(plan, root)
    folders = {split: _folders(plan, root, name) for split, name in splits.items()}
    _check_apart(plan, folders)
    of_split: dict[str, Files] = {}
    names: list[str] = []
    classes: list[int] = []
    for split, of_field in folders.items():
        listed = {name: _list_images(plan, places, name, root) for name, places in of_field.items()}
        _check_partners(listed)
        first = next(iter(listed.values()))
        order = sorted(first.images, key=lambda key: key.split("/"))
        of_split[split] = {name: [one.images[key] for key in order] for name, one in listed.items()}
        left += sum((listing.others for listing in listed.values()), Counter())
        names += order
        classes += [first.classes.get(key, 0) for key in order]
    _check_own(plan, of_split, findings)
    sizes = [len(next(iter(named.values()))) for named in of_split.values()]
    ends = np.cumsum(sizes)
    rows = dict(zip(of_split, np.split(np.arange(ends[-1]), ends[:-1]), strict=True))
    labels = {
        name: np.array(classes, "int32")
        for name, entry in plan.labels.items()
        if entry.folder == FROM_FOLDERS
    }
    samples = SampleFiles(_joined(of_split), labels, names, rows)
    if plan.table:
        samples = with_table(plan, root, samples, findings)
    if _ALL in splits and not plan.split_column:
        samples = drawn(plan, samples, findings)
    elif _ALL not in splits:
        counts = [
            f"{split} {len(rows[split]):,}{f' (folder {name})' * (name != split)}"
            for split, name in splits.items()
        ]
        findings.infer("split", ", ".join(counts), f"[splits] in {plan.toml}")
    _forget_own(plan, root, folders, left)
    advice = HEIC_ADVICE if any(ending in HEIF for ending in left) else ""
    findings.leave_out("files", left.total(), counted(left), advice)
    beside = _folders_beside(plan, root, folders)
    findings.leave_out("folders", len(beside), f"not described: {few(beside)}")
    return samples


def _joined(of_split: Mapping[str, Files]) -> Files:
    """Return the files of all splits, one split after the other."""
    parts = [*of_split.values()]
    return {name: [path for one in parts for path in one[name]] for name in parts[0]}


def _forget_own(plan: FolderPlan, root: Path, folders: _Folders, left: Counter[str]) -> None:
    """Take the description and the table off the counts of files that are not read."""
    listed = {
        place for of_field in folders.values() for ones in of_field.values() for place in ones
    }
    for path in [plan.path, *([resolve(root, plan.table)] if plan.table else [])]:
        inside = path.parent in listed or (plan.nested and not listed.isdisjoint(path.parents))
        if inside and path.is_file():
            left[path.suffix.lower()] -= 1
    left += Counter()  # drops what has become 0


def with_table(
    plan: FolderPlan, root: Path, samples: SampleFiles, findings: Findings
) -> SampleFiles:
    """Return the samples with the labels of a table, in the order of its lines."""
    path = resolve(root, plan.table)
    files = next(iter(samples.files.values()))
    names = FileNames(below(path, root) for path in files)
    columns = read_columns(path, names, plan.names)
    rows = rows_named(columns, plan.names, names, path)
    line_of = np.full(len(files), len(rows))
    line_of[rows[rows >= 0]] = np.flatnonzero(rows >= 0)
    named = line_of < len(rows)
    findings.leave_out("table", int((rows < 0).sum()), f"lines of {path.name} without their file")
    labels = dict(samples.labels)
    for name, entry in plan.labels.items():
        if entry.column:
            numbers = label_numbers(entry, column(columns, entry.column, path), path)
            none = np.array([np.nan if entry.kind == "value" else -1], numbers.dtype)
            labels[name] = np.concatenate([numbers, none])[line_of]
    if not named.all():
        findings.infer(
            "table", f"{(~named).sum():,} of {len(named):,} files are not in {path.name}"
        )
    order = np.concatenate(
        [part[np.argsort(line_of[part], kind="stable")] for part in samples.splits.values()]
    )
    ordered = SampleFiles(
        {name: [paths[row] for row in order] for name, paths in samples.files.items()},
        {name: numbers[order] for name, numbers in labels.items()},
        [samples.names[row] for row in order],
        samples.splits,
    )
    if not plan.split_column:
        return ordered
    cells = [*column(columns, plan.split_column, path), ""]
    splits = _stated_splits([cells[line] for line in line_of[order]], plan, findings)
    return replace(ordered, splits=splits)


def _stated_splits(
    cells: Sequence[str], plan: FolderPlan, findings: Findings
) -> dict[str, np.ndarray]:
    """Return the rows of each split, which a table says.

    Args:
        cells: of each row; "" where the table does not name its file.
        plan: the description.
        findings: receives the counts.

    Raises:
        EdkitError: a cell is no split, or there is none to train on, or no other.
    """
    odd = next((cell for cell in cells if cell and cell.lower() not in SPLITS), None)
    if odd is not None or not say_splits(filter(None, cells)):
        raise EdkitError(
            f"{plan.table!r}: expected train, and test or validation, in column "
            f"{plan.split_column!r}, found {odd or few(sorted({*filter(None, cells)}))!r}."
        )
    names = np.array([SPLITS.get(cell.lower(), "") for cell in cells])
    splits = {
        name: np.flatnonzero(names == name)
        for name in ("train", "validation", "test")
        if (names == name).any()
    }
    counts = ", ".join(f"{name} {len(rows):,}" for name, rows in splits.items())
    text = f"{counts} files, by column {plan.split_column} of {plan.table}"
    findings.infer("split", text, "split=random, split=last")
    findings.leave_out("split", int((names == "").sum()), "files of no split")
    return splits


def drawn(plan: FolderPlan, samples: SampleFiles, findings: Findings) -> SampleFiles:
    """Return the samples with a split that is drawn: those of a pattern, or a fifth.

    Raises:
        EdkitError: there is nothing to train on, or nothing to test.
    """
    names, count = samples.names, len(samples.names)
    tested = np.zeros(count, bool)
    classes = next((x for x in samples.labels.values() if x.dtype.kind == "i"), np.zeros(count))
    few_tested = max(1, round(_TEST * count))
    if plan.test:
        tested[:] = [
            fnmatch(name, plan.test) or fnmatch(name.rpartition("/")[2], plan.test)
            for name in names
        ]
        text = f"{tested.sum():,} of {count:,} files whose names match {plan.test} are the test"
    elif plan.split == "last":
        tested[count - few_tested :] = True
        text = f"the last {tested.sum():,} of {count:,} files are the test"
    else:
        random = content_generator(plan.seed, 1)
        for number in np.unique(classes):
            own = random.permutation(np.flatnonzero(classes == number))
            tested[own[: round(_TEST * len(own))]] = True
        if not tested.any():
            tested[random.permutation(count)[:few_tested]] = True
        each = " of each class" * bool(classes.any())
        text = f"{tested.sum():,} of {count:,} files, a fifth{each} at random, are the test"
    if tested.all() or not tested.any():
        what = f"test = {plan.test!r} takes {tested.sum()}" if plan.test else f"there are {count}"
        raise EdkitError(
            f"{str(plan.path)!r}: expected files to train on and files to test, but {what} of "
            f"{count}: give more images, or another pattern."
        )
    other = "random" if plan.split == "last" else "last"
    findings.infer("split", text, f"split={other}, test=PATTERN")
    splits = {"train": np.flatnonzero(~tested), "test": np.flatnonzero(tested)}
    return replace(samples, splits=splits, drawn=True)


def _splits(plan: FolderPlan, root: Path) -> dict[str, str]:
    """Return split to the name of its folders: those described, or the usual ones."""
    if "{split}" not in plan.layout:
        return {_ALL: ""}
    splits = dict(plan.splits)
    if not splits:
        for split, names in _USUAL.items():
            there = [
                name
                for name in names
                if any(
                    os.path.isdir(place)
                    for places in _folders(plan, root, name).values()
                    for place in places
                )
            ]
            if len(there) > 1:
                raise EdkitError(
                    f"{str(root)!r}: expected one folder of the split {split}, found "
                    f"{' and '.join(there)}: say in {plan.toml} which, such as [splits] "
                    f'train = "train", {split} = "{there[0]}".'
                )
            if there:
                splits[split] = there[0]
    if not {"validation", "test"} & set(splits):
        folders = ", ".join(sorted(p.name for p in root.iterdir() if p.is_dir())[:8]) or "none"
        raise EdkitError(
            f"{str(plan.path)!r}: expected the splits train and validation or test, or one of the "
            f"last two alone, found {', '.join(splits) or 'none'} (folders in {str(root)!r}: "
            f"{folders})."
        )
    return splits


def _folders(plan: FolderPlan, root: Path, split: str) -> dict[str, list[Path]]:
    """Return field to the folders of its images in a split: one, or one of each class."""
    layout = plan.layout.replace("{split}", split)
    first = next(iter(plan.pictures.values())).folder
    return {
        name: [
            resolve(root, one.replace("{field}", entry.folder).replace(FROM_FOLDERS, each))
            for one in _of_groups(layout, root, first)
            for each in _class_folders(plan) or [""]
        ]
        for name, entry in plan.pictures.items()
    }


def _class_folders(plan: FolderPlan) -> list[str]:
    """Return the folders that classes have, where they have any."""
    return [
        name
        for entry in plan.labels.values()
        if entry.folder == FROM_FOLDERS
        for name in entry.classes
    ]


def _of_groups(layout: str, root: Path, first: str) -> list[str]:
    """Return the layouts with the name of each folder that {group} stands for.

    These are the folders that hold one of the first field, in the order of their names.
    """
    before, group, after = layout.partition(GROUP)
    above = resolve(root, before)
    if not group or not os.path.isdir(above):
        return [layout]
    inside = after.replace("{field}", first).partition("{")[0].strip("/")
    names = [
        name
        for name in sorted(os.listdir(above))
        if not name.startswith(".") and os.path.isdir(resolve(above / name, inside))
    ]
    return [before + name + after for name in names] or [layout]


def _prefix(plan: FolderPlan, place: Path, root: Path) -> str:
    """Return what stands before the names of the files in a folder: its group, its class."""
    parts = place.relative_to(root).parts if place.is_relative_to(root) else place.parts
    levels = PurePosixPath(plan.layout).parts
    names = [
        _normal(part)
        for level, part in zip(levels, parts, strict=False)
        if level in (GROUP, FROM_FOLDERS)
    ]
    return "".join(f"{name}/" for name in names)


def _check_apart(plan: FolderPlan, folders: _Folders) -> None:
    """Raise EdkitError if two splits are one folder, also through links."""
    seen: dict[tuple[str, int, int], str] = {}
    for split, of_field in folders.items():
        for name, folder in [(name, one) for name, ones in of_field.items() for one in ones]:
            if not os.path.isdir(folder):
                continue
            facts = os.stat(folder)
            other = seen.setdefault((name, facts.st_dev, facts.st_ino), split)
            if other != split:
                raise EdkitError(
                    f"{str(folder)!r} is the folder of the splits {other} and {split}: expected "
                    f"images of their own for each, or the result would be measured on what was "
                    f"learned from; correct [splits] in {plan.toml}."
                )


def _check_own(plan: FolderPlan, files: Mapping[str, Files], findings: Findings) -> None:
    """Report how many files two splits share, as links or as copies of the same name.

    Raises:
        EdkitError: all files of a split are links to those of another.
    """
    first = next(iter(plan.pictures))
    paths = {split: of_field[first] for split, of_field in files.items()}
    of_split = {split: {_place(path): path for path in paths[split]} for split in files}
    named = {split: {os.path.basename(path): path for path in paths[split]} for split in files}
    for one, other in combinations(of_split, 2):
        shared = of_split[one].keys() & of_split[other].keys()
        if len(shared) == min(len(of_split[one]), len(of_split[other])):
            path = of_split[other][next(iter(shared))]
            raise EdkitError(
                f"{path!r} and all others of a split are links to files of another: expected "
                f"images of their own for {one} and {other}, or the result would be measured on "
                f"what was learned from; correct [splits] in {plan.toml}."
            )
        if shared:
            findings.infer("split", f"{len(shared):,} files of {other} are files of {one} as well")
        both = [(named[one][name], named[other][name]) for name in named[one].keys() & named[other]]
        copies = sum(_is_copy(a, b) for a, b in both)
        if copies:
            findings.infer("split", f"{copies:,} files of {other} are copies of files of {one}")


def _is_copy(one: str, other: str) -> bool:
    """Return whether two files are copies; unreadable files are reported elsewhere."""
    try:
        return _place(one) != _place(other) and cmp(one, other, shallow=False)
    except OSError:
        return False


def _place(path: str) -> tuple[int, int]:
    facts = os.stat(path)
    return facts.st_dev, facts.st_ino


def _list_images(plan: FolderPlan, places: Sequence[Path], name: str, root: Path) -> _Listing:
    """Return the files of a field in a split: images by their names, and others."""
    folder = next(filter(os.path.isdir, places), places[0])
    if not os.path.isdir(folder):
        beside = sorted(os.listdir(folder.parent)) if os.path.isdir(folder.parent) else []
        raise EdkitError(
            f"{str(folder)!r}: expected a folder with the images of field {name!r}, found "
            f"{', '.join(beside[:8]) or 'nothing'} beside it."
        )
    listing = _Listing(folder)
    for number, place in enumerate(places):
        if os.path.isdir(place):
            prefix = _prefix(plan, place, root) if len(places) > 1 else ""
            class_number = number % len(_class_folders(plan) or [""])
            _list_place(plan, place, name, (prefix, class_number), listing)
    if not listing.images:
        heif = f": {HEIC_ADVICE}" if any(ending in HEIF for ending in listing.others) else ""
        raise EdkitError(
            f"{str(folder)!r}: expected the images of field {name!r}, found no file that is read, "
            f"such as .png, .jpg or .tif, but {counted(listing.others) or 'nothing'}{heif}."
        )
    return listing


def _list_place(
    plan: FolderPlan, place: Path, name: str, of: tuple[str, int], listing: _Listing
) -> None:
    """Add the files of one folder to a listing, with what stands before their names, of a class."""
    prefix, class_number = of
    suffix = plan.fields[name].suffix
    paths = (
        walk_images(place, listing.others) if plan.nested else list_images(place, listing.others)
    )
    for path in paths:
        key = _normal(os.path.splitext(below(path, place))[0])
        if not key.endswith(suffix):
            listing.others[f"without {suffix}"] += 1
            continue
        key = prefix + key.removesuffix(suffix)
        listing.classes[key] = class_number
        if key in listing.images:
            other = Path(listing.images[key])
            how = " (they differ only in how accents are stored)"
            raise EdkitError(
                f"{path!r}: expected one file a name, found {other.name!r} as well"
                f"{how * (other.stem != Path(path).stem)}."
            )
        listing.images[key] = path


def _check_partners(listed: Mapping[str, _Listing]) -> None:
    first = next(iter(listed))
    for name in listed:
        for one, other in ((first, name), (name, first)):
            images, partners = listed[one].images, listed[other].images
            lone = sorted(set(images) - set(partners))
            if lone:
                others = counted(listed[other].others)
                raise EdkitError(
                    f"{images[lone[0]]!r} ({one}) has no partner in "
                    f"{str(listed[other].folder)!r} ({other}): expected the same names, found "
                    f"{len(images)} and {len(partners)} files, {len(lone)} without one"
                    f"{f' (not read there: {others})' if others else ''}."
                )


def _folders_beside(plan: FolderPlan, root: Path, folders: _Folders) -> list[str]:
    """Return the folders that are not read, by their paths below the root."""
    used = {
        place for of_field in folders.values() for places in of_field.values() for place in places
    }
    if plan.nested and root in used:
        return []
    within = {parent for folder in used for parent in (folder, *folder.parents)}
    above = sorted({p for folder in used for p in folder.parents if p.is_relative_to(root)})
    return [
        str(path.relative_to(root))
        for parent in above
        if os.path.isdir(parent)
        for path in sorted(parent.iterdir())
        if path not in within and not path.name.startswith(".") and os.path.isdir(path)
    ]


def _normal(name: str) -> str:
    return unicodedata.normalize("NFC", name)
