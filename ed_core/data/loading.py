"""Loading of data sets from a text with options, such as `folder:scenes.toml` or `digits`."""

import contextlib
import os
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from ed_core.data.preparation import Renamed, Standardisation, changed
from ed_core.errors import EdkitError, one_line
from ed_core.plugins.decorators import DATASETS
from ed_core.plugins.findings import Finding, Findings
from ed_core.plugins.options import KEY, QUOTE, FilePath, check_options, quoted
from ed_core.plugins.spec import Dataset, DatasetSpec, Field, Fields, FileReader

Data = str | Mapping[str, Any]
"""A data set with its options, or arrays by name: numpy, or anything that slices like it."""


def data_name(data: Data) -> str:
    """Return the text of data; for the arrays of a program the name of what reads them."""
    return data if isinstance(data, str) else _reader_of_arrays().name


def settle_data(text: str) -> str:
    """Return a data set's text with its options checked and its paths absolute.

    `NAME`, `NAME:KEY=VALUE,KEY=VALUE`, or `NAME:VALUE` for the first option. A value that contains
    a separator, such as `a,b=c.npz`, is in double quotes; a quote inside is written twice.

    Raises:
        EdkitError: the data set or an option is unknown, or a value has the wrong type.
    """
    name, values = given_options(text)
    options = ",".join(f"{key}={_written(value)}" for key, value in values.items())
    return f"{name}:{options}" if options else name


def given_options(text: str) -> tuple[str, dict[str, Any]]:
    """Return a text's data set and the options that differ from their defaults."""
    spec, values = _parsed(text)
    changed = {k: v for k, v in values.items() if v != spec.options[k].default}
    return spec.name, changed


def load_data(data: Data, fields: Mapping[str, Field] | None = None) -> Dataset:
    """Load a data set, or take the arrays of a program for one.

    Args:
        data: a text with options, or arrays by name, (samples, ...) each: `train/image` and
            `test/image`, or `image`, of which a fifth is the test.
        fields: of arrays, where their kind and classes are known.

    Raises:
        EdkitError: as `settle_data`, or the arrays are no samples.
    """
    if not isinstance(data, str):
        reader = _reader_of_arrays().arrays
        assert reader is not None
        return reader(data, fields or {})
    text = data
    spec, options = _parsed(text)
    try:
        loaded = spec.load(**options)
    except (EdkitError, MemoryError):
        raise
    except Exception as error:  # a foreign plugin may fail in any way
        raise EdkitError(f"data set {text!r} failed: {one_line(error)}.") from error
    return _with_namesake(loaded, text)


def _with_namesake(loaded: Dataset, text: str) -> Dataset:
    """Return a data set with the finding that a file or a folder is called as it is."""
    if not os.path.exists(text):
        return loaded
    findings = Findings()
    with contextlib.suppress(EdkitError):  # nothing reads it, or it is not clear what does
        kind = "folder" if os.path.isdir(text) else "file"
        own = data_of(os.path.join(os.curdir, text))[0].replace(f".{os.sep}", "", 1)
        findings.infer("data", f"{text} is the data set, not the {kind} of that name here", own)
    record = replace(loaded.input, findings=(*findings, *loaded.input.findings))
    return replace(loaded, input=record)


def data_of(path: str) -> tuple[str, tuple[Finding, ...]]:
    """Return the text of the data set that reads a bare path, and why it is that one.

    It is the one whose reader takes the ending of the file, or of most files in a folder and below
    it; where several do, the only one that what is in it speaks for. The text is "" where the path
    is a name, or nothing.

    Raises:
        EdkitError: nothing reads it, or it may be of several kinds.
    """
    if path.partition(":")[0] in DATASETS or not os.path.exists(path):
        return "", ()
    readers = {name: spec.files for name, spec in DATASETS.items() if spec.files}
    ending, names = suited(Path(path), readers)
    texts = {name: f"{name}:{quoted(path, alone=True)}" for name in names}
    if len(names) == 1:
        return texts[names[0]], ()
    judges = {name: readers[name].evidence for name in names}
    reasons = {name: judge(Path(path)) if judge else "" for name, judge in judges.items()}
    likely = [name for name, reason in reasons.items() if reason]
    if len(likely) != 1:
        kinds = [f"{name}{f' ({reason})' * bool(reason)}" for name, reason in reasons.items()]
        raise EdkitError(
            f"{path!r}: a file {ending} may be {' or '.join(kinds)}, and what is in it does not "
            f"decide: say {' or '.join(texts.values())}."
        )
    (name,) = likely
    others = " or ".join(text for other, text in texts.items() if other != name)
    findings = Findings()
    findings.infer("data", f"{name}: {reasons[name]}", others)
    return texts[name], tuple(findings)


def suited(path: Path, readers: Mapping[str, FileReader]) -> tuple[str, list[str]]:
    """Return the ending of a user's file or folder, and the names of the readers that take it.

    Of a folder it is the ending of most of the files, in it and below, that any of them takes; a
    folder of nothing but a description is taken by those that describe one.

    Args:
        path: of the file or the folder.
        readers: by name.

    Raises:
        EdkitError: there is nothing, or nothing reads it.
    """
    endings = {ending for reader in readers.values() for ending in reader.endings}
    choices = ", ".join(sorted(endings)) or "none"
    if not path.exists():
        raise EdkitError(f"{str(path)!r} does not exist: expected a file or a folder.")
    files = _files(path) if path.is_dir() else [path.name]
    count = Counter(Path(file).suffix.lower() for file in files)
    if not count:
        raise EdkitError(f"{str(path)!r} is empty: expected a folder of files ({choices}).")
    if {*count} == {".toml"}:
        return ".toml", [name for name, reader in readers.items() if reader.describe]
    for ending, _ in count.most_common():
        if ending in endings:
            return ending, [name for name, one in readers.items() if ending in one.endings]
    listed = ", ".join(ending or "no ending" for ending in [*count][:8])
    raise EdkitError(
        f"{str(path)!r}: nothing reads that: found {listed}; expected a file or a folder of files "
        f"of {choices}."
    )


def _files(folder: Path) -> Iterator[str]:
    """Yield the names of all files below a folder that are not hidden."""
    for _, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        yield from (name for name in names if not name.startswith("."))


def described(text: str) -> tuple[Path, str] | None:
    """Return the file that describes a text's data, and what it says; None where none does."""
    spec, options = _parsed(text)
    if spec.files is None or spec.files.describe is None:
        return None
    return spec.files.describe(options)


def _reader_of_arrays() -> DatasetSpec:
    """Return the registered data set that reads the arrays of a program."""
    for spec in DATASETS.values():
        if spec.arrays is not None:
            return spec
    raise EdkitError(
        f"no registered data set reads arrays: expected one of {', '.join(DATASETS)} by its name."
    )


def renamed(data: Dataset, names: Mapping[str, str], *, strict: bool = True) -> Dataset:
    """Return a data set with fields renamed for a model.

    A field that already has the new name is left out, which is a finding.

    Args:
        data: as it was loaded.
        names: the model's name to the data's name.
        strict: whether the data must have all of them.

    Raises:
        EdkitError: the data lack a field.
    """
    for name in names.values():
        if strict and name not in data.fields:
            fields_text = ", ".join(sorted(data.fields))
            raise EdkitError(
                f"--field names the field {name!r}, but the data have only: {fields_text}."
            )
    names = {new: name for new, name in names.items() if name in data.fields}
    if not names:
        return data
    hidden = [one for one in names if one in data.fields and one not in names.values()]

    def change(arrays: Mapping[str, Any]) -> dict[str, Any]:
        return {
            **{name: arrays[name] for name in arrays if name not in {*names, *names.values()}},
            **{new: arrays[name] for new, name in names.items() if name in arrays},
        }

    def back(arrays: Mapping[str, Any]) -> dict[str, Any]:
        return {names.get(name, name): array for name, array in arrays.items()}

    findings = Findings()
    for new in hidden:
        findings.leave_out(new, 1, f"field of the data, since --field takes {names[new]}")
    hook = data.preparation
    if isinstance(hook, Standardisation):  # what it fits names the field
        called = {name: new for new, name in names.items()}
        hook = replace(hook, field=called.get(hook.field, hook.field))
    elif hook is not None:
        hook = Renamed(hook, change, back)
    record = replace(data.input, findings=(*data.input.findings, *findings))
    fields = Fields(change(data.fields))
    return replace(changed(data, change, fields), preparation=hook, input=record)


def why_missing(data: Dataset, field: str) -> str:
    """Return the remedy for a message about a field that the data lack."""
    reason = left_out(data, field)
    if not reason and data.fields:
        reason = f" Where one of them is that, say so: --field {field}=NAME."
    return reason


def left_out(data: Dataset, field: str) -> str:
    """Return the reason why a loader left a field out, "" if it did not."""
    reasons = [one.text for one in data.input.findings if one.about == field and one.left_out]
    return f" It was left out: {'; '.join(reasons)}." if reasons else ""


def short_data(text: str) -> str:
    """Return the short name of data for run folders: the data set's name, or its file's."""
    spec, options = _parsed(text)
    files = [options[name] for name, option in spec.options.items() if option.type is FilePath]
    named = [Path(path).stem for path in files if path]
    return named[0] if named else spec.name


def _parsed(text: str) -> tuple[DatasetSpec, dict[str, Any]]:
    """Return the registered data set and the value of every option."""
    name, _, rest = text.partition(":")
    if name not in DATASETS and os.path.exists(text):
        raise EdkitError(
            f"data {text!r} is a path: expected the data set that reads it before it: "
            f"{data_of(text)[0]}."
        )
    spec = DATASETS[name]
    options = spec.options
    whole = quoted(rest, alone=True)
    if options and whole != rest and not rest.startswith(QUOTE) and os.path.exists(rest):
        raise EdkitError(
            f"data {text!r} is a path in which an option seems to stand: it stands in double "
            f"quotes: {name}:{whole}."
        )
    values: dict[str, Any] = {}
    for number, (key, value) in enumerate(_pairs(rest, text)):
        if not key:
            if number or not options:
                raise EdkitError(
                    f"data set {name!r} takes {name}:KEY=VALUE,KEY=VALUE with the options "
                    f"{', '.join(options) or 'none'}; received {value!r}. A path with , or = in it "
                    "stands in double quotes."
                )
            key = next(iter(options))
        values[key] = options[key].parse(value) if key in options else value
    for key in values:
        others = [one for one in DATASETS if key in DATASETS[one].options]
        if key not in options and others:
            raise EdkitError(
                f"data set {name!r} has no option {key!r}: it is one of {' and '.join(others)}, "
                f"such as {others[0]}:PATH,{key}=... Known here: {', '.join(options) or 'none'}."
            )
    return spec, check_options(options, values, f"data set {name!r}")


def _pairs(rest: str, text: str) -> Iterator[tuple[str, str]]:
    """Yield key and value of the options in a data set's text; a lone value has the key ""."""
    while rest:
        start = KEY.match(rest)
        key, rest = (start[0][:-1], rest[start.end() :]) if start else ("", rest)
        key = key if key.isidentifier() else ""
        if start and not key:
            rest = start[0] + rest
        if rest.startswith(QUOTE):
            value, rest = _unquoted(rest, text)
        else:
            ends = [m.start() for m in re.finditer(",", rest) if KEY.match(rest, m.end())]
            end = ends[0] if ends else len(rest)
            value, rest = rest[:end], rest[end + 1 :]
        yield key, value


def _unquoted(rest: str, text: str) -> tuple[str, str]:
    """Return the quoted value, and the text after it and its comma."""
    match = re.match(r'"((?:[^"]|"")*)"(?:,(?=\w+=)|$)', rest)
    if not match:
        raise EdkitError(
            f"data {text!r}: expected a closing double quote, then a comma and an option or the "
            "end; a quote within is written twice."
        )
    return match[1].replace(QUOTE * 2, QUOTE), rest[match.end() :]


def _written(value: Any) -> str:
    """Return a value as written in a data set's text."""
    return quoted(",".join(map(str, value)) if isinstance(value, tuple) else str(value))
