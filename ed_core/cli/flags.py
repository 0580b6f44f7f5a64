"""Flags of `edkit train`, made of the signatures of a model and of `Plan`."""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, get_args, get_origin

import click

from ed_core.errors import EdkitError
from ed_core.plugins.options import Option, options_of

_FLAGS = {"weights": "--weight", "field_names": "--field", "record": "--no-record"}
_METAVARS = {
    **{"data": "DATA", "out": "DIR", "validation": "SHARE"},
    **{"only": "FIELD=CLASS", "field_names": "NAME=OTHER"},
}
_TURNED_OFF = {"record": "Record nothing."}
_DATA = Option("data", str | None, None, "a data set, as NAME or NAME:OPTION=VALUE,...")


class _OptionType(click.ParamType):
    """An option as click sees it."""

    def __init__(self, option: Option) -> None:
        self.option = option
        self.name = option.type_name

    def convert(self, value: Any, param: Any, ctx: Any) -> Any:
        return self.option.parse(value) if isinstance(value, str) else value


def model_option(option: Option) -> click.Option:
    """Return a model's option as the command has it; one of yes or no alone stands for yes."""
    switch: dict[str, Any] = {"is_flag": False, "flag_value": "yes"} if option.type is bool else {}
    return click.Option(
        [flag_of(option)],
        type=_OptionType(option),
        help=f"{option.help} [default: {_shown(option.default)}]",
        metavar="VALUE" if not switch else "[yes|no]",
        **switch,
    )


class TrainingOption(click.Option):
    """An option of every training as the command has it; its value is None where not given.

    Attributes:
        option: what `Plan` and `train` take.
        summary: the help without the default.
        kind: `flag` for a switch, `pairs` for what may be given many times as NAME=VALUE, else "".
    """

    def __init__(self, option: Option) -> None:
        self.option = option
        self.summary = _TURNED_OFF.get(option.name, option.help[:1].upper() + option.help[1:])
        value_type = option.present_type
        self.kind = "pairs" if get_origin(value_type) is Mapping else ""
        self.kind = "flag" if value_type is bool else self.kind
        usual = "" if self.kind or option.default is None else f" [default: {option.default}]"
        forms: dict[str, dict[str, Any]] = {
            "flag": {"is_flag": True},
            "pairs": {"multiple": True, "metavar": "HEAD=X"},
            "": {"type": _OptionType(option), "metavar": "N" if value_type is int else "X"},
        }
        form = forms[self.kind]
        if option.name in _METAVARS:
            form["metavar"] = _METAVARS[option.name]
        flag = _FLAGS.get(option.name, flag_of(option))
        super().__init__(
            [option.name, flag], help=self.summary + usual, callback=self._given, **form
        )

    def _given(self, ctx: click.Context, parameter: click.Parameter, value: Any) -> Any:
        """Return the option's value, None where it was not given."""
        if self.kind == "flag":
            return not self.option.default if value else None
        if self.kind != "pairs":
            return value
        form, inner = str(self.metavar), get_args(self.option.present_type)[1]
        return pairs(value, self.opts[0], form, inner) or None


def pairs(texts: Sequence[str], flag: str, form: str, inner: type = str) -> dict[str, Any]:
    """Return what --weight HEAD=X and its like, given any number of times, hold together.

    Args:
        texts: that were given.
        flag: such as `--weight`.
        form: of each text, such as `HEAD=X`.
        inner: the type of what stands behind the sign.
    """
    one, what = Option(flag, inner, None), ", where X is a number" if inner is float else ""
    values_by_name: dict[str, Any] = {}
    for text in texts:
        name, _, value = text.partition("=")
        if name in values_by_name:
            raise EdkitError(f"{flag} gives {name!r} twice: leave one out.")
        try:
            values_by_name[name] = one.parse(value)
        except EdkitError:
            value = ""
        if not value:
            raise EdkitError(f"expected {flag} {form}{what}, received {text!r}.")
    return values_by_name


@cache
def training_options() -> tuple[TrainingOption, ...]:
    """Return the options that every model's training has; they need Keras."""
    from ed_core.training.options import TRAINING_OPTIONS
    from ed_core.training.train import train

    options = [*TRAINING_OPTIONS.values()]
    after_seed = 1 + [*TRAINING_OPTIONS].index("seed")
    out = options_of(train)["out"]
    ordered = _DATA, *options[:after_seed], out, *options[after_seed:]
    return tuple(TrainingOption(option) for option in ordered)


def flag_of(option: Option) -> str:
    """Return what an option is called on the command line."""
    return f"--{option.name.replace('_', '-')}"


def _shown(value: Any) -> str:
    return ",".join(map(str, value)) if isinstance(value, tuple) else str(value)
