"""Files of one field as one array."""

from dataclasses import dataclass

import numpy as np

from ed_core import EdkitError, Findings
from ed_plugins.datasets.folder.check import FieldFiles
from ed_plugins.datasets.folder.images import Images
from ed_plugins.datasets.folder.maps import ClassMaps, ValueMaps


@dataclass(frozen=True, slots=True)
class FieldArray:
    """Files of a field as one array, in their order.

    Args:
        array: of an image (samples, height, width, channels), whole numbers or floats; of classes
            (samples, height, width), -1 for no class; of values (samples, height, width, 1),
            float32, NaN for no value.
        white: the whole number that stands for 1.0 in an image; 0 if the array is not scaled.
        inferred: whether white was inferred from the largest number in all files.
        partial: whether pixels lack a target.
    """

    array: np.ndarray
    white: int
    inferred: bool
    partial: bool


def read_field(field: FieldFiles, findings: Findings) -> FieldArray:
    """Return the files of a field as one array, in their order.

    Args:
        field: the files and their reading options.
        findings: receives what was inferred.

    Raises:
        EdkitError: a file cannot be read, or contradicts the plan.
    """
    readers: dict[str, type[Images | ClassMaps | ValueMaps]] = {
        "image": Images,
        "class": ClassMaps,
        "value": ValueMaps,
    }
    reader = readers[field.plan.kind](field)
    shape = field.shape if field.plan.kind != "class" else field.shape[:2]
    whole = np.empty((len(field.paths), *shape), field.dtype)
    for number, (path, header) in enumerate(zip(field.paths, field.headers, strict=True)):
        array = reader.read(path, header)
        if array.shape != shape:  # header and pixels disagree
            raise EdkitError(f"{str(path)!r}: expected an array {shape}, found {array.shape}.")
        whole[number] = array
    _say_headers(field, findings)
    white = reader.finish(whole, findings)
    return FieldArray(whole, white, reader.inferred, reader.partial)


def _say_headers(field: FieldFiles, findings: Findings) -> None:
    """Report what the headers changed about the files."""
    headers, name, toml = field.headers, field.name, field.toml
    turned = sum(header.orientation > 1 for header in headers)
    if turned and field.plan.upright:
        findings.infer(
            name,
            f"{turned:,} of {len(headers):,} files turned as their orientation says",
            f"upright = false in {toml}",
        )
    previews = sum(header.previews for header in headers)
    findings.leave_out(name, previews, "previews and masks inside of the files")
    if field.plan.page and field.plan.page != "all":
        pages = sum(header.pages - 1 for header in headers)
        every = f'page = "all" in {toml}' if field.plan.kind == "image" else f"page in {toml}"
        findings.leave_out(name, pages, f"pages other than page {field.plan.page}", every)
    if field.plan.bands and field.plan.bands != "all":
        bands = max(h.bands + h.alpha for h in headers) - len(set(field.plan.bands))
        every = f'bands = "all" in {toml}' if field.plan.kind == "image" else f"bands in {toml}"
        findings.leave_out(name, max(0, bands), "bands of each file", every)
    if field.plan.kind == "image" and (inverted := sum(header.inverted for header in headers)):
        findings.infer(name, f"0 is white in {inverted:,} files, as they say")
    converted = {header.converted for header in headers if header.converted}
    if converted:
        count = sum(bool(header.converted) for header in headers)
        findings.infer(
            name, f"{count:,} files of {', '.join(sorted(converted))} read as RGB of 8 bits"
        )
