"""The Python in README.md and CONTRIBUTING.md runs, and the plugins in it keep the contracts."""

import re
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from ed_core import DATASETS, MODELS
from ed_core.registry import load_plugin_file

ROOT = Path(__file__).parents[1]
BLOCK = re.compile(r"^(<!-- not run -->\n+)?```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks(text: str) -> Iterator[tuple[int, str]]:
    """Yield (line, code) for every block; one below `<!-- not run -->` is left out."""
    for block in BLOCK.finditer(text):
        if not block[1]:
            yield text.count("\n", 0, block.start(2)) + 1, block[2]


def parameters() -> list[Any]:
    found = []
    for document in ("README.md", "CONTRIBUTING.md"):
        for line, code in blocks((ROOT / document).read_text("utf-8")):
            name = f"{document.partition('.')[0].lower()}_{line}"
            mark = pytest.mark.viewer if "ed_viewer" in code else pytest.mark.backend
            found.append(pytest.param(code, name, id=name, marks=mark))
    return found


@pytest.mark.parametrize(("code", "name"), parameters())
def test_a_block_runs(
    code: str, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: Any
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("ed_core.registry.PLUGIN_FILES", [])
    file = tmp_path / f"{name}.py"
    file.write_text(code)
    registries: list[Any] = [MODELS, DATASETS]
    use = use_plugins
    if "ed_viewer" in code:
        from ed_viewer.panel import PANELS

        registries, use = [PANELS], use_panels
        request.getfixturevalue("qtbot")
    with ExitStack() as stack:
        for registry in registries:
            stack.enter_context(registry.isolated())
        load_plugin_file(str(file))
        use(sys.modules[f"edkit_plugin_{name}"])


def use_plugins(module: ModuleType) -> None:
    """Check the models, data sets and probes that a block defines."""
    from ed_core import Probe
    from ed_core.run import build
    from ed_core.testing import check_dataset, check_model, check_probe, tiny_arrays

    for name in own(module, MODELS):
        check_model(name)
    for name in own(module, DATASETS):
        check_dataset(name)
    for probe in own_classes(module, Probe):
        fields = DATASETS["digits"].load().fields
        net = build(MODELS["dense_autoencoder"], fields, {})
        check_probe(probe(), net, tiny_arrays(fields))


FRAMES = {"code_spread": {"spread": np.array([0.0, 0.5, 1.5], "float32")}}


def use_panels(module: ModuleType) -> None:
    """Show a frame in each panel that a block defines; `FRAMES` needs one for its kind."""
    from PySide6.QtWidgets import QApplication

    from ed_core.recording import ArrayInfo, ProbeInfo
    from ed_viewer.panel import PANELS, Panel
    from ed_viewer.source import Source
    from ed_viewer.theme import Theme

    kinds = {panel: kind for kind, panel in PANELS.items()}
    for panel in own_classes(module, Panel):
        kind = kinds[panel]
        arrays = {
            name: ArrayInfo(array.shape, str(array.dtype), ("unit",) * array.ndim)
            for name, array in FRAMES[kind].items()
        }
        theme = Theme(QApplication.instance(), "light")
        shown = panel(Source(ProbeInfo(kind, kind, arrays), {}, {}, theme))
        shown.show_frame(FRAMES[kind])
        assert not shown.grab().isNull()
        shown.deleteLater()


def own(module: ModuleType, registry: Any) -> list[str]:
    return [name for name in registry if name in vars(module)]


def own_classes(module: ModuleType, base: type) -> list[Any]:
    return [
        value
        for value in vars(module).values()
        if isinstance(value, type)
        and issubclass(value, base)
        and value.__module__ == module.__name__
    ]


def test_blocks_are_found_unless_they_are_marked() -> None:
    fence = "```python\n{}\n```\n"
    text = "# Title\n\n" + fence.format("a = 1") + "<!-- not run -->\n\n" + fence.format("b = 2")
    assert list(blocks(text)) == [(4, "a = 1\n")]
