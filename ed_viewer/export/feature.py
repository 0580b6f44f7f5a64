"""Export feature: key, button, dialog, and the jobs that write."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QStandardPaths, QTimer
from PySide6.QtGui import QImage

from ed_core.recording import written_whole
from ed_viewer.compare.feature import CompareFeature
from ed_viewer.event_loop import flush
from ed_viewer.export.dialog import ExportChoice, ExportDialog
from ed_viewer.export.movie import MOVIES, ScrubMovie, thinned
from ed_viewer.export.picture import PICTURES, Write, picture, raster, unused
from ed_viewer.export.targets import WINDOW, Target, on_show, tab_of, targets, write_npz
from ed_viewer.reading.messages import Frame
from ed_viewer.session.cursor import Playback
from ed_viewer.widgets.controls import IconButton
from ed_viewer.window.feature import Feature

if TYPE_CHECKING:
    from ed_viewer.window.window import Window

_FOLDER = "export_folder"
_LATE = "Nothing exported: the panels were still being drawn"
_LOOK, _LOOKS = 40, 1500  # milliseconds, and how often it is looked whether all is drawn
_GONE = "Nothing exported: what was chosen is no longer shown"


class ExportFeature(Feature):
    """Feature that exports the stage, a panel, the curves or the window as drawn now."""

    name = "export"
    title = "Export"

    def __init__(self, window: Window) -> None:
        super().__init__(window)
        self._movie: ScrubMovie | None = None
        self._following = False  # whether the run was followed when the dialog was opened
        self.frame: Frame | None = None
        self.dialog: ExportDialog | None = None
        self.tool: IconButton = IconButton("export", "Export (Ctrl+E)", window.theme)
        self.tool.clicked.connect(self.ask)
        window.session.drawn.connect(self._on_drawn)
        window.session.opened.connect(self._on_opened)

    def actions(self) -> Mapping[str, Callable[[int], None]]:
        """Return what the key does."""
        return {"export": lambda _: self.ask()}

    def ask(self) -> None:
        """Open the dialog on what is on show, which stays on show."""
        window = self.window
        if self.frame is None or not window.stage.panels:
            window.status.show_message("Nothing to export yet: no frame is shown")
            return
        cursor = window.session.cursor
        self._following = cursor.following
        if cursor.playback is not Playback.PAUSED:
            window.session.step(self.frame.request.frame - cursor.frame)
        offered = targets(window, self.frame)
        dialog = ExportDialog(offered, self._folder(), _name(window), window)
        dialog.accepted.connect(partial(self._start, dialog))
        dialog.finished.connect(self._on_finished)
        self.dialog = dialog
        dialog.open()

    def _start(self, dialog: ExportDialog) -> None:
        self.window.settings.set(str(dialog.choice.file.parent), _FOLDER)
        self._take_drawn(dialog.choice, _LOOKS)

    def _take_drawn(self, choice: ExportChoice, looks: int) -> None:
        """Export once all is drawn: the arrays of a tab just opened are still being read."""
        if self.window.session.settled and self._ready():
            self.take(choice)
        elif looks:
            self.window.status.show_message("Export: waiting for the panels …")
            QTimer.singleShot(_LOOK, self, partial(self._take_drawn, choice, looks - 1))
        else:
            self.window.status.show_message(_LATE)
            self._go_on()

    def take(self, choice: ExportChoice) -> None:
        """Export; how it ends stands in the status line."""
        offered = targets(self.window, self.frame) if self.frame is not None else []
        matching = [target for target in offered if target.name == choice.target]
        if not matching:  # its tab was left while the dialog was open
            self.window.status.show_message(_GONE)
        elif choice.kind in MOVIES:
            self._film(choice, matching[0])
            return
        elif choice.kind in PICTURES:
            background = self.window.theme.colour("window")
            self._write(choice.file, picture(matching[0].figure, choice.kind, background))
        elif matching[0].arrays is not None:
            self._write(choice.file, partial(write_npz, arrays=matching[0].arrays()))
        self._go_on()

    def _go_on(self) -> None:
        """Follow the run again, if it was followed when the dialog was opened."""
        if self._following:
            self._following = False
            self.window.session.follow()

    def end(self) -> None:
        """Give a movie up that is not complete: the window closes."""
        if self._movie is not None:
            self._movie.stop()

    def _on_drawn(self, frame: Frame) -> None:
        self.frame = frame

    def _on_opened(self, _: object) -> None:
        """Forget the run before; what was chosen of it shall not be taken of another."""
        self.frame = None
        self._following = False
        if self.dialog is not None:
            self.dialog.reject()
            self.window.status.show_message(_GONE)

    def _on_finished(self, accepted: int) -> None:
        if self.dialog is not None:
            self.dialog.deleteLater()
        self.dialog = None
        if not accepted:
            self._go_on()

    def _write(self, file: Path, write: Write) -> None:
        def job() -> str:
            free = unused(file)
            with written_whole(free) as part:
                write(part)
            return f"Exported {free.name} to {free.parent}"

        self.window.errands.run(job, _failed(file))

    def _film(self, choice: ExportChoice, target: Target) -> None:
        session = self.window.session
        if self._movie is not None:
            self.window.status.show_message("Another animation is still being exported")
            self._go_on()
            return
        first, last = session.cursor.loop or (0, session.cursor.last)
        back = session.cursor.frame
        following, self._following = self._following, False
        grab = partial(self._grab, target)
        self.window.stage.set_steady(True)
        movie = ScrubMovie(session, grab, thinned(first, last), self._ready, self)
        self.window.stage.renewed.connect(movie.stop)  # with what is grabbed
        if target.tab:  # what is on no visible tab is not drawn
            self.window.stage.currentChanged.connect(movie.stop)
        movie.progress.connect(self.window.status.show_message)
        movie.ended.connect(partial(self._ended, movie, back, following))
        self._movie = movie
        runs = on_show(self.window, self.frame).about_runs
        write = partial(movie.write, choice.file, choice.kind, session.speed, runs)
        self.window.errands.run(write, _failed(choice.file))
        movie.start()

    def _ended(self, movie: ScrubMovie, back: int, following: bool) -> None:
        self._movie = None
        self.window.stage.set_steady(False)
        movie.deleteLater()
        if movie.complete and following:
            self.window.session.follow()
        elif movie.complete:
            self.window.session.scrub(back)

    def _grab(self, target: Target) -> QImage:
        flush()
        # The whole window says it anyhow.
        line = "" if target.name == WINDOW else on_show(self.window, self.frame).where
        figure = replace(target.figure, line=line)
        return raster(figure, self.window.theme.colour("window"))

    def _ready(self) -> bool:
        """Tell whether what is decoded is drawn as well, and run B, while there is one."""
        flush()  # what is drawn may ask for more
        pair = self.window.part(CompareFeature).pair
        return self.window.stage.settled and (pair is None or pair.settled)

    def _folder(self) -> Path:
        remembered = self.window.settings.text(_FOLDER)
        home = QStandardPaths.StandardLocation.PicturesLocation
        return Path(remembered or QStandardPaths.writableLocation(home) or Path.home())


def _failed(file: Path) -> str:
    return f"{file.name} could not be exported to {file.parent}"


def _name(window: Window) -> str:
    """Return what a file is called: the run or runs, the tab and the step."""
    session = window.session
    run = session.path.name if session.path else "run"
    pair = window.part(CompareFeature).pair
    run = f"{run}-and-{pair.beside.path.name}" if pair else run
    tab = tab_of(window.stage).replace("&", "and")
    step = int(session.growth.steps[session.cursor.frame]) if session.growth else 0
    return f"{run}-{'-'.join(tab.lower().replace('/', '-').split())}-{step}"
