"""Movies of frames: GIF (Pillow) or MP4 (the optional package imageio-ffmpeg)."""

import queue
from collections.abc import Callable, Iterable, Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QImage

from ed_core.recording import written_whole
from ed_viewer.event_loop import later
from ed_viewer.export.picture import unused
from ed_viewer.reading.messages import Frame
from ed_viewer.session.session import Session
from ed_viewer.style.text import grouped

MOVIES = ("gif", "mp4")
MOST_FRAMES = 240  # of a movie; a longer scrub is thinned evenly
_SHORTEST = 2  # hundredths of a second: browsers slow down a GIF that is faster
_WAITING = 4  # frames between the window and the encoder
_RETRY = 15  # milliseconds until it is looked again whether there is room, and run B is drawn


def missing_dependency(kind: str) -> str:
    """Return what is missing for a kind of movie, in one line, or ""."""
    if kind == "mp4" and find_spec("imageio_ffmpeg") is None:
        return "MP4 needs the package imageio-ffmpeg: pip install imageio-ffmpeg, or choose GIF."
    return ""


def thinned(first: int, last: int) -> list[int]:
    """Return the frames of a movie: all, or `MOST_FRAMES` with the first and the last."""
    count = min(last - first + 1, MOST_FRAMES)
    return [int(n) for n in np.linspace(first, last, count).round()]


def to_array(image: QImage) -> np.ndarray:
    """Return (height, width, 3) uint8 of an image; both sides even, as MP4 wants them."""
    rgb = image.convertToFormat(QImage.Format.Format_RGB888)
    lines = np.frombuffer(rgb.constBits(), np.uint8).reshape(rgb.height(), rgb.bytesPerLine())
    array = lines[:, : rgb.width() * 3].reshape(rgb.height(), rgb.width(), 3)
    return array[: rgb.height() // 2 * 2, : rgb.width() // 2 * 2].copy()


def write_movie(
    path: Path, kind: str, frames: Iterable[np.ndarray], speed: float, about: str = ""
) -> None:
    """Write a movie; at least one frame is needed.

    Args:
        path: the file; its name does not matter.
        kind: one of `MOVIES`.
        frames: (height, width, 3) uint8 each, taken one at a time.
        speed: frames a second.
        about: kept in the file as a comment.
    """
    (_write_gif if kind == "gif" else _write_mp4)(path, iter(frames), speed, about)


def _write_gif(path: Path, frames: Iterator[np.ndarray], speed: float, about: str) -> None:
    from PIL import Image

    def quantised() -> Iterator[Any]:
        for frame in frames:
            # A palette a frame: the class colours and the greys of the images fit together.
            yield Image.fromarray(frame).quantize(256, dither=Image.Dither.NONE)

    pictures = quantised()
    first = next(pictures)
    pause = max(round(100 / speed), _SHORTEST) * 10
    with open(path, "wb") as file:
        first.save(
            file, format="GIF", save_all=True, append_images=pictures, duration=pause, loop=0,
            comment=about.encode(),
        )  # fmt: skip


def _write_mp4(path: Path, frames: Iterator[np.ndarray], speed: float, about: str) -> None:
    import imageio_ffmpeg

    first = next(frames)
    height, width = first.shape[:2]
    writer = imageio_ffmpeg.write_frames(
        str(path), (width, height), fps=speed, quality=8, macro_block_size=2,
        output_params=["-f", "mp4", "-metadata", f"comment={about}"],
    )  # fmt: skip
    writer.send(None)
    try:
        writer.send(first.tobytes())
        for frame in frames:
            writer.send(frame.tobytes())
    finally:
        writer.close()


class StoppedError(Exception):
    """The movie was given up before its last frame; its file is not made."""


class ScrubMovie(QObject):
    """Walks through frames of the session and hands a picture of each to `write`.

    It walks twice: after the first time, axes that become no smaller are wide enough for all.

    Whoever moves the cursor meanwhile, or opens another run, stops it.

    Args:
        session: whose cursor walks.
        grab: returns the picture of what is drawn now.
        frames: to walk through.
        ready: whether what belongs to the frame of the session is drawn as well.

    Signals:
        progress: how it goes, in words.
        ended: nothing will be drawn any more.
    """

    progress = Signal(str)
    ended = Signal()

    def __init__(
        self,
        session: Session,
        grab: Callable[[], QImage],
        frames: Sequence[int],
        ready: Callable[[], bool],
        parent: QObject,
    ) -> None:
        super().__init__(parent)
        self._session, self._grab, self._ready = session, grab, ready
        self._count = len(frames)
        self._frames = [*frames, *frames]
        self._place = 0
        self._pictures: queue.Queue[np.ndarray] = queue.Queue(_WAITING)
        self._stopped = self._walking = self._taking = self._over = False
        session.drawn.connect(self._on_drawn)
        session.moved.connect(self._on_moved)
        session.opened.connect(self.stop)

    def start(self) -> None:
        """Draw the first frame; the others follow."""
        self._walking = True
        self._session.step(0)  # pauses
        self._walk()

    def stop(self, _: object = None) -> None:
        """Give up."""
        self._stopped = True
        self._finish()

    @property
    def complete(self) -> bool:
        """Whether all frames have been drawn."""
        return self._place == len(self._frames)

    def write(self, path: Path, kind: str, speed: float, about: str) -> str:
        """Encode what comes, on another thread; returns what there is to say."""
        try:
            free = unused(path)
            with written_whole(free) as part:
                write_movie(part, kind, self._received(), speed, about)
        except StoppedError:
            return "Animation stopped: nothing was written"
        finally:
            self._stopped = True  # after a failed write no picture is taken from the queue
        return f"Exported {free.name} to {free.parent}"

    def _walk(self) -> None:
        self._walking = True
        self._session.scrub(self._frames[self._place])
        self._walking = False

    def _on_moved(self) -> None:
        if not self._walking and self._session.cursor.frame != self._frames[self._place]:
            self.stop()

    def _on_drawn(self, frame: Frame) -> None:
        if not self._taking and frame.request.frame == self._frames[self._place]:
            self._taking = True
            later(self, self._take)

    def _take(self) -> None:
        if self._stopped:
            self._finish()
            return
        if self._pictures.full() or not self._ready():
            later(self, self._take, _RETRY)
            return
        looks = self._place < self._count
        if not looks:
            self._pictures.put(to_array(self._grab()))
        self._taking = False
        self._place += 1
        done = self._place if looks else self._place - self._count
        doing = "Animation: reading frame" if looks else "Animation: drawing frame"
        self.progress.emit(f"{doing} {grouped(done)} of {grouped(self._count)}")
        if self.complete:
            self._finish()
        else:
            self._walk()

    def _finish(self) -> None:
        if self._over:
            return
        self._over = True
        self._session.drawn.disconnect(self._on_drawn)
        self._session.moved.disconnect(self._on_moved)
        self._session.opened.disconnect(self.stop)
        self.ended.emit()

    def _received(self) -> Iterator[np.ndarray]:
        taken = 0
        while taken < self._count:
            try:
                picture = self._pictures.get(timeout=0.1)
            except queue.Empty:
                if self._stopped:
                    raise StoppedError from None
                continue
            taken += 1
            yield picture
