"""Drives a window on a real screen; what it shows must be what a full repaint shows.

    python drive_window.py FOLDER THEME ACTS SEED SCENE ...

A process of its own, since Qt has one platform a process. Recordings and pictures of what differs
go into FOLDER; each comparison is a line of JSON on stdout: after what, and how many pixels differ.
"""

import faulthandler
import json
import random
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyqtgraph
from PySide6.QtCore import QPoint, QPointF, QRect, QSize, Qt, QTimer
from PySide6.QtGui import QImage, QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QDialog, QGraphicsView, QPushButton, QWidget

from ed_core.recording import ArrayInfo, Header, ProbeInfo
from ed_viewer import event_loop
from ed_viewer.app import collect_in_this_thread, make_window
from ed_viewer.compare.feature import CompareFeature
from ed_viewer.decoding import client
from ed_viewer.event_loop import Cover
from ed_viewer.session.cursor import Playback
from ed_viewer.testing import Example, write_example
from ed_viewer.widgets.plots.legend import Legend
from ed_viewer.widgets.video_bar import VideoBar
from ed_viewer.window.window import Window

DEADLINE = 240.0  # seconds, for all that waits
STILL = 0.04  # seconds without a change on the screen, after which it is still
LOOKS = 5  # or the time of so many looks at it, which take longer on a busy machine
LARGE, SMALL = QSize(1440, 900), QSize(1280, 720)
APART = ("open", "new", "quit")  # they ask for a folder, start a process, end the window
MORE_KEYS = ("Tab", "Tab", "Shift+Tab", "Up", "Down", "Return")
_GROUP = 10  # acts between two comparisons


class Others(Example):
    """Signals and videos, and more codes than are drawn one by one."""

    def __init__(self) -> None:
        super().__init__(size=(8, 8, 1), samples=5200, frames=4)
        wave = np.sin(np.linspace(0, 9, 64))
        phases = np.arange(8)[:, None, None] / 8
        self.reference["signal"] = (phases + np.stack([wave, wave + 3], axis=-1)).astype("f4")
        self.reference["video"] = np.stack([self.reference["image"][i : i + 6] for i in range(8)])

    def header(self, run=None) -> Header:  # type: ignore[no-untyped-def]
        made = super().header(run)
        axes = {"signal": ("sample", "time", "channel")}
        axes["video"] = ("sample", "time", "height", "width", "channel")
        probes = [
            ProbeInfo(
                f"reconstruction {name}",
                "reconstruction",
                {"output": ArrayInfo(self.reference[name].shape, "float32", axes[name])},
                {"field": name},
            )
            for name in axes
        ]
        fields = {**made.fields, **{name: {"kind": name} for name in axes}}
        codes = [probe for probe in made.probes if probe.kind == "latent_codes"]
        return replace(made, fields=fields, probes=(*probes, *codes))

    def frame(self, number: int) -> dict[str, dict[str, np.ndarray]]:
        made = super().frame(number)
        share = (number + 1) / 4
        outputs = {
            f"reconstruction {name}": {"output": self.reference[name] * share}
            for name in ("signal", "video")
            if name in self.reference
        }
        return {**made, **outputs}


class Driver:
    """A window, what is done to it, and the pictures of its screen."""

    def __init__(self, app: QApplication, window: Window, folder: Path) -> None:
        self._app, self.window, self._folder = app, window, folder
        self._number = 0

    # what is done

    def tab(self, title: str) -> None:
        self.window.stage.setCurrentIndex(self.tabs().index(title))

    def tabs(self) -> list[str]:
        stage = self.window.stage
        return [stage.tabText(tab) for tab in range(stage.count())]

    def keys(self, *keys: str) -> None:
        for key in keys:
            QTest.keySequence(self.window, key)
            self.pump(0.03)

    def click(self, widget: QWidget, at: QPoint) -> None:
        self._mouse(widget.mapTo(self.window, at), QTest.mouseClick)

    def drag(self, start: QPoint, end: QPoint) -> None:
        handle, left = self.window.windowHandle(), Qt.MouseButton.LeftButton
        QTest.mousePress(handle, left, pos=start)
        for share in (0.3, 0.7, 1.0):
            QTest.mouseMove(handle, start + (end - start) * share)
            self.pump(0.015)
        QTest.mouseRelease(handle, left, pos=end)

    def wheel(self, at: QPoint, turned: int) -> None:
        widget = self.window.childAt(at)
        if widget is not None:
            inside = QPointF(widget.mapFrom(self.window, at))
            event = QWheelEvent(
                inside,
                QPointF(self.window.mapToGlobal(at)),
                QPoint(),
                QPoint(0, turned),
                Qt.MouseButton.NoButton,
                Qt.KeyboardModifier.NoModifier,
                Qt.ScrollPhase.NoScrollPhase,
                False,
            )
            self._app.sendEvent(widget, event)

    def point(self, at: QPoint) -> None:
        QTest.mouseMove(self.window.windowHandle(), at)

    def _mouse(self, at: QPoint, act: Callable[..., None]) -> None:
        QTest.mouseMove(self.window.windowHandle(), at)
        act(self.window.windowHandle(), Qt.MouseButton.LeftButton, pos=at)

    # what is waited for

    def pump(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self._app.processEvents()
            time.sleep(0.002)

    def until(self, done: Callable[[], object], what: str) -> None:
        end = time.monotonic() + DEADLINE
        while not done():
            if time.monotonic() > end:
                raise TimeoutError(f"{DEADLINE:.0f} s passed without {what}")
            self.pump(0.005)

    def busy(self) -> str:
        """Return what the window still has to do, "" for nothing."""
        window, pair = self.window, self.window.findChild(CompareFeature).pair
        sessions = [window.session, *([pair.beside.session] if pair else [])]
        if any(session.run is None or not session.settled for session in sessions):
            return "a frame"
        if any(cover.isVisible() for cover in window.findChildren(Cover)):
            return "the theme"
        decoder = window.stage.decoder
        started = decoder and decoder.state is client.DecoderState.STARTING
        return "a turn" if not event_loop.is_idle() else "the decoder" if started else ""

    def still(self) -> np.ndarray:
        """Wait until nothing is on its way and the screen no longer changes; return its picture."""
        if self.window.session.cursor.playback is Playback.PLAYING:
            self.window.session.toggle()
        for film in self.window.findChildren(VideoBar):
            film.play.setChecked(False)
        start, before = time.monotonic(), self.picture()
        look, end = time.monotonic() - start, start + DEADLINE
        while True:
            self.until(lambda: not self.busy(), "an idle window")
            self.pump(max(STILL, LOOKS * look))
            start = time.monotonic()
            now = self.picture()
            look = max(look, time.monotonic() - start)
            if not self.busy() and np.array_equal(before, now):
                return now
            if time.monotonic() > end:
                raise TimeoutError(f"{DEADLINE:.0f} s passed, and {box(before, now)} still moves")
            before = now

    # what is seen

    def picture(self) -> np.ndarray:
        """Return what the screen shows, (height, width) of whole pixels."""
        screen = self._app.primaryScreen().grabWindow(0).toImage()
        image = screen.convertToFormat(QImage.Format.Format_RGB32)
        return np.array(image.constBits()).view("u4").reshape(image.height(), image.width())

    def differs(self, before: np.ndarray) -> bool:
        """Tell whether most of the screen is another than in a picture of it."""
        return bool((self.picture() != before).mean() > 0.5)

    def repaint(self) -> None:
        """Paint everything anew, also what plots keep of their axes."""
        for widget in self._app.allWidgets():
            if widget.isVisible():
                widget.update()
            if isinstance(widget, QGraphicsView) and widget.isVisible():
                for item in widget.scene().items():
                    if isinstance(item, pyqtgraph.AxisItem):
                        item.picture = None
                    item.update()
        for widget in self._app.topLevelWidgets():
            if widget.isVisible():
                widget.repaint()  # at once

    def check(self, after: str) -> None:
        """Compare the screen with the one after a full repaint, and say what differs."""
        shown = self.still()
        self.repaint()
        wanted = self.picture()
        if not np.array_equal(shown, wanted):
            wanted = self.still()
        self._number += 1
        said: dict[str, object] = {"after": after, "pixels": int((shown != wanted).sum())}
        if said["pixels"]:
            where = box(shown, wanted)
            said |= {"box": where.getRect(), "in": self._names(where)}
            for name, pixels in (("shown", shown), ("repainted", wanted)):
                self.save(pixels, f"{self._number:03d}-{name}.png")
        print(json.dumps(said), flush=True)

    def save(self, pixels: np.ndarray, name: str) -> None:
        height, width = pixels.shape
        image = QImage(pixels.tobytes(), width, height, 4 * width, QImage.Format.Format_RGB32)
        image.save(str(self._folder / name))

    def _names(self, where: QRect) -> list[str]:
        """Return the classes of the widgets there, from the innermost outwards."""
        widget, names = self._app.widgetAt(where.center()), []
        while widget is not None:
            names.append(type(widget).__name__)
            widget = widget.parentWidget()
        return names


def box(one: np.ndarray, other: np.ndarray) -> QRect:
    """Return where two pictures differ."""
    rows, columns = np.nonzero(one != other)
    corner = QPoint(int(columns.min()), int(rows.min()))
    return QRect(corner, QPoint(int(columns.max()), int(rows.max())))


# Each of these says after what the screen is to be compared.


def every_tab(drive: Driver, *only: str) -> Iterator[str]:
    for title in only or drive.tabs():
        drive.tab(title)
        drive.still()
        drive.keys("End")
        drive.still()
        drive.keys("Left", "Left", "Left")
        yield f"{title}: stepped"
        for x in range(drive.window.timeline.width(), 0, -90):  # what is spread out draws together
            drive.window.session.scrub(drive.window.timeline.frame_at(x))
            drive.pump(0.02)
        yield f"{title}: scrubbed"


def hidden(drive: Driver) -> Iterator[str]:
    for title in drive.tabs():
        drive.tab(title)
        drive.keys("Home")
        drive.still()
        drive.tab(drive.tabs()[0])
        drive.keys("Right", "Right")
        drive.tab(title)
        yield f"{title}: another tab and back"
    window = drive.window
    above = QWidget()
    above.setGeometry(window.geometry().adjusted(200, 150, -300, -250))
    above.show()
    drive.still()
    drive.keys("Right")
    yield "a window over it"
    above.close()
    yield "the window over it is gone"
    shown = drive.still()
    window.showMinimized()
    drive.until(lambda: drive.differs(shown), "the window gone from the screen")
    gone = drive.picture()
    window.session.step(1)
    drive.pump(0.1)
    window.showNormal()
    drive.until(
        lambda: window.isActiveWindow() and drive.differs(gone), "the window back from its icon"
    )
    yield "minimised and back"


def resized(drive: Driver) -> Iterator[str]:
    start = drive.window.size()
    for number, title in enumerate(drive.tabs()):
        drive.tab(title)
        drive.still()
        for _ in range(3):
            drive.window.resize(drive.window.size() - QSize(70, 40))
            drive.pump(0.03)
        yield f"{title}: smaller"
        drive.window.resize(start)
        if number % 3 == 0:
            yield f"{title}: as large again"
    for name in ("curves", "timeline"):
        dock = drive.window.docks[name]
        for by in (-7, 25, -30):
            grip = QPoint(drive.window.width() // 2, dock.y() - 3)
            drive.drag(grip, grip + QPoint(0, by))
            yield f"the dock of the {name} moved by {by}"


def themed(drive: Driver) -> Iterator[str]:
    for title in drive.tabs():
        drive.tab(title)
        drive.still()
        drive.keys("T")
        yield f"{title}: another theme"
    if len(drive.tabs()) % 2:
        drive.keys("T")
    for title in (drive.tabs()[0], drive.tabs()[-1]):
        drive.tab(title)
        drive.keys("F", "Right")
        yield f"{title}: lecture mode"
        drive.keys("F11")
        yield f"{title}: full screen"
        drive.keys("F11", "F")
        yield f"{title}: neither"


def sheets(drive: Driver) -> Iterator[str]:
    for key in ("F1", "Ctrl+K", "Ctrl+E"):
        drive.keys(key)
        yield f"{key}: open"
        QTest.keyClick(drive.window.focusWidget() or drive.window, Qt.Key.Key_Down)
        close_sheets(drive.window)
        yield f"{key}: closed"
    for title in drive.tabs():
        drive.tab(title)
        drive.still()
        legends = [one for one in drive.window.findChildren(Legend) if one.isVisible()]
        for legend in legends:
            for row in range(legend.shown):
                if row != 4:
                    drive.click(legend, legend.row(row).center())
        if legends:
            yield f"{title}: classes hidden"
            drive.still()
        for legend in legends:
            legend.set_hidden(set())


def held(drive: Driver) -> Iterator[str]:
    drive.tab("Latent")
    drive.until(lambda: drive.window.stage.panels[0].handle.code is not None, "a code")
    drive.still()
    panel = drive.window.stage.panels[0]
    view, viewport = panel.scatter.item.getViewBox(), panel.scatter.plot.viewport()
    for by in (QPoint(61, 43), QPoint(-90, -35), QPoint(37, -60)):
        place = view.mapViewToScene(QPointF(*panel.axes.place(panel.handle.code)))
        start = viewport.mapTo(drive.window, panel.scatter.plot.mapFromScene(place))
        drive.point(start)
        drive.pump(0.03)
        drive.drag(start, start + by)
        yield f"dragged by {by.x()}, {by.y()}"
    drive.point(QPoint(5, 5))
    yield "let go"


def compared(drive: Driver) -> Iterator[str]:
    part = drive.window.findChild(CompareFeature)
    part.choose(drive.window.runs.paths[1])
    for title in drive.tabs():
        drive.tab(title)
        drive.still()
        drive.keys("Home")
        yield f"{title}: two runs"
        drive.keys("D", "Right")
        yield f"{title}: their difference"
        drive.keys("D")
    drive.keys("B", "X", "Y")
    yield "swapped"
    part.leave()
    yield "alone again"


def at_random(drive: Driver, acts: int, seed: int) -> Iterator[str]:
    """Press keys, click, drag, turn the wheel and resize; what opens a form or a menu is closed."""
    draw, window, done = random.Random(seed), drive.window, []
    closer = QTimer(window)
    closer.timeout.connect(lambda: close_sheets(window))
    closer.start(50)
    for number in range(1, acts + 1):
        done.append(random_act(drive, draw))
        drive.pump(draw.choice((0.0, 0.02, 0.05)))
        if number % _GROUP == 0:
            yield f"act {number} of seed {seed}: {', '.join(done)}"
            done = []
    closer.stop()
    closer.deleteLater()


def random_act(drive: Driver, draw: random.Random) -> str:
    """Do something; return what."""
    window, acts = (
        drive.window,
        {"key": 8, "click": 5, "drag": 2, "wheel": 1, "point": 2, "size": 1},
    )
    kind = draw.choices(list(acts), list(acts.values()))[0]
    at, to = (
        QPoint(draw.randrange(window.width()), draw.randrange(window.height())) for _ in range(2)
    )
    if isinstance(window.childAt(at), QPushButton):
        kind = "point"  # as those that stand apart
    if kind == "key":
        commands = [one for one in window.commands if one.objectName() not in APART]
        keys = [key.toString() for one in commands for key in one.shortcuts()]
        key = draw.choice([*keys, *MORE_KEYS])
        drive.keys(key)
        return key
    if kind == "size":
        window.resize(draw.randrange(960, 1440), draw.randrange(600, 880))
        return f"size {window.width()}x{window.height()}"
    if kind == "click":
        drive.click(window, at)
    elif kind == "drag":
        drive.drag(at, to)
    elif kind == "wheel":
        drive.wheel(at, draw.choice((120, -120)))
    else:
        drive.point(at)
    return f"{kind} {at.x()} {at.y()}"


def close_sheets(window: Window) -> None:
    """Close dialogs and menus."""
    popup = QApplication.activePopupWidget()
    if popup is not None:
        popup.close()
    for dialog in window.findChildren(QDialog):
        if dialog.isVisible():
            dialog.reject()


def others(drive: Driver) -> Iterator[str]:
    """Look at the codes of a run without a decoder, and at all of one of signals and videos."""
    for path, tabs in zip(drive.window.runs.paths[1:], (("Latent",), ()), strict=True):
        drive.window.open(path)
        drive.until(lambda path=path: drive.window.session.path == path, "another run")
        drive.still()
        yield from every_tab(drive, *tabs)


def main() -> int:
    folder, theme, acts, seed = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
    faulthandler.enable()
    app = QApplication(sys.argv[:1])
    app.setCursorFlashTime(0)  # a caret does not blink
    runs = [
        write_example(folder / "runs", made, frames)
        for made, frames in (
            (Example(samples=120, frames=8, every_step=True), 8),
            (Example(samples=120, frames=5), 5),
            (Others(), 4),
        )
    ]
    fake = str(Path(__file__).with_name("fake_decoder.py"))
    client.worker_command = lambda path: [
        *(sys.executable, fake, "2", "0"),
        "unable" if path == runs[1] else "good",
    ]
    window = make_window(app, [str(run) for run in runs], theme=theme)
    collect_in_this_thread(window)
    window.resize(LARGE if theme == "light" else SMALL)
    window.show()
    drive = Driver(app, window, folder)
    drive.until(window.isActiveWindow, "a window manager that makes the window active")
    drive.until(lambda: window.session.cursor.frame >= 0 and window.curves.whole, "a frame")
    for name in sys.argv[5:]:
        began = time.monotonic()
        random_acts = (acts, seed) if name == "at_random" else ()
        for after in globals()[name](drive, *random_acts):
            drive.check(f"{name}, {after}")
        print(f"{name}: {time.monotonic() - began:.1f} s", file=sys.stderr)
    window.close()
    window.deleteLater()
    app.processEvents()
    return 0


if __name__ == "__main__":
    sys.exit(main())
