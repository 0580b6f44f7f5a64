"""Options of a plugin, from its function's keyword-only parameters."""

import inspect
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from numbers import Integral, Real
from pathlib import Path
from sys import float_info
from types import GenericAlias, NoneType, UnionType
from typing import Any, Literal, NewType, get_args, get_origin, get_type_hints

from ed_core.errors import EdkitError, unknown

FilePath = NewType("FilePath", str)
"""The type of an option that names a file or a folder: made absolute, "" for none."""

RunPath = NewType("RunPath", str)
"""The type of an option that names the folder of a run: made absolute, "" for none."""


KEY = re.compile(r"\w+=")
QUOTE = '"'


@dataclass(frozen=True, slots=True)
class Option:
    """One option: `int`, `float`, `str`, `bool`, `tuple[int, ...]`, a path or a Literal.

    Those of a training may also be None or a mapping of names, such as
    `Mapping[str, float] | None`.
    """

    name: str
    type: Any
    default: Any
    help: str = ""

    def check(self, value: Any) -> Any:
        """Return `value` as the option's type; raises EdkitError if it is not one."""
        try:
            return _converted(self.type, value)
        except TypeError:
            message = f"option {self.name!r} is {self.type_name}, received {_shown(value)}."
            raise EdkitError(message) from None

    def parse(self, text: str) -> Any:
        """Return the value that a command line's `text` stands for."""
        try:
            kind = self.present_type
            if get_origin(kind) is tuple:
                return self.check([int(part) for part in text.split(",") if part.strip()])
            if kind in (int, float):
                return self.check(kind(text))
        except ValueError:
            pass
        else:
            if kind is not bool:
                return self.check(text)
            if text.lower() in ("true", "yes", "1", "false", "no", "0"):
                return text.lower() in ("true", "yes", "1")
        raise EdkitError(f"option {self.name!r} is {self.type_name}, received {_shown(text)}.")

    @property
    def type_name(self) -> str:
        """The type in words."""
        return _words(self.type)

    @property
    def present_type(self) -> Any:
        """The type of a value that is not None."""
        kinds = [kind for kind in get_args(self.type) if kind is not NoneType]
        return kinds[0] if isinstance(self.type, UnionType) and len(kinds) == 1 else self.type


_TYPE_NAMES = {
    int: "a whole number",
    float: "a number",
    bool: "yes or no",
    FilePath: "a path",
    RunPath: "the path of a run",
    Path: "a path",
}


def _words(kind: Any) -> str:
    """Return a type in words."""
    if get_origin(kind) is Literal:
        return "one of " + ", ".join(repr(choice) for choice in get_args(kind))
    if isinstance(kind, UnionType):
        return " or ".join(_words(one) for one in get_args(kind) if one is not NoneType)
    if get_origin(kind) is Mapping:
        return f"a mapping of each name to {_words(get_args(kind)[1])}"
    if isinstance(kind, GenericAlias):
        return "a list of whole numbers, such as 512,256"
    return _TYPE_NAMES.get(kind, "a text")


def _converted(kind: Any, value: Any) -> Any:
    """Return `value` as a type, one of numpy as Python's; raises TypeError if it is not one."""
    if isinstance(kind, UnionType):
        return _first_converted(get_args(kind), value)
    if get_origin(kind) is Mapping:
        good = isinstance(value, Mapping) and all(isinstance(name, str) for name in value)
        inner = get_args(kind)[1]
        result = {name: _converted(inner, one) for name, one in value.items()} if good else value
    elif get_origin(kind) is Literal:
        good, result = value in get_args(kind), value
    elif get_origin(kind) is tuple:
        good = isinstance(value, list | tuple) and all(_is_int(item) for item in value)
        result = tuple(map(int, value)) if good else value
    elif kind is float:
        good = isinstance(value, Real) and not isinstance(value, bool)
        number = float(value) if good and not isinstance(value, int) else value
        good = good and abs(number) <= float_info.max  # neither is infinity, nor NaN
        result = float(value) if good else value
    elif kind is int:
        good = _is_int(value)
        result = int(value) if good else value
    elif kind in (FilePath, RunPath):
        good = isinstance(value, str | Path) and "\0" not in str(value)
        result = _absolute(str(value)) if good else value
    else:
        good, result = isinstance(value, kind), value
    if not good:
        raise TypeError(kind)
    return result


def _first_converted(kinds: Sequence[Any], value: Any) -> Any:
    """Return `value` as the first of some types that it is; raises TypeError if it is none."""
    for kind in kinds:
        try:
            return _converted(kind, value)
        except TypeError:
            pass
    raise TypeError(kinds)


def quoted(value: str, *, alone: bool = False) -> str:
    """Return a value of an option as the text of a data set has it.

    What would end it there, a comma before the next `KEY=`, puts it in double quotes.

    Args:
        value: as it is meant.
        alone: whether no key stands before it.
    """
    ends = any(KEY.match(value, comma.end()) for comma in re.finditer(",", value))
    if ends or value.startswith(QUOTE) or (alone and KEY.match(value)):
        return f"{QUOTE}{value.replace(QUOTE, QUOTE * 2)}{QUOTE}"
    return value


def options_of(function: Callable[..., Any]) -> dict[str, Option]:
    """Return the keyword-only parameters of a function or a class, with its docstring's help."""
    hints = get_type_hints(function)
    help_texts = _args_section(inspect.getdoc(function) or "")
    options = {}
    for name, parameter in inspect.signature(function).parameters.items():
        if parameter.kind is not parameter.KEYWORD_ONLY:
            continue
        if parameter.default is parameter.empty or name not in hints:
            raise ValueError(f"{function.__name__}: option {name!r} needs a type and a default")
        options[name] = Option(name, hints[name], parameter.default, help_texts.get(name, ""))
    return options


def description(function: Callable[..., Any]) -> str:
    """Return what a function's docstring says before its sections: "Args:" and the like."""
    text = inspect.getdoc(function) or ""
    return re.split(r"^(?:Args|Returns|Raises|Yields):$", text, maxsplit=1, flags=re.MULTILINE)[0]


def check_options(
    options: Mapping[str, Option], values: Mapping[str, Any], owner: str
) -> dict[str, Any]:
    """Return the value of every option, defaults filled in.

    Raises:
        EdkitError: a name is unknown (`owner` says of what, such as "model 'vae'"), or a value has
            the wrong type.
    """
    for name in values:
        if name not in options:
            raise unknown(f"option of {owner}:", name, options)
    return {
        name: option.check(values.get(name, option.default)) for name, option in options.items()
    }


def check_counts(options: Mapping[str, Option], values: Mapping[str, Any]) -> None:
    """Say that a count is below 1, such as units or filters; called where a model failed to build.

    No type says which whole numbers are counts: those whose defaults are, as far as one below 1
    does harm. The text of Keras about it names no option.

    Raises:
        EdkitError: a number that is 1 or more by default is less.
    """
    for name, option in options.items():
        many = get_origin(option.type) is tuple
        if not many and option.type is not int:
            continue
        usual, numbers = (v if many else (v,) for v in (option.default, values[name]))
        if min(usual, default=1) >= 1 > min(numbers, default=1):
            what = "numbers" if many else "a whole number"
            received = ",".join(map(str, numbers))
            raise EdkitError(f"option {name!r} is {what} of 1 or more, received {received}.")


def _args_section(doc: str) -> dict[str, str]:
    section = re.search(r"^Args:\n((?:[ \t]+.*\n?|\n)+)", doc, re.MULTILINE)
    entries = re.findall(
        r"^    (\w+): (.*(?:\n {8}.*)*)", section[1] if section else "", re.MULTILINE
    )
    return {name: " ".join(text.split()) for name, text in entries}


def _absolute(text: str) -> str:
    """Return a path as an absolute one; a bare name of no file here may mean something else."""
    path = Path(text).expanduser()
    bare = text == path.name and not path.exists()
    return text if bare or not text else str(path.absolute())


def _shown(value: Any) -> str:
    """Return what a message says of a value, in one line."""
    try:
        text = " ".join(repr(value).split())
    except ValueError:  # a whole number of more than 4,300 digits
        return "a number far too large"
    return text if len(text) <= 80 else f"{text[:77]}..."


def _is_int(value: Any) -> bool:
    return isinstance(value, Integral) and not isinstance(value, bool)
