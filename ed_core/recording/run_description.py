"""Description of a run, `run.json`: its entries, and their checks.

Every entry may be missing; code that needs one checks for it. Entries not listed here are never
read; only their numbers and texts are checked. No message is longer than a line.
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import isfinite, prod
from typing import Any

from ed_core.errors import EdkitError
from ed_core.recording.layout import LARGEST_EXACT, one_line

FORMAT = 2
"""Of `run.json`. Before 2 the random streams of a run were shared, `test` was watched while it
trained, and PyTorch's gradients were not always zeroed."""

RUN_OPTIONS = (
    "data",
    "seed",
    "epochs",
    "batch_size",
    "learning_rate",
    "weights",
    "labels",
    "stratified",
    "only",
    "class_weights",
    "oversample",
    "field_names",
    "validation",
    "every",
    "record",
    "engine",
    "backend",
)
"""The options of a run beside those of its model, in the order in which people are told them."""

_DEEPEST = 32  # levels of lists and objects
_LONGEST = 4096  # characters of one text: a path has as many at most
_COUNT = 2**31 - 1
_SAMPLE = 2**26  # numbers of one sample
_STRANGE = re.compile(
    r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]"
)  # for a terminal, a file


@dataclass(frozen=True, slots=True)
class KeyRule:
    """What an entry may hold.

    Args:
        words: that, for people.
        fits: whether a value is of that kind, its parts aside.
        of: each part of a list or of an object, where all are of one kind.
        named: the parts of an object that are known by name.
        needed: which of them may not be missing.
    """

    words: str
    fits: Callable[[Any], bool]
    of: "KeyRule | None" = None
    named: Mapping[str, "KeyRule"] | None = None
    needed: tuple[str, ...] = ()

    def fault(self, key: str, value: Any) -> str:
        """Return what is wrong with the value at a key and in its parts, "" where nothing is."""
        if not self.fits(value):
            return _wrong(key, self.words, value)
        if missing := [name for name in self.needed if name not in value]:
            return f"{_cut(one_line(key))} lacks {missing[0]!r}"
        for name, part in _parts(value):
            entry = self.of or (self.named or {}).get(name)
            if entry and (fault := entry.fault(f"{key}.{name}" if key else str(name), part)):
                return fault
        return ""


def check(info: Any, where: str) -> dict[str, Any]:
    """Return what a `run.json` holds, once all of it can be used.

    Args:
        info: as it was read, or is to be written.
        where: the file, for the message.

    Raises:
        EdkitError: it is of a newer version, or an entry is not what it should be: which one, what
            was expected, what came.
    """
    if not isinstance(info, dict):
        raise EdkitError(f"{where!r} is not the description of a run: it holds no object.")
    version = info.get("format", 1)
    if _whole(1)(version) and version > FORMAT:
        raise EdkitError(
            f"{where!r} was written by a newer version (format {version}, this one knows {FORMAT})"
            ": pip install --upgrade edkit."
        )
    if fault := _strange("", info, _DEEPEST) or _DESCRIPTION.fault("", info):
        raise EdkitError(f"{where!r} cannot be used: {fault}.")
    return info


def checked(info: Mapping[str, Any], where: str) -> dict[str, Any]:
    """Return a description as it will be read, before it is written.

    Args:
        info: what is to be written.
        where: the file, for the message.

    Raises:
        EdkitError: JSON cannot hold it, or the run could not be opened again.
    """
    try:
        text = json.dumps(info, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise EdkitError(
            f"{where!r} cannot hold what is said of the run: {one_line(error)}. Give numbers, "
            "texts, lists and objects."
        ) from error
    return check(json.loads(text), where)


def _strange(key: str, value: Any, levels: int) -> str:
    """Return what is wrong with a number or a text, however deep it stands."""
    if isinstance(value, str):
        bad = len(value) > _LONGEST or bool(_STRANGE.search(value))
        words = f"a text of at most {_LONGEST} characters, none of them for control"
        return _wrong(key, words, value) if bad else ""
    if isinstance(value, int):
        bad = abs(value) > LARGEST_EXACT
        return _wrong(key, f"a whole number up to {LARGEST_EXACT}", value) if bad else ""
    if isinstance(value, float):
        return "" if isfinite(value) else _wrong(key, "a finite number", value)
    if not levels and _parts(value):
        return f"{_cut(one_line(key))} has more than {_DEEPEST} levels"
    for name, part in _parts(value):
        at = f"{key}.{name}" if key else str(name)
        if fault := _strange(at, name, 1) or _strange(at, part, levels - 1):
            return fault
    return ""


def _parts(value: Any) -> list[tuple[Any, Any]]:
    """Return the parts of an object or a list with their names or numbers."""
    if isinstance(value, Mapping):
        return [*value.items()]
    return [*enumerate(value)] if isinstance(value, list | tuple) else []


def _wrong(key: str, words: str, value: Any) -> str:
    large = isinstance(value, int) and abs(value) > LARGEST_EXACT  # Python prints no huge one
    return f"{_cut(one_line(key))} must be {words}, received {'more' if large else _short(value)}"


def _short(value: Any) -> str:
    """Return a value as JSON has it, cut in the middle."""
    return _cut(one_line(json.dumps(value, ensure_ascii=False)[:200]))


def _cut(text: str) -> str:
    return text if len(text) <= 80 else f"{text[:60]} ... {text[-15:]}"


def _text(value: Any) -> bool:
    return isinstance(value, str)


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _flag(value: Any) -> bool:
    return isinstance(value, bool)


def _object(value: Any) -> bool:
    return isinstance(value, Mapping)


def _list(value: Any) -> bool:
    return isinstance(value, list | tuple)


def _whole(least: int, most: int = LARGEST_EXACT) -> Callable[[Any], bool]:
    return lambda v: isinstance(v, int) and not isinstance(v, bool) and least <= v <= most


def _or_none(entry: KeyRule) -> KeyRule:
    """Return the entry that may be null as well."""
    fits = entry.fits
    return KeyRule(f"null or {entry.words}", lambda v: v is None or fits(v), entry.of, entry.named)


def _by_name(entry: KeyRule) -> KeyRule:
    return KeyRule(f"an object, name to {entry.words}", _object, entry)


TEXT = KeyRule("a text", _text)
SWITCH = KeyRule("true or false", _flag)
COUNT = KeyRule(f"a whole number from 1 to {_COUNT}", _whole(1, _COUNT))
STEPS = KeyRule("a whole number of 0 or more", _whole(0))
NUMBER = KeyRule("a number", _number)
TEXTS = KeyRule("a list of texts", _list, TEXT)
CLASS = KeyRule("a class, by its name or number", lambda v: _text(v) or _whole(0, _COUNT)(v))
_KINDS = ("image", "video", "signal", "class", "value", "mask")

_SHAPE = KeyRule(
    f"a list of up to 8 whole numbers of 1 and more, {_SAMPLE} in all when they are multiplied",
    lambda v: _list(v) and len(v) <= 8 and all(map(_whole(1, _SAMPLE), v)) and prod(v) <= _SAMPLE,
)
_COLOUR = KeyRule(
    'a colour such as "#0072b2"',
    lambda v: _text(v) and re.fullmatch("#[0-9a-fA-F]{6}", v) is not None,
)
_FIELD = KeyRule(
    "an object with shape, kind and classes",
    _object,
    named={
        "shape": _SHAPE,
        "kind": KeyRule(f"one of {', '.join(_KINDS)}", lambda v: _text(v) and v in _KINDS),
        "classes": TEXTS,
        "colours": KeyRule("a list of colours", _list, _COLOUR),
        "partial": SWITCH,
        "unit": TEXT,
        "scale": KeyRule("a list of two numbers", lambda v: _list(v) and len(v) == 2, NUMBER),
        "names": TEXTS,
    },
    needed=("shape", "kind", "classes"),
)
# What a data set fitted is read by what applies it, which may be a plugin's.
_FINDING = KeyRule(
    "an object with about and text",
    _object,
    named={"about": TEXT, "text": TEXT, "option": TEXT, "left_out": STEPS},
    needed=("about", "text"),
)
_INPUT = {
    "fitted": _or_none(KeyRule("an object", _object)),
    "reading": _or_none(KeyRule("an object", _object)),
    "findings": KeyRule("a list of findings", _list, _FINDING),
}
_NUMBERS = KeyRule("a list of numbers", _list, NUMBER)
_SHARE = KeyRule("a share", lambda v: _number(v) and 0 <= v <= 1)
_CODES = KeyRule(
    "an object with mean and precision",
    _object,
    named={"mean": _NUMBERS, "precision": KeyRule("a list of lists of numbers", _list, _NUMBERS)},
    needed=("mean", "precision"),
)
_DETECTOR = KeyRule(
    "an object with score, threshold and scores",
    _object,
    named={
        "score": TEXT,
        "threshold": NUMBER,
        "rate": _SHARE,
        "interval": KeyRule("two shares", lambda v: _list(v) and len(v) == 2, _SHARE),
        "count": COUNT,
        "scores": KeyRule("a list of one number or more", lambda v: _list(v) and bool(v), NUMBER),
        "scales": _by_name(KeyRule("three numbers", lambda v: _list(v) and len(v) == 3, NUMBER)),
        "tried": _by_name(NUMBER),
        "peak": NUMBER,
        "weights": TEXT,
        "codes": _CODES,
        "data": TEXT,
    },
    needed=("score", "threshold", "rate", "interval", "count", "scores", "scales"),
)
_SPLIT = KeyRule("an object with samples and sum", _object, named={"samples": STEPS, "sum": TEXT})

_ENTRIES: Mapping[str, KeyRule] = {
    "format": KeyRule("a whole number of 1 or more", _whole(1)),
    "status": TEXT,
    "model": TEXT,
    "data": TEXT,
    "params": KeyRule("an object, option to value", _object),
    "epochs": COUNT,
    "batch_size": COUNT,
    "learning_rate": KeyRule("a number above 0", lambda v: _number(v) and v > 0),
    "seed": KeyRule(f"a whole number from 0 to {_COUNT}", _whole(0, _COUNT)),
    "weights": _or_none(_by_name(NUMBER)),
    "record": SWITCH,
    "engine": TEXT,
    "every": _or_none(COUNT),
    "labels": _or_none(_by_name(NUMBER)),
    "stratified": SWITCH,
    "only": _or_none(_by_name(CLASS)),
    "class_weights": _or_none(_by_name(TEXT)),
    "oversample": _or_none(_by_name(NUMBER)),
    "field_names": _or_none(_by_name(TEXT)),
    "validation": _or_none(KeyRule("a share", lambda v: _number(v) and 0 <= v < 1)),
    "turn_steps": STEPS,
    "created": TEXT,
    "ended": TEXT,
    "problem": TEXT,
    "backend": TEXT,
    "backend_reason": TEXT,
    "keras": TEXT,
    "host": TEXT,
    "versions": _by_name(TEXT),
    "plugins": TEXTS,
    "fields": _by_name(_FIELD),
    "samples": STEPS,
    "fingerprint": _by_name(_SPLIT),
    "input": KeyRule("an object with fitted, findings and reading", _object, named=_INPUT),
    "detector": _DETECTOR,
    "precision": KeyRule(
        "an object with dtype_policy and floatx",
        _object,
        named={"dtype_policy": TEXT, "floatx": TEXT},
    ),
    "optimizer": KeyRule("an object", _object),
    "epochs_done": STEPS,
    "callbacks": TEXTS,
    "stopped_early": SWITCH,
    "weights_changed_by_callbacks": SWITCH,
}
_DESCRIPTION = KeyRule("an object", _object, named=_ENTRIES)


def run_options(info: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options of a run by name, out of its `run.json`: the model's own come first."""
    params = info.get("params")
    entries = dict(params) if isinstance(params, Mapping) else {}
    return {**entries, **{name: info[name] for name in RUN_OPTIONS if info.get(name) is not None}}


def differing(runs: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the names of the options that are not the same in all of some runs."""
    names = dict.fromkeys(name for options in runs for name in options)
    return [n for n in names if any(options.get(n) != runs[0].get(n) for options in runs)]


def worded(value: Any) -> str:
    """Return the value of an option in words."""
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {worded(one)}" for name, one in value.items())
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.6g}"
    return ",".join(map(worded, value)) if isinstance(value, list | tuple) else str(value)
