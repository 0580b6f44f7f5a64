"""Checks of a folder of images by the headers of its files, before pixels are read."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from ed_core import EdkitError
from ed_core.data.memory import available, check_memory
from ed_plugins.datasets.folder.description import FieldPlan, FolderPlan
from ed_plugins.datasets.folder.files import SampleFiles
from ed_plugins.datasets.folder.pictures import ImageHeader, read_header
from ed_plugins.datasets.folder.pixels import Framing
from ed_plugins.datasets.folder.tiles import TileGrid, grid_of
from ed_plugins.datasets.folder.walk import in_threads

KEPT = 256 * 2**20  # bytes of a data set's numbers that are kept in memory once they are read
_SAME = 0.02  # tolerance of the proportions of two images of one sample


@dataclass(frozen=True, slots=True)
class FieldFiles:
    """The files of one field, in all splits.

    Args:
        name: of the field.
        plan: how they are read.
        paths: of the files, split after split.
        headers: of the files.
        frame: the size that they are brought to.
        toml: the name of the file that describes them.
        grid: the tiles that they are cut into; None where each file is a sample.
    """

    name: str
    plan: FieldPlan
    paths: Sequence[str]
    headers: Sequence[ImageHeader]
    frame: Framing
    toml: str
    grid: TileGrid | None = None

    @property
    def where(self) -> str:
        """Place of the field's options, for messages."""
        return f"[fields.{self.name}] of {self.toml}"

    @property
    def partial(self) -> bool:
        """Whether pixels may lack a target."""
        padded = self.frame.fit == "pad" and bool(self.frame.size) and self.plan.kind != "image"
        return self.plan.partial or (padded and self.plan.fill is None)

    @property
    def shape(self) -> tuple[int, int, int]:
        """(height, width, bands) of the array of each sample: a file, or a tile of one."""
        first = self.headers[0]
        height, width = self.frame.size or first.size(self.plan.upright)
        if self.grid is not None:
            height = width = self.grid.side
        return height, width, 1 if self.plan.kind != "image" else _channels(self.plan, first)

    @property
    def dtype(self) -> np.dtype:
        """The type of the array."""
        if self.plan.kind == "class":
            return np.min_scalar_type(-len(self.plan.classes))
        plan, types = self.plan, {header.dtype for header in self.headers}
        low, high = plan.range or (0, 2**plan.bits - 1 if plan.bits else self.headers[0].white)
        whole = low == 0 and high == int(high) <= 65535
        coarse = self.frame.size and (plan.range or 0 < high < 255)  # averages are not whole
        if plan.kind == "value" or any(one.kind == "f" for one in types) or coarse or not whole:
            return np.dtype("float32")
        return np.dtype("uint8" if types == {np.dtype("uint8")} and high < 256 else "uint16")


def read_headers(plan: FolderPlan, samples: SampleFiles) -> dict[str, FieldFiles]:
    """Return the files of every field with their headers, checked against each other.

    Raises:
        EdkitError: a file is no image; the images of a sample, or the samples, differ in size; a
            field's files differ in kind, or have more pages or bands than one image; or memory is
            too small.
    """
    same: dict[ImageHeader, ImageHeader] = {}
    fields = {}
    for name, entry in plan.pictures.items():
        paths = samples.files[name]
        headers = [same.setdefault(one, one) for one in in_threads(read_header, paths)]
        fields[name] = FieldFiles(name, entry, paths, headers, plan.frame, plan.toml)
    _check_sizes(plan, fields)
    if plan.tile:
        grid = _grid(plan, fields)
        fields = {name: replace(field, grid=grid) for name, field in fields.items()}
    for field in fields.values():
        for path, header in zip(field.paths, field.headers, strict=True):
            check_selection(field, path, header)
        if field.plan.kind == "image":
            _check_alike(field)
    _check_memory(plan, fields)
    return fields


def bytes_of(field: FieldFiles) -> int:
    """Return the bytes of the largest whole image of a field."""
    sizes = [field.frame.size] if field.frame.size else [one.size() for one in field.headers]
    return max(one[0] * one[1] for one in sizes) * field.shape[2] * field.dtype.itemsize


def _grid(plan: FolderPlan, fields: Mapping[str, FieldFiles]) -> TileGrid:
    """Return the tiles of all samples, the same in every field."""
    if plan.overlap >= plan.tile:
        raise EdkitError(
            f"option 'overlap' is less than a tile of {plan.tile} pixels, received {plan.overlap}."
        )
    main = next(iter(fields.values()))
    sizes = [
        (plan.frame.size[0], plan.frame.size[1])
        if plan.frame.size
        else header.size(main.plan.upright)
        for header in main.headers
    ]
    grid = grid_of(sizes, main.paths, plan.tile, plan.overlap)
    tile = sum(field.shape[2] * field.dtype.itemsize for field in fields.values()) * plan.tile**2
    if len(grid) * tile <= KEPT:
        return replace(grid, at_once=len(sizes))
    # Half of what is kept of small data: a few more come in with the last tiles of these.
    sample = sum(bytes_of(field) for field in fields.values())
    return replace(grid, at_once=min(max(1, KEPT // 2 // sample), len(sizes)))


def count_bands(plan: FieldPlan, header: ImageHeader) -> int:
    """Return the number of bands read from a file."""
    if plan.bands and plan.bands != "all":
        return len(plan.bands)
    bands = header.bands + (header.alpha if plan.bands == "all" else 0)
    return bands * (header.pages if plan.page == "all" else 1)


def _channels(plan: FieldPlan, header: ImageHeader) -> int:
    return plan.channels or count_bands(plan, header)


def _check_sizes(plan: FolderPlan, fields: Mapping[str, FieldFiles]) -> None:
    """Raise EdkitError if the images of a sample, or the samples, differ in size.

    If all are resized, the images of a sample need the same proportions only.
    """
    main, *others = fields.values()
    sizes: dict[tuple[int, int], list[str]] = {}
    for number, (path, header) in enumerate(zip(main.paths, main.headers, strict=True)):
        first = header.size(main.plan.upright)
        sizes.setdefault(first, []).append(path)
        for field in others:
            size = field.headers[number].size(field.plan.upright)
            skewed = abs(first[0] * size[1] / (first[1] * size[0]) - 1) > _SAME
            if skewed if plan.frame.size else size != first:
                raise EdkitError(
                    f"{field.paths[number]!r} has {size[0]}x{size[1]} pixels (height x width),"
                    f" but its partner {path!r} has {first[0]}x{first[1]}: expected the same"
                    f"{_turned(main, field, number)}."
                )
    if len(sizes) > 1 and not plan.frame.size and not plan.tile:
        usual, *_, rarest = sorted(sizes.items(), key=lambda pair: -len(pair[1]))
        (height, width), odd = rarest  # the rarest size is most likely wrong
        raise EdkitError(
            f"{odd[0]!r} has {height}x{width} pixels (height x width), expected "
            f"{usual[0][0]}x{usual[0][1]} as {len(usual[1])} others; {len(sizes)} sizes in all. "
            f"{_size_advice(plan, usual[0])}"
        )


def _size_advice(plan: FolderPlan, size: tuple[int, int]) -> str:
    """Return the remedy for images of several sizes."""
    if plan.bare:
        advice = f"Say size={size[0]}x{size[1]}, or another, and perhaps fit=crop or fit=pad"
        return f"{advice}; or tile=256, to cut them into tiles."
    return f"A line size = [HEIGHT, WIDTH] in {str(plan.path)!r} brings all to one."


def _turned(main: FieldFiles, field: FieldFiles, number: int) -> str:
    """Return the remedy if one of two images was wrongly turned by its orientation, else ""."""
    for one in (main, field):
        header = one.headers[number]
        if one.plan.upright and header.size() != header.size(upright=False):
            return (
                f"; {os.path.basename(one.paths[number])!r} is turned as its orientation says, "
                f"which upright = false in {one.where} leaves out"
            )
    return ""


def check_selection(field: FieldFiles, path: str, header: ImageHeader) -> None:
    """Raise EdkitError if a file has several pages or bands and the plan chooses none."""
    plan, where = field.plan, field.where
    every = header.bands + header.alpha
    if not plan.page and header.pages > 1:
        bands = ', or page = "all" for its pages as bands' if plan.kind == "image" else ""
        raise EdkitError(
            f"{path!r}: expected one page, found {header.pages}: say which, such as page = 1"
            f"{bands}, in {where}."
        )
    if isinstance(plan.page, int) and plan.page > header.pages:
        raise EdkitError(
            f"{path!r}: expected page {plan.page}, found {header.pages} page"
            f"{'s' * (header.pages > 1)}: correct page in {where}."
        )
    if plan.page == "all":
        every *= header.pages
    if isinstance(plan.bands, tuple) and max(plan.bands, default=0) > every:
        raise EdkitError(
            f"{path!r}: expected band {max(plan.bands)}, found {every} band"
            f"{'s' * (every > 1)}: correct bands in {where}."
        )
    if plan.kind == "image" and not plan.bands and plan.page != "all" and header.bands > 3:
        raise EdkitError(
            f"{path!r}: expected 1 or 3 bands, found {header.bands}: say which, such as "
            f'bands = [1, 2, 3], or bands = "all", in {where}.'
        )
    if plan.channels and (count := count_bands(plan, header)) not in (1, 3):
        raise EdkitError(
            f"{path!r}: expected 1 or 3 bands to make {plan.channels} of, found {count}: "
            f"leave channels out, or say which bands, such as bands = [1], in {where}."
        )


def _check_alike(field: FieldFiles) -> None:
    """Raise EdkitError if the images of a field differ in channels or in the type of numbers."""
    first, plan = field.headers[0], field.plan
    expected = _channels(plan, first)
    for path, header in zip(field.paths, field.headers, strict=True):
        received, alike = _channels(plan, header), bool(plan.range) or _alike(first, header)
        if received != expected or not alike:
            remedy = "say channels = 3, or 1 for grey" if alike else _to_one_scale(field, header)
            raise EdkitError(
                f"{path!r}: expected {_described(expected, first)} as in "
                f"{os.path.basename(field.paths[0])!r}, found {_described(received, header)}: "
                f"{remedy}."
            )
    if first.dtype == np.uint8 and plan.bits > 8:
        raise EdkitError(
            f"{field.paths[0]!r}: expected bits = {plan.bits}, found 8 bits: leave bits out."
        )
    if first.dtype.kind == "f" and plan.bits:
        raise EdkitError(
            f"{field.paths[0]!r}: expected bits = {plan.bits}, found floats: say "
            f"range = [0, {2**plan.bits - 1}] in {field.where} instead, if that is what is white."
        )


def _alike(one: ImageHeader, other: ImageHeader) -> bool:
    """Return whether the numbers of two files have the same scale."""
    if one.dtype.kind == other.dtype.kind == "f":
        return True
    return (one.dtype, one.white) == (other.dtype, other.white)


def _to_one_scale(field: FieldFiles, header: ImageHeader) -> str:
    """Return the remedy for images of two types."""
    types = [one.dtype for one in (header, field.headers[0]) if one.dtype.kind != "f"]
    high = max(np.iinfo(one).max for one in types)
    same = f"if their numbers mean the same, say range = [0, {high}] in {field.where}"
    return f"save all alike, or, {same}"


def _described(count: int, header: ImageHeader) -> str:
    bits = header.white.bit_length() or 8 * header.dtype.itemsize
    numbers = {"f": "floats", "i": f"{bits} bits with a sign"}.get(
        header.dtype.kind, f"{bits} bits"
    )
    return f"{count} channel{'s' * (count > 1)} of {numbers}"


def _check_memory(plan: FolderPlan, fields: Mapping[str, FieldFiles]) -> None:
    """Raise EdkitError if a sample and the largest file need too much memory."""
    sample = sum(
        int(np.prod(field.shape, dtype="int64")) * field.dtype.itemsize for field in fields.values()
    )
    one = max(_decoding(field, header) for field in fields.values() for header in field.headers)
    main = next(iter(fields.values()))
    height, width, _ = main.shape
    fitting = max(0.0, 0.9 * available() - one) / max(sample, 1)
    size = [max(1, int(length * fitting**0.5)) for length in (height, width)]
    what = f"{str(plan.path)!r}: a sample of {height}x{width} pixels"
    remedy = f"say size = {size} or less in {plan.toml}"
    if one > available():
        remedy = "cut the largest file into tiles"
    check_memory(sample + one, what, remedy)


def _decoding(field: FieldFiles, header: ImageHeader) -> int:
    """Return the temporary bytes that reading a file needs."""
    pixels, bands = header.height * header.width, header.bands + header.alpha
    if header.usual:
        return pixels * 4 * (2 if header.alpha or field.plan.kind != "image" else 1)
    pages = header.pages if field.plan.page == "all" else 1
    return pixels * (bands * pages * header.dtype.itemsize + 4 * bool(field.frame.size))
