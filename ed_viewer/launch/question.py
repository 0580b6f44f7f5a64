"""What closing the window asks while runs train that were started from it."""

from collections.abc import Sequence
from enum import Enum

from PySide6.QtWidgets import QMessageBox, QWidget


class Answer(Enum):
    """What is to become of the training."""

    TRAIN_ON = "Keep training"
    STOP = "Save and stop"
    CANCEL = "Cancel"


class Question(QMessageBox):
    """Asks, in words that say what each answer does."""

    def __init__(self, names: Sequence[str], parent: QWidget) -> None:
        super().__init__(parent)
        one = len(names) == 1
        self.setWindowTitle("Close the window")
        self.setIcon(QMessageBox.Icon.Question)
        self.setText(f"{names[0]} is training." if one else f"{len(names)} runs are training.")
        self.setInformativeText(
            "Training continues in the background; reopen it with edkit view. Or save a checkpoint "
            "and stop; continue with edkit train --resume."
        )
        roles = QMessageBox.ButtonRole
        self.choices = {
            Answer.TRAIN_ON: self.addButton(Answer.TRAIN_ON.value, roles.AcceptRole),
            Answer.STOP: self.addButton(Answer.STOP.value, roles.DestructiveRole),
            Answer.CANCEL: self.addButton(Answer.CANCEL.value, roles.RejectRole),
        }
        self.setDefaultButton(self.choices[Answer.TRAIN_ON])
        self.setEscapeButton(self.choices[Answer.CANCEL])

    def answer(self) -> Answer:
        """Ask, and wait for the answer."""
        self.exec()
        self.deleteLater()
        clicked = self.clickedButton()
        given = [answer for answer, button in self.choices.items() if button is clicked]
        return given[0] if given else Answer.CANCEL
