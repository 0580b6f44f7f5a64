"""Files of a described folder, matched between fields."""

import os
import unicodedata
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from filecmp import cmp
from itertools import combinations
from pathlib import Path, PurePosixPath

from ed_core import EdkitError, Findings
from ed_plugins.datasets._download import places
from ed_plugins.datasets.folder.description import FolderPlan
from ed_plugins.datasets.folder.pictures import HEIF
from ed_plugins.datasets.folder.walk import (
    HEIC_ADVICE,
    counted,
    few,
    image_endings,
    kind_of_other,
)

Files = Mapping[str, Mapping[str, list[Path]]]  # split to field to files, in the same order

_USUAL = {"train": ("train",), "validation": ("val", "validation", "valid"), "test": ("test",)}


@dataclass(slots=True)
class _Listing:
    """A folder's image files by name, and the counts of its other files by ending or kind."""

    folder: Path
    images: dict[str, Path] = field(default_factory=dict)
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


def find_files(plan: FolderPlan, root: Path, findings: Findings) -> Files:
    """Return the files of every split and field, sorted by name and matched.

    Names that differ only in the Unicode form of accents match.

    Raises:
        EdkitError: a split or a field has no folder or no images, two splits are one folder, two
            files of a folder have one name, or a file has no partner in another field.
    """
    files, left = {}, Counter[str]()
    splits = _splits(plan, root)
    folders = {split: _folders(plan, root, name) for split, name in splits.items()}
    _check_apart(plan, folders)
    for split, of_field in folders.items():
        listed = {name: _list_images(folder, name) for name, folder in of_field.items()}
        _check_partners(listed)
        for listing in listed.values():
            left += listing.others
        files[split] = {
            name: [listing.images[stem] for stem in sorted(listing.images)]
            for name, listing in listed.items()
        }
    _check_own(plan, files, findings)
    sizes = {split: len(next(iter(named.values()))) for split, named in files.items()}
    counts = [
        f"{split} {sizes[split]:,}{f' (folder {name})' * (name != split)}"
        for split, name in splits.items()
    ]
    findings.infer("split", ", ".join(counts), f"[splits] in {plan.path.name}")
    option = HEIC_ADVICE if any(ending in HEIF for ending in left) else ""
    findings.leave_out("files", left.total(), counted(left), option)
    beside = _folders_beside(root, folders)
    findings.leave_out("folders", len(beside), f"not described: {few(beside)}")
    return files


def _splits(plan: FolderPlan, root: Path) -> dict[str, str]:
    """Return split to the name of its folders: those described, or the usual ones."""
    splits = dict(plan.splits)
    if not splits:
        for split, names in _USUAL.items():
            there = [
                name
                for name in names
                if any(map(os.path.isdir, _folders(plan, root, name).values()))
            ]
            if len(there) > 1:
                raise EdkitError(
                    f"{str(root)!r}: expected one folder of the split {split}, found "
                    f"{' and '.join(there)}: say in {plan.path.name} which, such as [splits] "
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


def _folders(plan: FolderPlan, root: Path, split: str) -> dict[str, Path]:
    """Return field to the folder of its images in a split."""
    layout = plan.layout.replace("{split}", split)
    return {
        name: resolve(root, layout.replace("{field}", entry.folder))
        for name, entry in plan.fields.items()
    }


def _check_apart(plan: FolderPlan, folders: Mapping[str, Mapping[str, Path]]) -> None:
    """Raise EdkitError if two splits are one folder, also through links."""
    seen: dict[tuple[str, int, int], str] = {}
    for split, of_field in folders.items():
        for name, folder in of_field.items():
            if not os.path.isdir(folder):
                continue
            facts = os.stat(folder)
            other = seen.setdefault((name, facts.st_dev, facts.st_ino), split)
            if other != split:
                raise EdkitError(
                    f"{str(folder)!r} is the folder of the splits {other} and {split}: expected "
                    f"images of their own for each, or the result would be measured on what was "
                    f"learned from; correct [splits] in {plan.path.name}."
                )


def _check_own(plan: FolderPlan, files: Files, findings: Findings) -> None:
    """Report how many files two splits share, as links or as copies of the same name.

    Raises:
        EdkitError: all files of a split are links to those of another.
    """
    first = next(iter(plan.fields))
    of_split = {split: {_place(path): path for path in files[split][first]} for split in files}
    named = {split: {path.name: path for path in files[split][first]} for split in files}
    for one, other in combinations(of_split, 2):
        shared = of_split[one].keys() & of_split[other].keys()
        if len(shared) == min(len(of_split[one]), len(of_split[other])):
            path = of_split[other][next(iter(shared))]
            raise EdkitError(
                f"{str(path)!r} and all others of a split are links to files of another: expected "
                f"images of their own for {one} and {other}, or the result would be measured on "
                f"what was learned from; correct [splits] in {plan.path.name}."
            )
        if shared:
            findings.infer("split", f"{len(shared):,} files of {other} are files of {one} as well")
        both = [(named[one][name], named[other][name]) for name in named[one].keys() & named[other]]
        copies = sum(_is_copy(a, b) for a, b in both)
        if copies:
            findings.infer("split", f"{copies:,} files of {other} are copies of files of {one}")


def _is_copy(one: Path, other: Path) -> bool:
    """Return whether two files are copies; unreadable files are reported elsewhere."""
    try:
        return _place(one) != _place(other) and cmp(one, other, shallow=False)
    except OSError:
        return False


def _place(path: Path) -> tuple[int, int]:
    facts = os.stat(path)
    return facts.st_dev, facts.st_ino


def _list_images(folder: Path, name: str) -> _Listing:
    """Return the files of a field's folder: images by their stems, and others."""
    if not os.path.isdir(folder):
        beside = sorted(os.listdir(folder.parent)) if os.path.isdir(folder.parent) else []
        raise EdkitError(
            f"{str(folder)!r}: expected a folder with the images of field {name!r}, found "
            f"{', '.join(beside[:8]) or 'nothing'} beside it."
        )
    listing = _Listing(folder)
    endings = image_endings()
    for path in sorted(folder.iterdir()):
        kind = kind_of_other(path, endings)
        if kind:
            listing.others[kind] += 1
            continue
        stem = _normal(path.stem)
        if stem in listing.images:
            other = listing.images[stem].name
            how = " (they differ only in how accents are stored)"
            raise EdkitError(
                f"{str(path)!r}: expected one file a name, found {other!r} as well"
                f"{how * (Path(other).stem != path.stem)}."
            )
        listing.images[stem] = path
    if not listing.images:
        heif = f": {HEIC_ADVICE}" if any(ending in HEIF for ending in listing.others) else ""
        raise EdkitError(
            f"{str(folder)!r}: expected the images of field {name!r}, found no file that is read, "
            f"such as .png, .jpg or .tif, but {counted(listing.others) or 'nothing'}{heif}."
        )
    return listing


def _check_partners(listed: Mapping[str, _Listing]) -> None:
    first = next(iter(listed))
    for name in listed:
        for one, other in ((first, name), (name, first)):
            images, partners = listed[one].images, listed[other].images
            lone = sorted(set(images) - set(partners))
            if lone:
                others = counted(listed[other].others)
                raise EdkitError(
                    f"{str(images[lone[0]])!r} ({one}) has no partner in "
                    f"{str(listed[other].folder)!r} ({other}): expected the same names, found "
                    f"{len(images)} and {len(partners)} files, {len(lone)} without one"
                    f"{f' (not read there: {others})' if others else ''}."
                )


def _folders_beside(root: Path, folders: Mapping[str, Mapping[str, Path]]) -> list[str]:
    """Return the folders that are not read, by their paths below the root."""
    used = {folder for of_field in folders.values() for folder in of_field.values()}
    within = {parent for folder in used for parent in (folder, *folder.parents)}
    above = sorted({p for folder in used for p in folder.parents if p.is_relative_to(root)})
    return [
        str(path.relative_to(root))
        for parent in above
        for path in sorted(parent.iterdir())
        if path not in within and not path.name.startswith(".") and os.path.isdir(path)
    ]


def _normal(name: str) -> str:
    return unicodedata.normalize("NFC", name)
