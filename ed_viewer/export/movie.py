"""Frames to a GIF (Pillow) or an MP4 (the optional package imageio-ffmpeg)."""

from collections.abc import Iterable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from PySide6.QtGui import QImage

MOVIES = ("gif", "mp4")
MOST_FRAMES = 240  # of a movie; a longer scrub is thinned evenly
_SHORTEST = 2  # hundredths of a second: browsers slow down a GIF that is faster


def lack(kind: str) -> str:
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
