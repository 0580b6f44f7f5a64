"""Drops files on a window on a real screen, by a mouse that xdotool moves.

    python drop_files.py FOLDER

A process of its own, since Qt has one platform a process. For each place a line of JSON on stdout:
where a file was dropped, its path, and what the fields of the dialog say then.
"""

import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QMimeData, QPoint, Qt, QUrl
from PySide6.QtGui import QDrag, QMouseEvent
from PySide6.QtWidgets import QApplication, QLabel, QWidget

from ed_viewer.app import collect_in_this_thread, make_window
from ed_viewer.inference.feature import InferenceFeature
from ed_viewer.testing import Example, write_example

DEADLINE = 240.0  # seconds, for each thing that is waited for
_PAUSE = 0.1  # seconds between two moves of the mouse


class Desktop(QLabel):
    """A file on a desktop, which can be dragged."""

    path = Path()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:  # noqa: N802
        drag, data = QDrag(self), QMimeData()
        url = QUrl.fromLocalFile(str(self.path))
        data.setUrls([url])
        data.setText(url.toString())  # as file managers do
        drag.setMimeData(data)
        drag.exec(Qt.DropAction.CopyAction)


def until(app: QApplication, condition: Callable[[], bool], what: str) -> None:
    end = time.monotonic() + DEADLINE
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError(f"waited {DEADLINE:.0f} s for {what}")
        app.processEvents()
        time.sleep(0.005)


def carry(app: QApplication, start: QPoint, end: QPoint) -> None:
    """Press the mouse at one place of the screen, move it to another and let go there."""
    moves = [start + (end - start) * (step / 8) for step in range(1, 9)] + [end + QPoint(2, 1)]
    words = ["xdotool", "mousemove", start.x(), start.y(), "mousedown", 1]
    for at in moves:
        words += ["sleep", _PAUSE, "mousemove", at.x(), at.y()]
    words += ["sleep", 3 * _PAUSE, "mouseup", 1]
    with subprocess.Popen([str(word) for word in words]) as mouse:
        until(app, lambda: mouse.poll() is not None, "the mouse")


def middle(widget: QWidget) -> QPoint:
    return widget.mapToGlobal(widget.rect().center())


def main() -> int:
    folder = Path(sys.argv[1])
    app = QApplication(sys.argv[:1])
    window = make_window(app, [str(write_example(folder / "runs", Example(), 4))])
    collect_in_this_thread(window)
    window.setGeometry(0, 20, 1300, 800)
    window.show()
    file = Desktop("a file", windowFlags=Qt.WindowType.WindowStaysOnTopHint)
    file.setGeometry(1340, 30, 90, 60)
    file.show()
    until(app, lambda: window.session.run is not None and window.session.cursor.frame >= 0, "a run")
    until(app, lambda: file.isVisible() and window.isVisible(), "two windows")
    feature = window.findChild(InferenceFeature)

    def drop(
        on: str, widget: Callable[[], QWidget], took: Callable[[], str], place: Path = folder
    ) -> None:
        file.path = place / f"{on} é.png"
        file.path.touch()
        carry(app, middle(file), middle(widget()))
        until(app, lambda: took() != "", "the path that was dropped")
        dialog = feature.dialog
        fields = [dialog.source.text(), dialog.folder.text()]
        print(json.dumps({"on": on, "path": str(file.path), "fields": fields}), flush=True)

    def source() -> str:
        dialog = feature.dialog
        now = dialog.source.text() if dialog is not None and dialog.isVisible() else ""
        return now if now.endswith(str(file.path.name)) else ""

    drop("panel", lambda: window.stage.panels[0], source)
    until(app, lambda: feature.dialog.isActiveWindow(), "the dialog in front")
    drop("line", lambda: feature.dialog.source, source)
    drop("dialog", lambda: feature.dialog, source)
    (folder / "elsewhere").mkdir()

    def into() -> str:
        now = feature.dialog.folder.text()
        return now if Path(now).parent == file.path.parent else ""

    drop("results", lambda: feature.dialog.folder, into, folder / "elsewhere")
    window.close()
    window.deleteLater()
    app.processEvents()
    return 0


if __name__ == "__main__":
    sys.exit(main())
