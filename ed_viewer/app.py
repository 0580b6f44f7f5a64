"""Open the window."""

import gc
import os
import sys
import traceback
from collections.abc import Sequence
from types import TracebackType

from PySide6.QtCore import QSize, QThread, QTimer
from PySide6.QtWidgets import QApplication

from ed_viewer.compare.feature import CompareFeature, CompareSettings
from ed_viewer.event_loop import later
from ed_viewer.export.feature import ExportFeature
from ed_viewer.inference.feature import InferenceFeature
from ed_viewer.new_run.feature import DemoStart, NewRunFeature
from ed_viewer.new_run.log import TrainingLog
from ed_viewer.reading.reader import Reader
from ed_viewer.reading.run_names import absolute_path
from ed_viewer.steering.feature import SteerFeature
from ed_viewer.style.theme import Theme
from ed_viewer.window.command_palette import PaletteFeature
from ed_viewer.window.feature import Feature
from ed_viewer.window.focus_ring import FocusRing
from ed_viewer.window.layout import LayoutFeature
from ed_viewer.window.run_sheet import RunSheetFeature
from ed_viewer.window.settings import Settings, settings_file
from ed_viewer.window.tool_bar import ViewToolsFeature
from ed_viewer.window.view_history import ViewHistory
from ed_viewer.window.window import Window
from ed_viewer.window.wiring import CurvesFeature, DecoderFeature, DisplayLatency, TimelineFeature
from ed_viewer.window.workbench import Workbench

_COLLECT = 5000  # milliseconds
_FRAME = QSize(10, 40)  # pixels that a window manager adds


def main(
    paths: Sequence[str] = (),
    *,
    root: str = "runs",
    theme: str | None = None,
    compare: bool = False,
) -> int:
    """Show runs until the window is closed; returns the exit status.

    Args:
        paths: run folders or recordings; the first is opened, the list shows all. Without any,
            the list shows the folder `root`, and the newest run in it is opened.
        root: the folder of runs.
        theme: "light", "dark", or None to follow the system.
        compare: whether the second run is shown beside the first.
    """
    app = QApplication.instance() or QApplication(sys.argv[:1])
    assert isinstance(app, QApplication)
    settings = Settings(settings_file())
    window = make_window(app, paths, root=root, theme=theme, compare=compare, settings=settings)
    collect_in_this_thread(window)
    before = sys.excepthook
    sys.excepthook = _Reporter(window)
    show_on_screen(window)
    try:
        status = app.exec()
    finally:
        sys.excepthook = before
    threads = [window.reader, *window.findChildren(QThread)]
    if any(thread.isRunning() for thread in threads):
        # A disk that hangs holds a thread for as long as it likes, and Qt aborts over it.
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)
    return status


def show_on_screen(window: Window) -> None:
    """Show the window; where the screen has no room for it and its frame, on all of the screen."""
    room = window.screen().availableGeometry().size()
    size = window.size() + _FRAME
    if size.width() > room.width() or size.height() > room.height():
        window.showMaximized()
    else:
        window.show()


def make_features(bench: Workbench) -> list[Feature]:
    """Return the features of the window, in the order of their tools."""
    log = TrainingLog(bench)
    new_run = NewRunFeature(bench, log.log)
    compare = CompareFeature(bench)
    history = ViewHistory(bench)
    return [
        log,
        new_run,
        SteerFeature(bench),
        RunSheetFeature(bench),
        compare,
        CompareSettings(bench, compare.tools),
        DecoderFeature(bench),
        TimelineFeature(bench),
        CurvesFeature(bench),
        ExportFeature(bench, compare),
        InferenceFeature(bench),
        ViewToolsFeature(bench),
        PaletteFeature(bench),
        history,
        LayoutFeature(bench, history),
        FocusRing(bench),
        DemoStart(bench, new_run.train),
        DisplayLatency(bench),
    ]


def make_window(
    app: QApplication,
    paths: Sequence[str] = (),
    *,
    root: str = "runs",
    theme: str | None = None,
    compare: bool = False,
    settings: Settings | None = None,
) -> Window:
    """Return the window, not shown yet; see `main`. Without `settings` nothing is kept."""
    app.setApplicationName("edkit")
    runs = [absolute_path(path) for path in paths]
    reader = Reader(absolute_path(root), runs)
    window = Window(reader, Theme(app, theme), root, make_features, settings)
    if runs:
        window.open(runs[0])
    if compare:
        window.runs.compared.emit(runs[1])
    return window


class _Reporter:
    """Says what went wrong in the status line: an error in one panel must not end the window."""

    def __init__(self, window: Window) -> None:
        self._window = window

    def __call__(
        self, kind: type[BaseException], error: BaseException, trace: TracebackType | None
    ) -> None:
        if issubclass(kind, KeyboardInterrupt):
            self._window.close()
            return
        traceback.print_exception(kind, error, trace)
        self._window.status.show_message(f"{kind.__name__}: {error}")


def collect_in_this_thread(window: Window) -> None:
    """Collect garbage from a timer: in the reader's thread it would destroy Qt objects there.

    What is there at the first look, most of it imported, stays for good and is not looked at again.
    """
    gc.disable()
    timer = QTimer(window)
    timer.timeout.connect(gc.collect)
    later(window, gc.freeze, _COLLECT)
    timer.start(_COLLECT)
