"""Names of arrays: the split and the field of each."""

import re
from dataclasses import dataclass, field

from ed_core import EdkitError
from ed_plugins.datasets.arrays.files import ArrayFile, Stored

_SPLITS = {
    **{"train": "train", "training": "train", "test": "test", "testing": "test"},
    **dict.fromkeys(("val", "valid", "validation"), "validation"),
}
_WORD = "|".join(sorted(_SPLITS, key=len, reverse=True))
_FIELD = "(?:set_)?([a-z]\\w*)"
_AFFIXED = [  # train_images, x_train, train_set_x, xtrain, trainX: the split, the field or these
    (re.compile(f"({_WORD})_{_FIELD}", re.I), True),
    (re.compile(f"{_FIELD}_({_WORD})", re.I), False),
    (re.compile(f"({_WORD})([xy])", re.I), True),
    (re.compile(f"([xy])({_WORD})", re.I), False),
]
INPUTS = ("x", "data")  # of keras.datasets, of scikit-learn
TARGETS = ("y", "target", "targets")
PLURALS = {
    **{"images": "image", "imgs": "image", "img": "image", "videos": "video"},
    **{"signals": "signal", "labels": "label", "masks": "mask"},
}


@dataclass(slots=True)
class NamedArrays:
    """Arrays of a file by split and field.

    Args:
        splits: split to field to array; a single split "" if the names say none.
        left: field, or name in the file, to the reason why it is left out.
        by_affix: whether x and y are inputs and targets, as where the splits come from names such
            as x_train, and of the array of an npy file, which has no name.
    """

    splits: dict[str, dict[str, Stored]]
    left: dict[str, str] = field(default_factory=dict)
    by_affix: bool = False


def name_arrays(file: ArrayFile, path: str, alone: bool = False) -> NamedArrays:
    """Return the arrays of a file by the split and field in their names.

    Names are SPLIT/FIELD or FIELD, or FIELD_SPLIT and SPLIT_FIELD as of Keras and MedMNIST.

    Args:
        file: the arrays.
        path: of it.
        alone: whether a single split, such as train, is enough.

    Raises:
        EdkitError: two names mean the same, or the splits are not those of a run.
    """
    placed, by_affix = _placed([*file.arrays, *file.left])
    result = NamedArrays({}, by_affix=by_affix or path.lower().endswith(".npy"))
    lone = _lone_group(file.arrays)
    for name, stored in file.arrays.items():
        split, field_name = placed[name]
        split = "" if split == lone else split
        if not field_name.isidentifier():
            result.left[name] = f"expected a name of letters, digits and _; found {name[:60]!r}"
        elif field_name in result.splits.setdefault(split, {}):
            raise EdkitError(
                f"{path!r}: expected names FIELD or SPLIT/FIELD, each once, found {name[:60]!r} "
                "beside another of that split and field."
            )
        else:
            result.splits[split][field_name] = stored
    result.splits = {split: named for split, named in result.splits.items() if named}
    for name, reason in file.left.items():
        result.left.setdefault(placed[name][1], reason)
    _check_splits(result, [*file.arrays], path, alone)
    return result


def _placed(names: list[str]) -> tuple[dict[str, tuple[str, str]], bool]:
    """Return the split and the field of each name, and whether they come from affixes."""
    placed = {}
    for name in names:
        split, _, field_name = name.rpartition("/")
        placed[name] = (_SPLITS.get(split, split), field_name)
    if any(split in _SPLITS.values() for split, _ in placed.values()):
        return placed, False
    plain = [name for name in names if "/" not in name]
    affixed = {name: parts for name in plain if (parts := _affixed(name))}
    splits = {split for split, _ in affixed.values()}
    if len(affixed) < len(plain) and not ("train" in splits and len(splits) > 1):
        return placed, False
    return {**placed, **affixed}, bool(affixed)


def _affixed(name: str) -> tuple[str, str] | None:
    for pattern, first in _AFFIXED:
        if match := pattern.fullmatch(name):
            split, field_name = match.groups() if first else match.groups()[::-1]
            lower = field_name.lower()
            return _SPLITS[split.lower()], lower if lower in (*INPUTS, *TARGETS) else field_name
    return None


def _lone_group(arrays: dict[str, Stored]) -> str | None:
    """Return the HDF5 group of all arrays if it is no split, such as `data`."""
    groups = {name.rpartition("/")[0] for name in arrays}
    lone = groups.pop() if len(groups) == 1 else ""
    return lone if lone and lone not in _SPLITS else None


def name_of_models(name: str, paired: bool) -> str:
    """Return the name that models use for a field, derived from its own name."""
    lower = name.lower()
    if not paired:
        return name
    return "image" if lower in INPUTS else "label" if lower in TARGETS else PLURALS.get(name, name)


def _check_splits(result: NamedArrays, names: list[str], path: str, alone: bool) -> None:
    """Leave out arrays in no split, and raise EdkitError unless the splits are those of a run."""
    splits = result.splits
    splits_of_runs = {"train", "validation", "test"} & set(splits)
    first = next(
        (splits[split] for split in ("train", *sorted(splits_of_runs)) if split in splits), {}
    )
    plain = splits_of_runs or {""} & set(splits)
    for split in [split for split in splits if plain and split not in plain]:
        named = splits[split]
        if split and first and set(named) >= set(first):
            continue
        for field_name in named:
            where = f"the group {split!r} is no split" if split else "it is in no split"
            result.left.setdefault(field_name, f"{where}: expected SPLIT/FIELD as of the others")
        del splits[split]
    if splits and set(splits) != {""} and not alone and not {"validation", "test"} & set(splits):
        raise EdkitError(
            f"{path!r}: expected FIELD alone, or train/FIELD and test/FIELD or val/FIELD, or these "
            f"without train; found {', '.join(names[:8])}{_lost(result.left)}. Names without a "
            "split are split at random."
        )
    result.splits = {s: splits[s] for s in sorted(splits, key=lambda s: (s != "train", s))}


def _lost(left: dict[str, str]) -> str:
    """Return the remark about an omitted array for the message about a missing split."""
    return "".join(f"; {name!r} is left out: {reason}" for name, reason in [*left.items()][:1])
