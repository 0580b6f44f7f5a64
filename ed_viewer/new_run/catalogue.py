"""Catalogue of models, data sets and options, from `edkit list --json`."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from PySide6.QtCore import QObject, QProcess, Signal

from ed_viewer.new_run.command import plugins, program

_PATIENCE = 2000  # milliseconds that a killed process gets to go


@dataclass(frozen=True, slots=True)
class OptionFacts:
    """An option of a model, a data set or the training; see docs/file-format.md."""

    name: str
    type: str
    default: Any = None
    choices: tuple[str, ...] = ()
    help: str = ""
    flag: str = ""
    metavar: str = ""


@dataclass(frozen=True, slots=True)
class HeadFacts:
    """A term of the objective; its weight is a number or the name of the option that holds it.

    An optional one counts where the data have the field of its target.
    """

    name: str
    weight: float | str
    target: str = ""
    optional: bool = False


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """A model: what it is trained on by default, and what may be chosen."""

    name: str
    summary: str
    data: str
    data_options: Mapping[str, Any]
    options: tuple[OptionFacts, ...]
    heads: tuple[HeadFacts, ...]


@dataclass(frozen=True, slots=True)
class DataSet:
    """A data set and its options."""

    name: str
    summary: str
    options: tuple[OptionFacts, ...]


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Models, data sets, options and backends.

    Attributes:
        models, data: by name.
        training: the options that all models share.
        backends: those that are installed, each with its version.
        backend: that is taken where none is named.
        broken: the plugins that could not be imported, with the reason.
    """

    models: Mapping[str, ModelFacts]
    data: Mapping[str, DataSet]
    training: tuple[OptionFacts, ...]
    backends: Mapping[str, str]
    backend: str
    broken: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls, text: str) -> "Catalogue":
        """Return the catalogue in the command's output; raise ValueError if it is none."""
        try:
            listing = json.loads(text)
            return cls(
                {name: _model(name, facts) for name, facts in listing["models"].items()},
                {
                    name: DataSet(name, facts["summary"], _options(facts["options"]))
                    for name, facts in listing["data"].items()
                },
                _options(listing["training"]),
                dict(listing["backends"]),
                listing["backend"],
                dict(listing["broken"]),
            )
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"{type(error).__name__}: {error}") from error


def _model(name: str, facts: Mapping[str, Any]) -> ModelFacts:
    heads = tuple(
        HeadFacts(head["name"], head["weight"], head["target"] or "", head["optional"])
        for head in facts["heads"]
    )
    return ModelFacts(
        name,
        facts["summary"],
        facts["data"],
        dict(facts["data_options"]),
        _options(facts["options"]),
        heads,
    )


def _options(entries: list[dict[str, Any]]) -> tuple[OptionFacts, ...]:
    return tuple(
        OptionFacts(
            option["name"],
            option["type"],
            option["default"],
            tuple(str(choice) for choice in option["choices"]),
            option["help"],
            option.get("flag", ""),
            option.get("metavar") or "",
        )
        for option in entries
    )


class CatalogueProcess(QObject):
    """One question at a time; it takes as long as importing Keras does.

    Signals:
        answered: the Catalogue.
        failed: why there is none, in one line.

    Attributes:
        process: the command.
    """

    answered = Signal(object)
    failed = Signal(str)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.process = QProcess(self)
        self.process.finished.connect(self._finish)
        self.process.errorOccurred.connect(self._fail)

    def ask(self) -> None:
        """Ask, unless the answer is under way."""
        if self.process.state() == QProcess.ProcessState.NotRunning:
            command = [*program(), "list", "--json", *plugins()]
            self.process.start(command[0], command[1:])

    def end(self) -> None:
        """Ask no more."""
        self.process.blockSignals(True)
        self.process.kill()
        self.process.waitForFinished(_PATIENCE)

    def _finish(self, status: int, how: QProcess.ExitStatus) -> None:
        errors = bytes(self.process.readAllStandardError().data()).decode(errors="replace")
        if how != QProcess.ExitStatus.NormalExit or status:
            lines = errors.strip().splitlines() or [f"edkit list ended with status {status}."]
            self.failed.emit(lines[-1].removeprefix("edkit: "))
            return
        text = bytes(self.process.readAllStandardOutput().data()).decode(errors="replace")
        try:
            catalogue = Catalogue.read(text)
        except ValueError as error:
            self.failed.emit(f"the answer of edkit list --json cannot be read: {error}")
            return
        self.answered.emit(catalogue)

    def _fail(self, error: QProcess.ProcessError) -> None:
        if error == QProcess.ProcessError.FailedToStart:  # the others finish as well
            self.failed.emit(f"{program()[0]} could not be started.")
