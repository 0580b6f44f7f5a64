"""The files of a described folder, found and matched."""

from collections.abc import Mapping
from pathlib import Path

from ed_core import EdkitError
from ed_plugins._fetch import places
from ed_plugins._folder_plan import FolderPlan
from ed_plugins._pictures import ENDINGS, picture_size

Files = Mapping[str, Mapping[str, list[Path]]]  # split to field to files, in the same order

_USUAL = {"train": ("train",), "validation": ("val", "validation", "valid"), "test": ("test",)}
_SAME = 0.02  # by how much the proportions of two images of one sample may differ


def find_root(plan: FolderPlan) -> Path:
    """Return the folder: beside the TOML file, else below EDKIT_DATA, else below the cache."""
    candidates = [place / plan.root for place in (plan.path.parent, *places())]
    for candidate in candidates:
        if candidate.is_dir():
            return candidate
    raise EdkitError(
        f"{str(plan.path)!r}: expected a folder {plan.root!r} beside it or in EDKIT_DATA, found "
        f"none: looked for {' and '.join(map(str, candidates))}."
    )


def find_files(plan: FolderPlan, root: Path) -> Files:
    """Return the files of every split and field, sorted by name and matched.

    Raises:
        EdkitError: a split or a field has no folder or no images, two files of a folder differ in
            their endings alone, or a file has no partner in another field.
    """
    files = {}
    for split, name in _splits(plan, root).items():
        folders = {field: _place(plan, root, name, field) for field in plan.fields}
        named = {field: _images(folder, field) for field, folder in folders.items()}
        first = next(iter(named))
        for field in named:
            for one, other in ((first, field), (field, first)):
                lone = sorted(set(named[one]) - set(named[other]))
                if lone:
                    raise EdkitError(
                        f"{str(named[one][lone[0]])!r} ({one}) has no partner in "
                        f"{str(folders[other])!r} ({other}): expected the same names, found "
                        f"{len(named[one])} and {len(named[other])} files, {len(lone)} without one."
                    )
        files[split] = {field: [found[k] for k in sorted(found)] for field, found in named.items()}
    return files


def check_sizes(plan: FolderPlan, files: Files) -> None:
    """Raise EdkitError where the images of a sample differ in size, or samples among each other.

    If all are brought to one size, those of a sample need the same proportions alone.
    """
    sizes: dict[tuple[int, int], list[Path]] = {}
    for named in files.values():
        for paths in zip(*named.values(), strict=True):
            first, *others = map(picture_size, paths)
            sizes.setdefault(first, []).append(paths[0])
            for path, size in zip(paths[1:], others, strict=True):
                skewed = abs(first[0] * size[1] / (first[1] * size[0]) - 1) > _SAME
                if skewed if plan.size else size != first:
                    raise EdkitError(
                        f"{str(path)!r} has {size[0]}x{size[1]} pixels (height x width), but its "
                        f"partner {str(paths[0])!r} has {first[0]}x{first[1]}: expected the same."
                    )
    if len(sizes) > 1 and not plan.size:
        usual, *_, rarest = sorted(sizes.items(), key=lambda found: -len(found[1]))
        (height, width), odd = rarest  # it is the likeliest to be wrong
        raise EdkitError(
            f"{str(odd[0])!r} has {height}x{width} pixels (height x width), expected "
            f"{usual[0][0]}x{usual[0][1]} as {len(usual[1])} others; {len(sizes)} sizes in all. "
            f"A line size = [HEIGHT, WIDTH] in {str(plan.path)!r} brings all to one."
        )


def _splits(plan: FolderPlan, root: Path) -> dict[str, str]:
    """Return split to the name of its folders: those that are given, or the usual ones."""
    splits = dict(plan.splits)
    if not splits:
        for split, names in _USUAL.items():
            for name in names:
                if any(_place(plan, root, name, field).is_dir() for field in plan.fields):
                    splits.setdefault(split, name)
    if not {"validation", "test"} & set(splits):
        found = ", ".join(sorted(p.name for p in root.iterdir() if p.is_dir())[:8]) or "none"
        raise EdkitError(
            f"{str(plan.path)!r}: expected the splits train and validation or test, or one of the "
            f"last two alone, found {', '.join(splits) or 'none'} (folders in {str(root)!r}: "
            f"{found})."
        )
    return splits


def _place(plan: FolderPlan, root: Path, split: str, field: str) -> Path:
    folder = plan.fields[field].folder
    return root / plan.layout.replace("{split}", split).replace("{field}", folder)


def _images(folder: Path, field: str) -> dict[str, Path]:
    """Return the image files of a folder by their names without the ending."""
    if not folder.is_dir():
        beside = sorted(p.name for p in folder.parent.iterdir()) if folder.parent.is_dir() else []
        raise EdkitError(
            f"{str(folder)!r}: expected a folder with the images of field {field!r}, found "
            f"{', '.join(beside[:8]) or 'nothing'} beside it."
        )
    found: dict[str, Path] = {}
    for path in sorted(folder.iterdir()):
        if path.suffix.lower() not in ENDINGS or path.name.startswith("."):
            continue
        if not path.is_file():  # whoever opens a FIFO hangs
            continue
        if path.stem in found:
            raise EdkitError(
                f"{str(path)!r}: expected one file a name, found {found[path.stem].name!r} as well."
            )
        found[path.stem] = path
    if not found:
        raise EdkitError(
            f"{str(folder)!r}: expected the images of field {field!r}, found no file that ends in "
            f"{', '.join(sorted(ENDINGS))}."
        )
    return found
