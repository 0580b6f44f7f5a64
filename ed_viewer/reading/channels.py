"""Conversion of a recording's arrays and fields to channels last."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from ed_core.recording import ArrayInfo, Header, ProbeInfo
from ed_viewer.reading.messages import Arrays

_PLACES = ("time", "height", "width")


def header_channels_last(header: Header) -> Header:
    """Return a header whose arrays and fields have the channels last; itself where they have."""
    probes = tuple(_turned_probe(probe) for probe in header.probes)
    fields = {name: _turned_field(facts) for name, facts in header.fields.items()}
    if probes == header.probes and fields == header.fields:
        return header
    return replace(header, probes=probes, fields=fields)


def arrays_channels_last(arrays: Arrays, header: Header | None, probe: str) -> Arrays:
    """Return the arrays of a probe with the channels last, given the header they came with."""
    info = next((one for one in header.probes if one.name == probe), None) if header else None
    if info is None:
        return arrays
    return {name: _turned(array, info.arrays[name].axes) for name, array in arrays.items()}


def reference_channels_last(reference: Arrays, fields: Mapping[str, Mapping[str, Any]]) -> Arrays:
    """Return the fields of a reference batch, (samples, ...), with the channels last."""
    return {
        name: _turned(array, ("sample", *_axes_of(fields.get(name, {}))))
        for name, array in reference.items()
    }


def _axes_of(facts: Mapping[str, Any]) -> tuple[str, ...]:
    axes = facts.get("axes")
    return tuple(map(str, axes)) if isinstance(axes, list | tuple) else ()


def _order(axes: Sequence[str]) -> list[int]:
    """Return the axes in the order in which the channels come last; [] where they do."""
    at = axes.index("channel") if "channel" in axes else len(axes)
    if not any(axis in _PLACES for axis in axes[at:]):
        return []
    return [number for number in range(len(axes)) if number != at] + [at]


def _turned(array: np.ndarray, axes: Sequence[str]) -> np.ndarray:
    order = _order(axes)
    return array.transpose(order) if order and len(order) == array.ndim else array


def _turned_probe(probe: ProbeInfo) -> ProbeInfo:
    infos = {name: _turned_info(info) for name, info in probe.arrays.items()}
    return replace(probe, arrays=infos) if infos != dict(probe.arrays) else probe


def _turned_info(info: ArrayInfo) -> ArrayInfo:
    order = _order(info.axes)
    if not order:
        return info
    shape, axes = (info.shape[n] for n in order), (info.axes[n] for n in order)
    return replace(info, shape=tuple(shape), axes=tuple(axes))


def _turned_field(facts: Mapping[str, Any]) -> Mapping[str, Any]:
    axes, shape = _axes_of(facts), facts.get("shape")
    order = _order(axes)
    if not order or not isinstance(shape, list | tuple) or len(shape) != len(order):
        return facts
    return {**facts, "shape": [shape[n] for n in order], "axes": [axes[n] for n in order]}
