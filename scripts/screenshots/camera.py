"""Opens the window offscreen, waits until all is drawn, and takes its picture."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image
from PySide6.QtCore import QPoint, QRect, QSize
from PySide6.QtGui import QPainter, QPixmap
from PySide6.QtWidgets import QApplication, QDialog

from ed_viewer.app import make_window
from ed_viewer.decoding.client import DecoderState
from ed_viewer.panels.latent.decoded_view import DecodedView
from ed_viewer.window.window import Window

DEADLINE = 60.0  # seconds to wait for a frame, or for a decoder to load its backend
_REST = 0.6  # seconds: the newest request, its answer, and a drawing
_COLOURS = 256  # of a small picture


@dataclass(frozen=True, slots=True)
class Picture:
    """What is taken: the file, the window's size, the tab ("" as it is), whether it is small."""

    path: Path
    size: QSize
    tab: str = ""
    small: bool = False


class Camera:
    """Takes pictures of windows.

    Args:
        app: the application.
        frame: which frame of a run is shown; -1 for the last.
    """

    def __init__(self, app: QApplication, frame: int = -1) -> None:
        self.app = app
        self._frame = frame

    @contextmanager
    def window(self, theme: str, *runs: Path, root: str = "runs") -> Iterator[Window]:
        """Open a window and close it with its thread; with a run, wait for its first frame."""
        window = make_window(self.app, [str(run) for run in runs], root=root, theme=theme)
        window.show()
        try:
            if runs and root == "runs":
                self.wait(lambda: bool(window.stage.panels) and window.session.cursor.frame >= 0)
                if self._frame >= 0:
                    window.session.scrub(self._frame)
            yield window
        finally:
            window.close()
            window.deleteLater()
            self.app.processEvents()

    def tabs(self, window: Window) -> list[str]:
        """Return the titles of the tabs."""
        return [window.stage.tabText(tab).replace("&&", "&") for tab in range(window.stage.count())]

    def shoot(self, window: Window, picture: Picture) -> None:
        """Open a tab, wait until nothing is on its way, and write the picture."""
        window.resize(picture.size)
        if picture.tab:
            window.stage.setCurrentIndex(self.tabs(window).index(picture.tab))
        self.rest()
        self.wait(lambda: not _loading(window))
        self._wait_until_still(window)
        self.save(window, picture)

    def _wait_until_still(self, window: Window) -> None:
        """Wait until two pictures, one after the other, are the same: plots are made in turn."""
        self.app.setCursorFlashTime(0)
        deadline, before, now = time.monotonic() + DEADLINE, None, _picture(window).toImage()
        while now != before:
            if time.monotonic() > deadline:
                print(f"the window is not still after {DEADLINE:.0f} s")
                return
            self.rest()
            before, now = now, _picture(window).toImage()

    def rest(self) -> None:
        """Let the window work for a moment."""
        until = time.monotonic() + _REST
        self.wait(lambda: time.monotonic() > until)

    def wait(self, done: Callable[[], bool]) -> None:
        """Let the window work until something is so.

        Raises:
            SystemExit: it took too long.
        """
        deadline = time.monotonic() + DEADLINE
        while not done():
            if time.monotonic() > deadline:
                raise SystemExit("the window showed no frame: is this a run folder?")
            self.app.processEvents()
            time.sleep(0.005)

    def save(self, window: Window, picture: Picture) -> None:
        """Write the window, with the dialogs above it."""
        taken = _picture(window)
        picture.path.parent.mkdir(parents=True, exist_ok=True)
        taken.save(str(picture.path))
        if picture.small:
            with Image.open(picture.path) as image:
                few = _with_few_colours(image.convert("RGB"))
            few.save(picture.path, optimize=True)
        print(picture.path)


def _picture(window: Window) -> QPixmap:
    """Return the window with the dialogs above it."""
    taken = window.grab()
    painter = QPainter(taken)
    for dialog in window.findChildren(QDialog):
        if dialog.isVisible():
            corner = dialog.mapToGlobal(QPoint()) - window.pos()
            painter.drawPixmap(corner, dialog.grab())
            painter.setPen(window.theme.colour("done"))  # the frame that a desktop draws
            painter.drawRect(QRect(corner, dialog.size()).adjusted(-1, -1, 0, 0))
    painter.end()
    return taken


def _with_few_colours(image: Image.Image) -> Image.Image:
    """Return a picture of a palette in which small areas, as classes have, keep their colours."""
    counts: list[tuple[int, tuple[int, ...]]] = sorted(image.getcolors(1 << 24), reverse=True)
    # What is painted flat comes first; the rest of the palette is for photographs and edges.
    flat = [colour for _, colour in counts[: _COLOURS // 2]]
    rest = image.quantize(_COLOURS - len(flat), Image.Quantize.MAXCOVERAGE).getpalette()
    palette = np.array([*(part for colour in flat for part in colour), *(rest or ())], np.uint8)
    colours, place = np.unique(np.asarray(image).reshape(-1, 3), axis=0, return_inverse=True)
    # By distance: Pillow takes a colour that is near in five bits, and the background is another.
    apart = [np.abs(colours - one.astype(int)).sum(1) for one in palette.reshape(-1, 3)]
    drawn = np.argmin(apart, axis=0).astype(np.uint8)[place].reshape(image.height, image.width)
    few = Image.fromarray(drawn, "P")
    few.putpalette(palette.tobytes())
    return few


def _loading(window: Window) -> bool:
    decoder = window.stage.decoder
    if decoder is None or decoder.state is not DecoderState.READY:
        return decoder is not None and decoder.state is DecoderState.STARTING
    shown = [widget for widget in window.findChildren(DecodedView) if widget.isVisible()]
    return any(not len(widget.outputs) for widget in shown)
