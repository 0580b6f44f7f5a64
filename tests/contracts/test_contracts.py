"""Who may import whom: the contracts in pyproject.toml, and the rules they cannot express."""

import ast
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("ed_core", "ed_plugins", "ed_viewer")
BACKENDS = {"jax", "torch", "tensorflow"}
QT = {"PySide6", "pyqtgraph"}

# What a package may import beside the standard library; a package without a line may import all.
ALLOWED = {
    "ed_plugins": [
        "ed_plugins",
        "ed_core",
        "keras",
        "numpy",
        "sklearn",
        "scipy",
        "platformdirs",
        "PIL",
        "pandas",
        "pyarrow",
        "h5py",
        "imagecodecs",
        "tifffile",
        "pillow_heif",  # HEIC, where it is installed
    ],
    "ed_viewer": [
        "ed_viewer",
        "ed_core.cli",  # by `python -m ed_viewer`, see also the contracts
        "ed_core.confusion",
        "ed_core.decoding.wire",
        "ed_core.engine.threads",
        "ed_core.errors",
        "ed_core.labels",
        "ed_core.palette",
        "ed_core.plugins",
        "ed_core.principal_plane",
        "ed_core.recording",
        "numpy",
        "PySide6",
        "shiboken6",  # comes with it
        "pyqtgraph",
        "PIL",  # GIF
        "imageio_ffmpeg",  # MP4, where it is installed
        "threadpoolctl",  # small matrices are the faster for one thread
    ],
}


def imports(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Yield the line and the full name of everything that is imported, at any depth."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield from ((node.lineno, f"{node.module}.{alias.name}") for alias in node.names)


def within(name: str, package: str) -> bool:
    return f"{name}.".startswith(f"{package}.")


def violations(source: str, path: str) -> list[str]:
    """Return what a module at `path`, seen from the repository, imports against the rules."""
    package = path.partition("/")[0]
    in_engine = path.startswith("ed_core/engine/")
    found = []
    for line, name in imports(ast.parse(source)):
        top = name.partition(".")[0]
        allowed = ALLOWED.get(package, [top])
        if (
            (top not in sys.stdlib_module_names and not any(within(name, a) for a in allowed))
            or (top in BACKENDS and not in_engine)
            or within(name, "keras.src")
        ):
            found.append(f"{path}:{line} imports {name}")
    return found


def lint_imports(folder: Path) -> subprocess.CompletedProcess[str]:
    command = "from importlinter.cli import lint_imports_command as run; run()"
    return subprocess.run(
        [sys.executable, "-c", command, "--no-cache"],
        cwd=folder,
        capture_output=True,
        text=True,
        env={"PYTHONPATH": str(folder), "COLUMNS": "200"},
    )


def test_modules_keep_the_rules() -> None:
    modules = [path for package in PACKAGES for path in sorted(ROOT.glob(f"{package}/**/*.py"))]
    found = [
        violation
        for path in modules
        for violation in violations(path.read_text("utf-8"), path.relative_to(ROOT).as_posix())
    ]
    assert not found
    assert {path.relative_to(ROOT).parts[0] for path in modules} == set(PACKAGES)


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("ed_core/nn/losses.py", "import torch"),
        ("ed_core/nn/losses.py", "def f():\n    from jax import numpy"),
        ("ed_core/engine/choice.py", "from keras.src import backend"),
        ("ed_core/nn/losses.py", "from keras import src"),
        ("ed_plugins/models/vae.py", "import polars"),
        ("ed_plugins/models/vae.py", "import ed_viewer.panels.base"),
        ("ed_viewer/app.py", "import h5py"),
        ("ed_viewer/app.py", "from ed_core import Head"),
        ("ed_viewer/app.py", "from ed_core.training.train import train"),
    ],
)
def test_a_module_that_breaks_a_rule_is_found(path: str, source: str) -> None:
    assert len(violations(source, path)) == 1


@pytest.mark.parametrize("package", [*PACKAGES, "scripts"])
def test_a_module_says_what_it_is_by_a_noun_phrase(package: str) -> None:
    wrong = []
    for path in sorted((ROOT / package).rglob("*.py")):
        first, *more = (ast.get_docstring(ast.parse(path.read_text("utf-8"))) or "").split("\n")
        question = first.split(" ")[0] in {"What", "Which", "Where", "How", "Whether"}
        if question or not first.endswith(".") or (more and more[0]):
            wrong.append(f"{path.relative_to(ROOT)}: {first}")
    assert not wrong


def test_contracts_hold() -> None:
    result = lint_imports(ROOT)
    assert result.returncode == 0, result.stdout + result.stderr


def test_every_contract_can_break(tmp_path: Path) -> None:
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    for package in PACKAGES:
        shutil.copytree(ROOT / package, tmp_path / package)
    for module, source in {
        "ed_core/bad.py": "import ed_plugins",
        "ed_core/recording/bad.py": "import keras",
        "ed_viewer/bad.py": "import keras",
        "ed_plugins/bad.py": "import PySide6",
        "ed_core/errors.py": "from ed_core.cli import main",
        "ed_viewer/style/bad.py": "from ed_viewer.widgets import cards",
    }.items():
        (tmp_path / module).write_text(source)
    result = lint_imports(tmp_path)
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    assert set(settings["root_packages"]) == set(PACKAGES)
    for contract in settings["contracts"]:
        assert f"{contract['name']} BROKEN" in result.stdout, result.stdout + result.stderr


@pytest.mark.parametrize(
    ("code", "unwanted"),
    [
        ("import ed_core; ed_core.Head, ed_core.MODELS", {"keras", *BACKENDS, *QT}),
        ("import ed_core.recording, ed_core.plugins.registry", {"keras", *BACKENDS, *QT}),
        ("import ed_core.cli", {"numpy", "h5py", "rich", "keras", *BACKENDS, *QT}),
        (
            "from ed_core.cli import main; main(['--help'])",
            {"numpy", "h5py", "rich", "keras", *BACKENDS, *QT},
        ),
        ("import ed_core", {"numpy", "h5py", "keras", *BACKENDS, *QT}),
        ("import ed_viewer.session.alignment, ed_viewer.session.cursor", {"keras", *QT}),
        pytest.param(
            "import ed_viewer.app", {"keras", "ed_plugins", *BACKENDS}, marks=pytest.mark.viewer
        ),
        (
            "import ed_core; from ed_core.plugins.registry import BROKEN; list(ed_core.MODELS);"
            "assert not BROKEN, BROKEN",
            QT,
        ),
    ],
)
def test_an_import_stays_light(code: str, unwanted: set[str]) -> None:
    tops = "import sys; print(*{name.partition('.')[0] for name in sys.modules})"
    result = subprocess.run(
        [sys.executable, "-c", f"{code}; {tops}"], capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stderr
    assert not unwanted & set(result.stdout.split())


MAKE_FILES = """
import numpy, PIL.Image
numpy.savez("some.npz", image=numpy.zeros((10, 4, 4, 1), "float32"), label=numpy.arange(10) % 2)
open("some.csv", "w").write("a,b\\n" + "1.5,2\\n2.5,3\\n" * 20)
for name in "abcdefghij":
    PIL.Image.new("RGB", (8, 8)).save(f"{name}.png")
"""


@pytest.mark.parametrize(
    "data",
    ["digits", "arrays:some.npz", "folder:.", "table:some.csv", "signals", "land_use:samples=9"],
)
def test_a_data_set_is_loaded_and_read_without_keras(data: str, tmp_path: Path) -> None:
    code = (
        f"{MAKE_FILES}\nimport sys, ed_core\n"
        f"loaded = ed_core.load_data({data!r})\n"
        "for split in loaded.splits.values():\n    [array[:3] for array in split.values()]\n"
        "print(*{name.partition('.')[0] for name in sys.modules})"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=tmp_path
    )
    assert result.returncode == 0, result.stderr
    assert result.stderr == ""
    assert not {"keras", *BACKENDS, *QT} & set(result.stdout.split())
