"""How a training stands, what waits for it, and the field for a number of any size."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QFocusEvent
from PySide6.QtWidgets import QApplication, QLabel
from pytestqt.qtbot import QtBot

from ed_core.recording import Event
from ed_core.recording.control import RANGES, Request
from ed_viewer.reading.messages import RunInfo, RunProgress
from ed_viewer.steering.numbers import NumberField
from ed_viewer.steering.panel import SteerPanel
from ed_viewer.steering.trainer_state import TrainerState, Waiting, trainer_of
from ed_viewer.style.theme import Theme
from ed_viewer.testing import Example

pytestmark = pytest.mark.viewer


@pytest.mark.parametrize(
    ("held", "text"), [(0.0, "0"), (1e-15, "1e-15"), (5e3, "5000"), (2e9, "2e+09")]
)
def test_what_is_held_is_shown_also_where_nobody_may_ask_for_it(
    qtbot: QtBot, held: float, text: str
) -> None:
    field = NumberField(*RANGES["learning_rate"])
    qtbot.addWidget(field)
    field.show_number(held)
    assert (field.text(), field.edited) == (text, False)
    field.stepBy(-1 if held < 1 else 1)
    assert RANGES["learning_rate"][0] <= field.value() <= RANGES["learning_rate"][1]


def test_a_number_that_moves_is_typed_over_where_it_was_selected(qtbot: QtBot) -> None:
    field = NumberField(*RANGES["learning_rate"])
    qtbot.addWidget(field)
    field.show_number(0.0009998)
    field.selectAll()
    field.show_number(0.0009997)  # as a live training sends it
    qtbot.keyClicks(field, "0.0001")
    assert field.text() == "0.0001"


def test_the_field_steps_in_proportion(qtbot: QtBot) -> None:
    field = NumberField(0.0, 1e9)
    qtbot.addWidget(field)
    field.setEnabled(False)
    assert field.text() == "–"
    field.setEnabled(True)
    field.show_number(0.0)
    assert field.text() == "0"
    applied: list[float] = []
    field.applied.connect(applied.append)
    field.show_number(0.002)
    field.stepBy(10)
    assert field.value() == 0.02
    field.stepBy(-30)
    assert field.value() == 2e-5
    field.stepBy(-20)
    assert field.value() == 0.0
    field.stepBy(1)
    assert (field.value(), field.text()) == (1e-3, "0.001")
    assert applied == []
    for text, value in (("1e-7", 1e-7), ("2,5", 2.5), ("1000000", 1e6), ("0", 0.0)):
        field.selectAll()
        qtbot.keyClicks(field, text)
        qtbot.keyClick(field, Qt.Key.Key_Enter)
        assert applied.pop() == value
        assert not field.edited
    refused: list[str] = []
    field.refused.connect(refused.append)
    for text in ("", "-", "1e99", "-1"):
        field.selectAll()
        qtbot.keyClick(field, Qt.Key.Key_Delete)
        qtbot.keyClicks(field, text)
        qtbot.keyClick(field, Qt.Key.Key_Enter)
        assert applied == []
        assert refused.pop() == field.text() == text  # it stays, to be mended
        qtbot.keyClick(field, Qt.Key.Key_Escape)
        assert field.text() == "0.002"


def test_a_number_out_of_range_is_refused_in_words(qtbot: QtBot, theme: Theme) -> None:
    panel = SteerPanel(theme)
    qtbot.addWidget(panel)
    panel.show()
    panel.show_trainer(TrainerState("", rate=0.01, weights={"kl": 1.0}), Waiting())
    asked: list[Request] = []
    panel.asked.connect(asked.append)
    field = panel.numbers.rows["learning_rate"].field
    for text, said in (
        ("5000", "Learning rate must be from 1e-12 to 1000 (you entered 5000)."),
        ("0", "Learning rate must be from 1e-12 to 1000 (you entered 0)."),
        ("", "Learning rate must be from 1e-12 to 1000 (the field is empty)."),
    ):
        field.selectAll()
        qtbot.keyClick(field, Qt.Key.Key_Delete)
        qtbot.keyClicks(field, text)
        qtbot.keyClick(field, Qt.Key.Key_Enter)
        assert said in [label.text() for label in panel.findChildren(QLabel) if label.isVisible()]
        assert asked == []
    assert field.edited
    left = QFocusEvent(QEvent.Type.FocusOut)
    QApplication.sendEvent(field, left)  # what cannot be kept is taken back
    assert (field.edited, field.text(), panel._problem.text()) == (False, "0.01", "")
    weight = panel.numbers.rows["weight kl"].field
    weight.selectAll()
    qtbot.keyClicks(weight, "-2")
    qtbot.keyClick(weight, Qt.Key.Key_Enter)
    assert panel._problem.text() == "Weight of kl must be from 0 to 1e+09 (you entered -2)."


def growth(events: tuple[Event, ...], state: str = "live", **scalars: Any) -> RunProgress:
    none = np.empty(0)
    table = {name: np.array(column) for name, column in scalars.items()}
    return RunProgress(1, none, none, none, table, state, "", 0.0, events)


def event(kind: str, text: str = "") -> Event:
    return Event(1, 0.0, 0.0, kind, text)


def run_of(example: Example, **run: Any) -> RunInfo:
    return RunInfo(1, Path("x"), example.header({"steerable": True, **run}), {})


def test_how_a_training_stands(example: Example) -> None:
    run = run_of(example)
    nan = float("nan")
    kinds: list[tuple[list[str], bool, bool]] = [
        ([], False, False),
        (["pause", "checkpoint"], True, False),
        (["pause", "resume"], False, False),
        (["stop", "pause"], True, True),
        (["pause", "stop", "start"], False, False),
    ]
    for names, paused, stopping in kinds:
        found = trainer_of(run, growth(tuple(map(event, names)), kl_weight=[1.0, 2.0, nan]))
        assert (found.paused, found.stopping) == (paused, stopping), names
        assert found.weights["kl"] == 2.0
        assert np.isnan([found.weights["image"], found.rate]).all()
        over = trainer_of(run, growth(tuple(map(event, names)), "stopped"))
        assert (over.paused, over.stopping) == (False, False)
    for heads in ("kl", 7, None, [["kl"]], {"kl": 1}):
        assert trainer_of(run_of(example, heads=heads), growth(())).weights == {}
    assert trainer_of(None, growth(())).reason == "This run has not started yet."
    assert trainer_of(None, None).reason == "No run is open."


def test_what_waits_is_taken_by_its_own_event_alone() -> None:
    waiting = Waiting()
    before = (event("weight", "weight of a 1 -> 2"),)
    waiting.add(Request("weight", 3.0, "a"), before)
    waiting.add(Request("weight", 3.0, "a b"), before)
    waiting.add(Request("pause"), before)
    waiting.see((*before, event("save"), event("weight", "weight of a b 1 -> 3")))
    assert waiting.get("weight a b") is None
    assert waiting.get("weight a") == Request("weight", 3.0, "a")
    waiting.add(Request("resume"), before)  # it is no longer to be paused
    assert waiting.get("pause") == Request("resume")
    waiting.see((*before, event("pause"), event("resume"), event("weight", "weight of a 1 -> 3")))
    assert not waiting
