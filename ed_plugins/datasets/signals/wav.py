"""WAV files: header and samples."""

import struct
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from scipy.io import wavfile

from ed_core import EdkitError
from ed_core.data.lazy import Sliced

_PCM, _FLOATS, _EXTENSIBLE = 1, 3, 0xFFFE
_NAMES = {2: "ADPCM", 6: "A-law", 7: "µ-law", 17: "ADPCM", 85: "MP3"}
_UNKNOWN = (0xFFFFFFFF, 0xFFFFFFFE)  # sizes written by programs that stream


@dataclass(frozen=True, slots=True)
class WavHeader:
    """Header of a WAV file.

    Args:
        rate: frames a second.
        channels: numbers of a frame.
        bits: of a number.
        floats: whether the numbers are floats.
        frames: their count.
    """

    rate: int
    channels: int
    bits: int
    floats: bool
    frames: int

    @property
    def depth(self) -> str:
        """The type of the numbers, in words."""
        return f"floats of {self.bits} bits" if self.floats else f"{self.bits} bits"

    @property
    def memory(self) -> int:
        """Largest number of bytes for reading: as stored, and as float32."""
        stored = 4 if self.bits == 24 else self.bits // 8
        return self.frames * self.channels * (stored + 4)


def wav_header(path: Path) -> WavHeader:
    """Return the header of a WAV file after checking that its samples are complete.

    Raises:
        EdkitError: it is no WAV file, damaged, cut off, or compressed by a codec.
    """
    there = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(12)
        if head[:4] not in (b"RIFF", b"RIFX", b"RF64") or head[8:12] != b"WAVE":
            received = "nothing" if not head else f"a file that begins with {head[:4]!r}"
            raise EdkitError(
                f"{str(path)!r}: expected a WAV file, found {received}: give one that a program of "
                "sound has written."
            )
        order = ">" if head[:4] == b"RIFX" else "<"
        stated, long = None, 0
        while len(chunk := file.read(8)) == 8:
            name, size = chunk[:4], struct.unpack(order + "I", chunk[4:])[0]
            if name == b"data" and stated:
                start = file.tell()
                if head[:4] == b"RF64" and size == 0xFFFFFFFF:
                    size = long
                return _checked(path, stated, size, there - start)
            body = file.read(min(size, 64)) if name in (b"fmt ", b"ds64") else b""
            if name == b"ds64" and len(body) >= 16:
                long = struct.unpack(order + "Q", body[8:16])[0]
            if name == b"fmt " and len(body) >= 16:
                stated = struct.unpack(order + "HHIIHH", body[:16])
                if stated[0] == _EXTENSIBLE and len(body) >= 26:
                    stated = (struct.unpack(order + "H", body[24:26])[0], *stated[1:])
            file.seek(size + size % 2 - len(body), 1)
    raise EdkitError(
        f"{str(path)!r}: expected a WAV file with samples, found its header alone: it is cut off "
        "or damaged; copy it again."
    )


def _checked(path: Path, stated: tuple[int, ...], size: int, there: int) -> WavHeader:
    """Return the header after checking its numbers against each other and the file's length."""
    form, channels, rate, _, frame, bits = stated
    if form not in (_PCM, _FLOATS):
        name = _NAMES.get(form, f"format {form}")
        raise EdkitError(
            f"{str(path)!r}: expected whole numbers (PCM) or floats, found {name}: convert it, "
            "such as by ffmpeg -i OLD.wav -c:a pcm_s16le NEW.wav."
        )
    sizes = (32, 64) if form == _FLOATS else (8, 16, 24, 32, 64)
    whole = frame * 8 // max(channels, 1)  # 12 bits are stored in 16
    if not channels or not rate or whole not in sizes or frame * 8 != whole * channels:
        raise EdkitError(
            f"{str(path)!r}: its header says {bits} bits at {rate} Hz, and frames of {frame} bytes "
            f"for channels: {channels}, which is no sound: it is damaged; copy it again."
        )
    if size in _UNKNOWN and size > there:  # written to a pipe
        size = there - there % frame
    if size == there == 0:
        raise EdkitError(f"{str(path)!r}: expected samples, found none: leave it out.")
    if size > there or size < frame or size % frame:
        raise EdkitError(
            f"{str(path)!r}: its header says {size:,} bytes of samples ({frame} a frame), found "
            f"{there:,}: it is cut off or damaged; copy it again."
        )
    return WavHeader(rate, channels, whole, form == _FLOATS, size // frame)


def read_wav(path: Path, header: WavHeader) -> np.ndarray:
    """Return the samples (time, channels) as float32; full scale of whole numbers is 1."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # other chunks, such as a title
            _, samples = wavfile.read(path)
    except Exception as error:  # readers fail on damaged files in many ways
        detail = " ".join(str(error).split())[:120].rstrip(".") or type(error).__name__
        raise EdkitError(
            f"{str(path)!r}: expected {header.frames:,} frames of {header.depth}, which cannot be "
            f"read: it is damaged; copy it again ({detail})."
        ) from error
    return _floats(samples.reshape(-1, header.channels)[: header.frames])


@dataclass(frozen=True, slots=True)
class WavSamples(Sliced):
    """Samples (time, channels) of a WAV file, read when they are sliced.

    Args:
        frames: as stored, (time, channels) whole numbers.
    """

    frames: np.ndarray

    @property
    def dtype(self) -> np.dtype:
        """The type of the numbers that a slice returns."""
        return np.dtype("float32")

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape, (time, channels)."""
        return tuple(self.frames.shape)

    def __getitem__(self, key: Any) -> np.ndarray:
        return _floats(self.frames[key])


def open_wav(path: Path, header: WavHeader) -> WavSamples | None:
    """Return the samples of whole numbers that can be read in pieces, None of others."""
    if header.floats or header.bits == 24:
        return None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # other chunks, such as a title
        try:
            frames = wavfile.read(path, mmap=True)[1]
        except Exception:  # what cannot be read in pieces may be read as a whole
            return None
    return WavSamples(frames.reshape(-1, header.channels)[: header.frames])


def _floats(frames: np.ndarray) -> np.ndarray:
    """Return frames as float32; full scale of whole numbers is 1."""
    kind, bits = frames.dtype.kind, 8 * frames.dtype.itemsize
    floats = frames.astype("float32")
    if kind == "u":
        floats -= 128
    if kind != "f":
        floats /= float(2 ** (bits - 1))
    return floats
