"""Export feature: key, button, dialog, and the jobs that write."""

from dataclasses import replace
from functools import partial
from pathlib import Path

from PySide6.QtCore import QStandardPaths
from PySide6.QtGui import QImage

from ed_core.recording import written_whole
from ed_viewer.compare.feature import CompareFeature
from ed_viewer.event_loop import flush, later
from ed_viewer.export.dialog import ExportChoice, ExportDialog
from ed_viewer.export.movie import MOVIES, ScrubMovie, thinned
from ed_viewer.export.picture import PICTURES, Write, picture, raster, unused
from ed_viewer.export.targets import WINDOW, ExportSource, Target, tab_of, targets, write_npz
from ed_viewer.session.cursor import Playback
from ed_viewer.widgets.controls import IconButton
from ed_viewer.window.feature import Feature
from ed_viewer.window.workbench import Workbench

_FOLDER = "export_folder"
_LATE = "Nothing exported: the panels were still being drawn"
_LOOK, _LOOKS = 40, 1500  # milliseconds, and how often it is looked whether all is drawn
_GONE = "Nothing exported: what was chosen is no longer shown"


class ExportFeature(Feature):
    """Feature that exports the stage, a panel, the curves or the window as drawn now.

    Args:
        bench: what it works with.
        compare: knows the run beside the one on show.

    Attributes:
        dialog: open now, or None; movie: written now, or None.
    """

    name = "export"
    title = "Export"

    def __init__(self, bench: Workbench, compare: CompareFeature) -> None:
        super().__init__(bench)
        self._compare = compare
        self.movie: ScrubMovie | None = None
        self._following = False  # whether the run was followed when the dialog was opened
        self.dialog: ExportDialog | None = None
        self.tool: IconButton = IconButton("export", "Export", bench.theme)
        self.tool.clicked.connect(self.ask)
        bench.session.opened.connect(self._on_opened)
        words = "Export an image, an animation or the arrays"
        self.command("export", words, "Ctrl+E", self.ask, menu="File", buttons=[self.tool])

    def ask(self) -> None:
        """Open the dialog on what is on show, which stays on show."""
        bench = self.bench
        frame = bench.session.frame
        if frame is None or not bench.stage.panels:
            bench.status.show_message("Nothing to export yet: no frame is shown")
            return
        cursor = bench.session.cursor
        self._following = cursor.following
        if cursor.playback is not Playback.PAUSED:
            bench.session.step(frame.request.frame - cursor.frame)
        offered = targets(bench, self.shown)
        dialog = ExportDialog(offered, self._folder(), self._name(), bench)
        dialog.accepted.connect(partial(self._start, dialog))
        dialog.finished.connect(self._on_finished)
        self.dialog = dialog
        dialog.open()

    def _start(self, dialog: ExportDialog) -> None:
        self.bench.settings.set(str(dialog.choice.file.parent), _FOLDER)
        self._take_drawn(dialog.choice, _LOOKS)

    def _take_drawn(self, choice: ExportChoice, looks: int) -> None:
        """Export once all is drawn: the arrays of a tab just opened are still being read."""
        if self.bench.session.settled and self._ready():
            self.take(choice)
        elif looks:
            self.bench.status.show_message("Export: waiting for the panels …")
            later(self, partial(self._take_drawn, choice, looks - 1), _LOOK)
        else:
            self.bench.status.show_message(_LATE)
            self._go_on()

    def take(self, choice: ExportChoice) -> None:
        """Export; how it ends stands in the status line."""
        offered = targets(self.bench, self.shown) if self.bench.session.frame is not None else []
        matching = [target for target in offered if target.name == choice.target]
        if not matching:  # its tab was left while the dialog was open
            self.bench.status.show_message(_GONE)
        elif choice.kind in MOVIES:
            self._film(choice, matching[0])
            return
        elif choice.kind in PICTURES:
            background = self.bench.theme.colour("window")
            self._write(choice.file, picture(matching[0].figure, choice.kind, background))
        elif matching[0].arrays is not None:
            self._write(choice.file, partial(write_npz, arrays=matching[0].arrays()))
        self._go_on()

    def _go_on(self) -> None:
        """Follow the run again, if it was followed when the dialog was opened."""
        if self._following:
            self._following = False
            self.bench.session.follow()

    def end(self) -> None:
        """Give a movie up that is not complete: the window closes."""
        if self.movie is not None:
            self.movie.stop()

    def _on_opened(self, _: object) -> None:
        """Forget the run before; what was chosen of it shall not be taken of another."""
        self._following = False
        if self.dialog is not None:
            self.dialog.reject()
            self.bench.status.show_message(_GONE)

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

        self.bench.jobs.run(job, _failed(file))

    def _film(self, choice: ExportChoice, target: Target) -> None:
        session = self.bench.session
        if self.movie is not None:
            self.bench.status.show_message("Another animation is still being exported")
            self._go_on()
            return
        first, last = session.cursor.loop or (0, session.cursor.last)
        back = session.cursor.frame
        following, self._following = self._following, False
        grab = partial(self._grab, target)
        self.bench.stage.set_steady(True)
        movie = ScrubMovie(session, grab, thinned(first, last), self._ready, self)
        self.bench.stage.renewed.connect(movie.stop)  # with what is grabbed
        if target.tab:  # what is on no visible tab is not drawn
            self.bench.stage.currentChanged.connect(movie.stop)
        movie.progress.connect(self.bench.status.show_message)
        movie.ended.connect(partial(self._ended, movie, back, following))
        self.movie = movie
        runs = self.shown.about_runs
        write = partial(movie.write, choice.file, choice.kind, session.speed, runs)
        self.bench.jobs.run(write, _failed(choice.file))
        movie.start()

    def _ended(self, movie: ScrubMovie, back: int, following: bool) -> None:
        self.movie = None
        self.bench.stage.set_steady(False)
        movie.deleteLater()
        if movie.complete and following:
            self.bench.session.follow()
        elif movie.complete:
            self.bench.session.scrub(back)

    def _grab(self, target: Target) -> QImage:
        flush()
        # The whole window says it anyhow.
        line = "" if target.name == WINDOW else self.shown.where
        figure = replace(target.figure, line=line)
        return raster(figure, self.bench.theme.colour("window"))

    def _ready(self) -> bool:
        """Tell whether what is decoded is drawn as well, and run B, while there is one."""
        flush()  # what is drawn may ask for more
        return self.bench.stage.settled and self._compare.settled

    @property
    def shown(self) -> ExportSource:
        """What is on show now, of one run or of two."""
        return ExportSource(self.bench.session, self._compare.comparison)

    def _folder(self) -> Path:
        """Return the folder of the last file, else that of pictures, else the user's own."""
        pictures = QStandardPaths.writableLocation(QStandardPaths.StandardLocation.PicturesLocation)
        folders = map(Path, filter(None, (self.bench.settings.text(_FOLDER), pictures)))
        return next((folder for folder in folders if folder.is_dir()), Path.home())

    def _name(self) -> str:
        """Return what a file is called: the run or runs, the tab and the step."""
        session, pair = self.bench.session, self._compare.pair
        run = session.path.name if session.path else "run"
        run = f"{run}-and-{pair.beside.path.name}" if pair else run
        tab = tab_of(self.bench.stage).replace("&", "and")
        step = int(session.growth.steps[session.cursor.frame]) if session.growth else 0
        return f"{run}-{'-'.join(tab.lower().replace('/', '-').split())}-{step}"


def _failed(file: Path) -> str:
    return f"{file.name} could not be exported to {file.parent}"
