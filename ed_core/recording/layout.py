"""Layout of a recording: names, schema version, and the header as JSON.

One segment is one HDF5 file that one process wrote:

    attrs["schema"]             version of this layout
    /header                     (bytes,) uint8, the header below as JSON
    /reference/<field>          (samples, ...) the fixed batch that every probe looks at
    /scalars                    (rows, 4 + columns) float64: step, epoch, seconds, a column a scalar
    /curves                     (rows, 20 + 4 * columns) uint8, packed: step <u8, epoch <f4,
                                seconds <f4, a column a curve <f4, CRC <u4; a row a step, or the
                                mean of the steps since the row before
    /probes/<probe>/<array>     (frames, ...) one chunk a frame
    /index                      (frames, 4 + arrays) float64: step, epoch, seconds, a CRC an array
    /event_words                (events, 160) uint8: kind, space, text in UTF-8, filled with zeros
    /events                     (events, 4) float64: step, epoch, seconds, a CRC of all that

A row of the index is written and flushed after its frame, one of `/events` after its words: the row
is the commit. Every byte is under a CRC-32: a row ends with the one of what stands before it, the
header and each field of the reference have theirs as an attribute `sum`, and what lies between is
HDF5's own, which has checksums since its format of version 1.10.

Version 1 has no `/curves`, and no sum but that of a frame and that of an event. Its first segments
have no events either; it is as if nothing had happened.
"""

import json
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from math import isfinite
from typing import Any

import numpy as np

SCHEMA = 2
LARGEST_EXACT = 2**53  # above it, not every whole number is a float64, nor the same in all JSON
MAX_BYTES = 64 * 2**20  # of one frame of an array, of one chunk, of the whole reference batch
TIME_COLUMNS = 3  # step, epoch, seconds since the training began
PRESENT = "_present"  # behind the name of a signal: of the mask that is 1 where a number is there


@dataclass(frozen=True, slots=True)
class ArrayInfo:
    """One array of a probe: the shape of a frame, its dtype and the name of each axis."""

    shape: tuple[int, ...]
    dtype: str
    axes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ProbeInfo:
    """What a probe records: its kind (which chooses the panel), its arrays and its options."""

    name: str
    kind: str
    arrays: Mapping[str, ArrayInfo]
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened once while a run trained.

    Attributes:
        step, epoch, seconds: when.
        kind: `start` (of a resumed run), `checkpoint`, `weights` (changed after the last step),
            `segment` (a write failed), `lost` (frames that never came to the disk), or what was
            asked for by hand: `pause`, `resume`, `save`, `stop`, `weight` or `learning_rate`.
        text: what, for people: `weight of kl 1 -> 4`.
    """

    step: int
    epoch: float
    seconds: float
    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class Header:
    """All that is fixed before the first frame.

    `run` says what trains (model, data, params, seed, backend), `fields` what each field of the
    reference batch is (`kind`, `classes`, ...), `scalars` the columns of the table, `curves` those
    of the table that has a row a step.
    """

    run: Mapping[str, Any]
    fields: Mapping[str, Mapping[str, Any]]
    probes: tuple[ProbeInfo, ...]
    scalars: tuple[str, ...]
    curves: tuple[str, ...] = ()

    def arrays(self) -> Iterator[tuple[str, str, ArrayInfo]]:
        """Yield (probe, array, info) in the order of the CRC columns."""
        for probe in self.probes:
            for name, info in probe.arrays.items():
                yield probe.name, name, info

    def to_json(self) -> bytes:
        """Return the header as UTF-8 JSON."""
        return json.dumps(asdict(self), allow_nan=False).encode()

    @classmethod
    def from_json(cls, text: bytes) -> "Header":
        """Read a header back; raises KeyError, TypeError or ValueError if it is not one."""
        raw = json.loads(text, parse_constant=_finite, parse_float=_finite)
        probes = tuple(
            ProbeInfo(
                str(p["name"]),
                str(p["kind"]),
                {str(name): _array_info(a) for name, a in p["arrays"].items()},
                dict(p["options"]),
            )
            for p in raw["probes"]
        )
        scalars = tuple(str(s) for s in raw["scalars"])
        fields = {str(name): dict(facts) for name, facts in raw["fields"].items()}
        if len({probe.name for probe in probes}) < len(probes):
            raise ValueError("two probes have the same name")
        curves = tuple(str(s) for s in raw.get("curves", ()))
        return cls(dict(raw["run"]), fields, probes, scalars, curves)


def _array_info(raw: Mapping[str, Any]) -> ArrayInfo:
    shape = tuple(int(n) for n in raw["shape"])
    axes = tuple(str(a) for a in raw["axes"])
    if len(shape) != len(axes) or min(shape, default=1) < 1:
        raise ValueError(f"axes {axes} do not fit shape {shape}")
    return ArrayInfo(shape, str(raw["dtype"]), axes)


def _finite(text: str) -> float:
    if not isfinite(float(text)):
        raise ValueError(f"the header holds {text[:20]}")
    return float(text)


def curve_row(columns: int) -> np.dtype:
    """Return the packed type of a row of `/curves` that has so many columns."""
    return np.dtype(
        [
            ("step", "<u8"),
            ("epoch", "<f4"),
            ("seconds", "<f4"),
            ("values", "<f4", (columns,)),
            ("sum", "<u4"),
        ]
    )


def array_path(probe: str, array: str) -> str:
    """Return where an array lies; a slash in a name (a layer's path) becomes a dot."""
    return f"probes/{probe.replace('/', '.')}/{array.replace('/', '.')}"


def one_line(text: object) -> str:
    """Return a text from a file so that it can be shown: one line, printable, 200 characters."""
    words = " ".join(str(text).split())
    return "".join(c if c.isprintable() else "?" for c in words[:200])


def checksum(array: np.ndarray) -> float:
    """Return the CRC-32 of an array's bytes, as it stands in the index."""
    return float(zlib.crc32(np.ascontiguousarray(array).tobytes()))
