"""The form of a new run, made from what the command really says."""

import json
import shlex
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QLabel, QScrollArea
from pytestqt.qtbot import QtBot
from support import patience

from ed_viewer.new_run.catalogue import Catalogue, DataSet, HeadFacts, ModelFacts, OptionFacts
from ed_viewer.new_run.dialog import NewRunDialog
from ed_viewer.new_run.fields import (
    CheckField,
    ChoiceField,
    LineField,
    OptionField,
    RunField,
    field_for,
)
from ed_viewer.new_run.form import Form
from ed_viewer.reading.messages import RunEntry
from ed_viewer.style.theme import Theme

pytestmark = pytest.mark.viewer

_PARSE = """
import importlib, json, sys
from ed_core.cli import main
train = importlib.import_module("ed_core.cli.train")
train._work = lambda resume, given, view: print(json.dumps(given))
sys.exit(max(main(arguments) for arguments in json.load(sys.stdin)))
"""

OTHER = {"int": "7", "float": "0.25", "ints": "3,5", "str": "x y", "path": "/tmp/a b", "run": "/r"}


@pytest.fixture
def form(qtbot: QtBot, theme: Theme, catalogue: Catalogue) -> Form:
    made = Form(catalogue, "runs", theme)
    qtbot.addWidget(made)
    return made


def understood(commands: list[list[str]]) -> list[dict[str, object]]:
    """Return what the command makes of each of these, without training."""
    done = subprocess.run(
        [sys.executable, "-c", _PARSE],
        input=json.dumps(commands),
        capture_output=True,
        text=True,
        timeout=patience.OF_A_PROCESS,
    )
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def option_fields(form: Form) -> list[OptionField]:
    """The fields of the model's own options."""
    names = {option.name for option in form.page.model.options}
    fields = [field for section in form.page.sections[1:] for field in section.fields]
    return [field for field in fields if field.option.name in names and not is_weight(field)]


def is_weight(field: OptionField) -> bool:
    return field.option.flag == "--weight"


def change(field: OptionField) -> str:
    """Give a field another value than its default and return that."""
    option = field.option
    if isinstance(field, CheckField):
        field.box.click()
    elif option.type == "choice":
        field.set_text(next(c for c in option.choices if c != option.default))
    else:
        value = OTHER[option.type]
        field.set_text(value if value != str(option.default) else value + "1")
    return field.text()


def test_the_form_of_every_model_says_nothing_until_something_is_changed(
    form: Form, catalogue: Catalogue
) -> None:
    for name, model in catalogue.models.items():
        form.models.choose(name)
        assert form.arguments() == ["train", name]
        assert [f.option.name for f in option_fields(form)] == [o.name for o in model.options]
        words = {label.text() for label in form.page.findChildren(QLabel)}
        for option in model.options:
            about = option.help.replace("`", "")  # which marks code in a terminal
            assert about[:1].upper() + about[1:] in words


def test_the_command_of_every_model_is_understood_as_it_was_meant(
    form: Form, catalogue: Catalogue
) -> None:
    commands, meant = [], []
    for name in catalogue.models:
        form.models.choose(name)
        values = {field.option.name: change(field) for field in option_fields(form)}
        weights = [f for s in form.page.sections for f in s.applying if is_weight(f)]
        for number, field in enumerate(weights):
            field.set_text(str(number + 2))
        commands.append(form.arguments())
        meant.append((name, values, {f.option.name: n + 2.0 for n, f in enumerate(weights)}))
    for (name, values, weights), found in zip(meant, understood(commands), strict=True):
        assert found["model"] == name
        assert found["weights"] == (weights or None)
        for option, text in values.items():
            value = found[option]
            shown = {True: "yes", False: "no"}.get(value) if isinstance(value, bool) else None
            shown = shown or (",".join(map(str, value)) if isinstance(value, list) else str(value))
            assert shown == text, (name, option)


def test_options_of_the_training_and_of_the_data_are_understood(form: Form) -> None:
    form.models.choose("digit_and_angle")
    for name, value in {"epochs": "3", "learning_rate": "1e-4", "every": "5"}.items():
        next(f for s in form.training.sections for f in s.fields if f.option.name == name).set_text(
            value
        )
    form.training.more.field("labels").set_text("label=0.5 'angle=0.25'")
    form.training.more.field("only").set_text("'label=ankle boot'")
    form.training.more.field("stratified").set_text("yes")
    form.training.more.field("no_record").set_text("yes")
    data = form.page.data_page
    data.sections[0].field("degrees").set_text("30")
    data.sections[0].field("source").set_text("digits")
    found = understood([form.arguments()])[0]
    assert found["data"] == "rotated_digits:source=digits,degrees=30"
    assert (found["epochs"], found["learning_rate"], found["every"]) == (3, 1e-4, 5)
    assert found["labels"] == {"label": 0.5, "angle": 0.25}
    assert found["only"] == {"label": "ankle boot"}
    assert found["stratified"] is True
    assert found["record"] is False
    assert "out" not in found


def test_only_what_differs_stands_on_the_command_line(form: Form) -> None:
    form.models.choose("vae")
    latent = form.page.sections[1].field("latent")
    beta = form.page.sections[1].field("beta")
    latent.set_text("3")
    beta.set_text("1")
    assert form.arguments() == ["train", "vae", "--latent", "3"]
    beta.set_text("-0.5")
    assert form.arguments() == ["train", "vae", "--latent", "3", "--beta=-0.5"]
    latent.set_text("02")
    beta.set_text("")
    assert form.arguments() == ["train", "vae"]
    form.page.sections[1].field("hidden").set_text("")
    assert form.arguments() == ["train", "vae", "--hidden", ""]
    form.reset()
    assert form.arguments() == ["train", "vae"]


def test_what_was_typed_for_a_model_is_there_when_it_is_shown_again(form: Form) -> None:
    form.models.choose("vae")
    form.page.sections[1].field("latent").set_text("5")
    form.page.data.set_text("signals")
    form.page.data_page.sections[0].field("window").set_text("64")
    form.models.choose("unet")
    assert form.arguments() == ["train", "unet"]
    form.models.choose("vae")
    said = ["train", "vae", "--data", "signals:window=64", "--latent", "5"]
    assert form.arguments() == said
    form.page.data.set_text("digits")
    assert form.arguments() == ["train", "vae", "--latent", "5"]


def test_another_backend_and_another_folder(
    qtbot: QtBot, theme: Theme, tmp_path: Path, catalogue: Catalogue
) -> None:
    form = Form(catalogue, str(tmp_path), theme)
    qtbot.addWidget(form)
    form.models.choose("vae")
    assert form.arguments() == ["train", "vae", "--out", str(tmp_path)]
    assert form.out == tmp_path
    other = [name for name in catalogue.backends if name != catalogue.backend]
    if other:
        form.training.sections[0].field("backend").set_text(other[0])
        said = ["train", "vae", "--backend", other[0], "--out", str(tmp_path)]
        assert form.arguments() == said


def test_a_run_is_chosen_from_those_of_the_window(form: Form) -> None:
    first = [RunEntry(Path(f"runs/vae-digits-2026112{n}-101112-abcdef"), "finished", "vae", "")
             for n in (4, 5)]  # fmt: skip
    form.models.choose("classifier")
    form.show_runs(first)
    encoder = form.page.sections[1].field("encoder")
    assert isinstance(encoder, RunField)
    assert [encoder.box.itemText(n) for n in range(3)] == [
        "none", "vae-digits  11-24 10:11", "vae-digits  11-25 10:11",
    ]  # fmt: skip
    encoder.box.setCurrentIndex(2)
    assert form.arguments() == ["train", "classifier", "--encoder", str(first[1].path)]
    form.show_runs(first[1:])
    assert encoder.text() == str(first[1].path)
    form.show_runs([])
    assert encoder.text() == str(first[1].path)


def test_the_command_is_shown_and_copied(qtbot: QtBot, theme: Theme, catalogue: Catalogue) -> None:
    host = QLabel()
    qtbot.addWidget(host)
    dialog = NewRunDialog("my runs", theme, host)
    dialog.show()
    assert not dialog.foot.start.isEnabled()
    dialog.show_catalogue(catalogue, [])
    assert dialog.form is not None
    dialog.form.models.choose("vae")
    command = dialog.foot.command
    assert command == "edkit train vae --out 'my runs'"
    assert shlex.split(command)[1:] == dialog.form.arguments()
    qtbot.mouseClick(dialog.foot.copy, Qt.MouseButton.LeftButton)
    assert QApplication.clipboard().text() == command
    dialog.set_starting(True)
    assert not dialog.form.isEnabled()
    dialog.set_starting(False)
    assert dialog.form.isEnabled()
    dialog.close()


def test_the_model_s_own_options_of_its_data_need_not_be_said(
    qtbot: QtBot, theme: Theme, catalogue: Catalogue
) -> None:
    model = ModelFacts("own", "", "rotated_digits", {"degrees": 10.0}, (), ())
    form = Form(replace(catalogue, models={"own": model}), "runs", theme)
    qtbot.addWidget(form)
    degrees = form.page.data_page.sections[0].field("degrees")
    assert degrees.text() == "10.0"
    assert form.arguments() == ["train", "own"]
    degrees.set_text("45")
    assert form.arguments() == ["train", "own", "--data", "rotated_digits"]
    form.reset()
    assert form.arguments() == ["train", "own"]


@pytest.mark.parametrize("text", ["1", "[]", "{}", json.dumps({"models": {"a": {}}}), "not JSON"])
def test_another_answer_is_refused(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - what is wrong with it may be said in any words
        Catalogue.read(text)


def test_fields_suit_their_type(qtbot: QtBot) -> None:
    kinds = {"int": LineField, "bool": CheckField, "run": RunField, "who knows": LineField}
    for kind, expected in kinds.items():
        field = field_for(OptionFacts("x", kind, False if kind == "bool" else 1, flag="--x"))
        qtbot.addWidget(field)
        assert type(field) is expected
    choice = field_for(OptionFacts("x", "choice", "b", ("a", "b"), flag="--x"))
    qtbot.addWidget(choice)
    assert isinstance(choice, ChoiceField)
    assert choice.is_default
    number = field_for(OptionFacts("x", "int", 3, flag="--x"))
    qtbot.addWidget(number)
    assert isinstance(number, LineField)
    qtbot.keyClicks(number.line, "4")
    assert (number.text(), number.refused) == ("34", "")


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("epochs", "1.5", "Epochs must be a whole number (you entered 1.5)"),
        ("learning_rate", "1e-3x", "Learning rate must be a number (you entered 1e-3x)"),
        ("hidden", "64;32", "Hidden must be whole numbers such as 512,256 (you entered 64;32)"),
    ],
)
def test_what_cannot_be_meant_is_said_beside_its_field_and_not_started(
    qtbot: QtBot, theme: Theme, catalogue: Catalogue, name: str, text: str, said: str
) -> None:
    """No letter is left out in silence: 1.5 epochs were 15."""
    form = Form(catalogue, "runs", theme)
    qtbot.addWidget(form)
    form.models.choose("vae")
    sections = [*form.page.sections, *form.training.sections]
    section = next(s for s in sections if name in [field.option.name for field in s.fields])
    field = section.field(name)
    assert isinstance(field, LineField)
    field.line.clear()
    qtbot.keyClicks(field.line, text)
    assert said in [label.text() for label in section.findChildren(QLabel)]
    assert form.refused == said
    field.reset()
    assert said not in [label.text() for label in section.findChildren(QLabel)]
    assert form.refused == ""


def test_what_is_found_in_the_files_is_shown_before_the_start(
    qtbot: QtBot, theme: Theme, catalogue: Catalogue, tmp_path: Path
) -> None:
    form = Form(catalogue, str(tmp_path), theme)
    qtbot.addWidget(form)
    form.models.choose("dense_autoencoder")
    look, page = form.page.look, form.page
    assert look.isHidden()  # the embedded digits have no file
    path = tmp_path / "a, b=c.npz"
    np.savez(path, image=np.zeros((20, 8, 8), "uint8"), names=np.array(["x"] * 20))
    page.data.set_text("arrays")
    assert look.isHidden()
    field = page.data_page.sections[0].field("path")
    field.set_text(str(path))
    assert look.text == "Reading the data …"
    qtbot.waitUntil(lambda: "Samples: train 16, test 4." in look.text)
    assert "image (image, 8 x 8 x 1)" in look.text
    assert "image" in look.fields
    assert "split" in look.text
    field.set_text(str(tmp_path / "none.npz"))
    qtbot.waitUntil(lambda: "none.npz': expected" in look.text)
    field.set_text(str(path))
    form.end()  # with the question under way
    field.set_text("")
    assert look.isHidden()


def test_an_empty_field_says_nothing_that_its_help_denies(qtbot: QtBot, theme: Theme) -> None:
    about = "the inputs, `1` or `a`; all others by default."
    columns = OptionFacts("columns", "str", "", help=about)
    model = ModelFacts("vae", "", "table", {}, (), ())
    sets = {"table": DataSet("table", "", (columns,))}
    out = OptionFacts("out", "path", "runs", flag="--out")
    form = Form(Catalogue({"vae": model}, sets, (out,), {}, "jax"), "runs", theme)
    qtbot.addWidget(form)
    field = form.page.data_page.sections[0].field("columns")
    assert isinstance(field, LineField)
    assert field.line.placeholderText() == ""
    words = {label.text() for label in form.findChildren(QLabel)}
    assert "The inputs, 1 or a; all others by default." in words


def test_only_the_weights_that_apply_to_the_data_are_shown(qtbot: QtBot, theme: Theme) -> None:
    heads = tuple(HeadFacts(name, 1.0, name, optional=True) for name in ("image", "features"))
    model = ModelFacts("vae", "", "digits", {}, (), (*heads, HeadFacts("posterior", "beta")))
    path = OptionFacts("path", "path", "")
    sets = {"digits": DataSet("digits", "", ()), "table": DataSet("table", "", (path,))}
    out = OptionFacts("out", "path", "runs", flag="--out")
    form = Form(Catalogue({"vae": model}, sets, (out,), {}, "jax"), "runs", theme)
    qtbot.addWidget(form)
    form.changed.connect(form.arguments)  # as the dialog shows the command after every change
    page = form.page

    def weights() -> list[str]:
        return [f.option.name for s in page.sections for f in s.applying if is_weight(f)]

    assert weights() == ["image"]  # of data that are read from no file, the first
    page.sections[-1].field("image").set_text("3")
    assert form.arguments() == ["train", "vae", "--weight", "image=3"]
    page.data.set_text("table")
    assert weights() == ["image", "features"]  # no file is named yet
    page.look.look("table:path=some.csv")
    page.look.fields = ("features", "features_present")  # as the command would have said
    page.look.looked.emit()
    assert weights() == ["features"]
    assert page.sections[-1].field("image").isHidden()
    assert form.arguments() == ["train", "vae", "--data", "table"]
    page.data.set_text("digits")
    assert form.arguments() == ["train", "vae", "--weight", "image=3"]


@pytest.mark.parametrize(("width", "beside"), [(720, False), (1120, True)])
def test_no_word_about_a_field_is_cut(form: Form, width: int, beside: bool, qtbot: QtBot) -> None:
    form.resize(width, 900)
    form.show()
    sections = [*form.page.sections, *form.training.sections]
    about = [pair for section in sections for pair in section._words.items() if pair[1].text()]
    view = form.findChild(QScrollArea).viewport()
    qtbot.waitUntil(lambda: form.training.width() <= view.width())
    assert about
    for field, words in about:
        assert words.mapTo(view, words.rect().topRight()).x() < view.width()
        assert words.height() >= words.heightForWidth(words.width())
        assert (words.y() < field.geometry().bottom()) is beside


def test_the_tab_key_goes_from_the_data_set_to_its_options(qtbot: QtBot, theme: Theme) -> None:
    options = tuple(OptionFacts(name, kind, "") for name, kind in (("path", "path"), ("a", "str")))
    model = ModelFacts("vae", "", "digits", {}, (OptionFacts("b", "int", 1),), ())
    sets = {"digits": DataSet("digits", "", ()), "table": DataSet("table", "", options)}
    out = OptionFacts("out", "path", "runs", flag="--out")
    form = Form(Catalogue({"vae": model}, sets, (out,), {}, "jax"), "runs", theme)
    qtbot.addWidget(form)
    form.page.data.set_text("table")
    passed: list[str] = []
    widget = form.page.data.focusProxy()
    while len(passed) < 4:
        at = next((f for f in form.findChildren(OptionField) if f.isAncestorOf(widget)), None)
        if at is not None and at.option.name not in passed:
            passed.append(at.option.name)
        widget = widget.nextInFocusChain()
    assert passed == ["data_set", "path", "a", "b"]
