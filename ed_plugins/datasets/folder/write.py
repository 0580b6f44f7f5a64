"""Description of a folder of images as a TOML file."""

import re

from ed_plugins.datasets.folder.description import FieldPlan, FolderPlan


def written(plan: FolderPlan) -> str:
    """Return a description as a TOML file."""
    top = {
        "root": plan.root,
        "layout": plan.layout,
        "nested": plan.nested,
        "size": [*plan.frame.size],
        "fit": plan.frame.fit,
        "standardise": plan.standardise,
        "tile": plan.tile,
        "overlap": plan.overlap,
        "table": plan.table,
        "names": plan.names,
        "split_column": plan.split_column,
        "split": plan.split,
        "test": plan.test,
        "seed": plan.seed,
        "group": plan.group,
    }
    usual = {"root": ".", "fit": "stretch", "split": "random"}
    stated = {key: one for key, one in top.items() if one and one != usual.get(key)}
    lines = [f"{key} = {_toml(value)}" for key, value in stated.items()]
    if "{split}" in plan.layout and plan.splits:
        lines += ["", "[splits]", *(f"{_key(k)} = {_toml(v)}" for k, v in plan.splits.items())]
    for name, entry in plan.fields.items():
        lines += ["", f"[fields.{name}]", *_field_lines(name, entry)]
    return "\n".join(lines) + "\n"


def _field_lines(name: str, entry: FieldPlan) -> list[str]:
    usual = FieldPlan(name)
    keys = (
        *("kind", "folder", "suffix", "column", "page", "bands", "upright", "channels"),
        *("background", "bits", "range", "scale", "offset", "missing", "fill"),
    )
    lines = []
    for key in keys:
        value = getattr(entry, key)
        if value != getattr(usual, key) and not (key == "folder" and entry.column):
            lines.append(f"{key} = {_toml([*value] if isinstance(value, tuple) else value)}")
    if entry.ignore:
        lines.append(f"ignore = {_toml([*entry.ignore])}")
    if entry.is_label and entry.classes:
        lines.append(f"classes = {_toml([*entry.classes])}")
    elif entry.classes:
        pairs = ", ".join(f"{_key(k)} = {_toml([*v])}" for k, v in entry.classes.items())
        lines.append(f"classes = {{ {pairs} }}")
    if entry.colours and not isinstance(next(iter(entry.classes.values()))[0], str):
        lines.append(f"colours = {_toml([*entry.colours])}")
    return lines


def _key(text: str) -> str:
    return text if re.fullmatch(r"[A-Za-z0-9_-]+", text) else _toml(text)


def _toml(value: object) -> str:
    """Return a value as TOML has it."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return f"[{', '.join(map(_toml, value))}]"
    if isinstance(value, str):
        text = value.replace("\\", "\\\\").replace('"', '\\"')
        return '"' + "".join(c if c.isprintable() else f"\\u{ord(c):04x}" for c in text) + '"'
    return repr(value)
