"""Documents: their Python runs, their commands exist, every public name has its entry."""

import importlib
import inspect
import re
import shlex
import sys
import tomllib
from collections.abc import Iterator
from contextlib import ExitStack
from itertools import pairwise
from pathlib import Path
from types import ModuleType
from typing import Any

import click
import numpy as np
import pytest

import ed_core
import ed_viewer
from ed_core import DATASETS, MODELS, load_data, load_plugin_file

ROOT = Path(__file__).parents[2]
TOP = ("README.md", "CONTRIBUTING.md", "SECURITY.md")
PAGES = [*(ROOT / name for name in TOP), *sorted((ROOT / "docs").glob("*.md"))]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
ON_EVERY_BACKEND = {"README", "write_a_model", "write_a_panel"}
BLOCK = re.compile(r"^(<!-- not run -->\n+)?```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks(text: str, language: str) -> Iterator[tuple[int, str]]:
    """Yield (line, code) for every block; one below `<!-- not run -->` is left out."""
    for block in BLOCK.finditer(text):
        if not block[1] and block[2] == language:
            yield text.count("\n", 0, block.start(3)) + 1, block[3]


def script(text: str) -> str:
    """Return the Python of a page as one program, each line where it is in the page, short runs."""
    lines: list[str] = []
    for line, code in blocks(text, "python"):
        lines += [""] * (line - 1 - len(lines)) + code.splitlines()
    return re.sub(r"\bepochs=\d+", "epochs=1", "\n".join(lines) + "\n") if lines else ""


def pages_with_python() -> list[Any]:
    """Return each page as a parameter, marked by what its Python needs."""
    found = []
    for page in PAGES:
        if code := script(page.read_text("utf-8")):
            name = page.stem.replace("-", "_")
            marks = [pytest.mark.viewer if "ed_viewer" in code else pytest.mark.backend]
            marks += [] if name in ON_EVERY_BACKEND else [pytest.mark.once]
            found.append(pytest.param(code, name, id=page.stem, marks=marks))
    return found


@pytest.mark.parametrize(("code", "name"), pages_with_python())
def test_the_python_of_a_page_runs(
    code: str, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: Any
) -> None:
    monkeypatch.chdir(tmp_path)
    file = tmp_path / f"{name}.py"
    file.write_text(code, "utf-8")
    registries: list[Any] = [MODELS, DATASETS]
    use = use_plugins
    if "ed_viewer" in code:
        registries, use = [vars(inspect.getmodule(ed_viewer.Panel))["PANELS"]], use_panels
        request.getfixturevalue("qtbot")
    with ExitStack() as stack:
        for registry in registries:
            stack.enter_context(registry.isolated())
        load_plugin_file(str(file))
        use(sys.modules[f"edkit_plugin_{name}"], code)


def use_plugins(module: ModuleType, code: str) -> None:
    """Check the models, data sets and probes that a page defines and does not check itself."""
    from ed_core import Probe
    from ed_core.testing import check_dataset, check_model, check_probe, tiny_arrays

    checked = re.findall(r'check_\w+\("(\w+)"\)', code)
    for name in own(module, MODELS, checked):
        check_model(name)
    for name in own(module, DATASETS, checked):
        check_dataset(name)
    for probe in own_classes(module, Probe):
        fields = load_data("digits").fields
        net = MODELS["dense_autoencoder"].builder(fields)
        check_probe(probe(), net, tiny_arrays(fields))


FRAMES = {"code_spread": {"spread": np.array([0.0, 0.5, 1.5], "float32")}}


def use_panels(module: ModuleType, code: str) -> None:
    """Show a frame in each panel that a page defines; `FRAMES` needs one for its kind."""
    from PySide6.QtWidgets import QApplication

    from ed_core.recording import ArrayInfo, ProbeInfo
    from ed_viewer import Panel, PanelContext, Theme

    panels = vars(inspect.getmodule(Panel))["PANELS"]
    kinds = {panel: kind for kind, panel in panels.items()}
    for panel in own_classes(module, Panel):
        kind = kinds[panel]
        arrays = {
            name: ArrayInfo(array.shape, str(array.dtype), ("unit",) * array.ndim)
            for name, array in FRAMES[kind].items()
        }
        theme = Theme(QApplication.instance(), "light")
        shown = panel(PanelContext(ProbeInfo(kind, kind, arrays), {}, {}, theme))
        shown.show_frame(FRAMES[kind])
        assert not shown.grab().isNull()
        shown.deleteLater()


def own(module: ModuleType, registry: Any, checked: list[str]) -> list[str]:
    here = [n for n, v in vars(module).items() if getattr(v, "__module__", "") == module.__name__]
    return [name for name in registry if name in here and name not in checked]


def own_classes(module: ModuleType, base: type) -> list[Any]:
    return [
        value
        for value in vars(module).values()
        if isinstance(value, type)
        and issubclass(value, base)
        and value.__module__ == module.__name__
    ]


PLACES = {"COMMAND": "list", "DATA": "digits", "MODEL": "vae"}
FOLDERS = {"photos", "FOLDER"}  # of a reader, which `edkit data` takes without a name before them
SPAN = re.compile(r"`((?:[A-Z_]+=\S+ )?(?:edkit|python|(?:\S+/)?pytest|scripts/\w+)\s[^`]+)`")
FIRST_WORDS = {"cd", "git", "source", "export"}  # of lines that only a shell can try


WRONG = (
    "edkit train vae --betta 4",
    "edkit train vaes",
    "edkit train unet --weight image=1",
    "edkit data folder:my.toml,page=1",
    "edkit list data mnits",
    "edkit train my_vae --plugin yours.py",
    "python scripts/none.py",
    "scripts/test --lang",
    "pip install '.[jaxx]'",
    "pytest tests/none.py",
    "edkti view",
)


def command_lines(text: str) -> list[str]:
    """Return the command lines of a page, in its blocks and in its sentences."""
    found = [line for _, code in blocks(text, "sh") for line in joined(code)]
    for _, code in blocks(text, "console"):
        found += [line.removeprefix("$ ") for line in joined(code) if line.startswith("$ ")]
    return found + [" ".join(span.split()) for span in SPAN.findall(BLOCK.sub("", text))]


def joined(code: str) -> list[str]:
    """Return lines of a shell, those joined that end in a backslash."""
    lines = code.replace("\\\n", " ").splitlines()
    return [line for line in lines if line.strip() and not line.startswith("#")]


@pytest.mark.backend
@pytest.mark.once
def test_every_command_line_is_one_that_there_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Options, models, heads, data sets and their options exist; nothing is trained."""
    called: list[click.Context] = []
    monkeypatch.setattr(click.Command, "invoke", lambda self, ctx: called.append(ctx))
    monkeypatch.chdir(tmp_path)
    for page in PAGES:
        for _, code in blocks(page.read_text("utf-8"), "python"):
            if name := re.match(r"# (\w+\.py)\n", code):
                (tmp_path / name[1]).write_text(code, "utf-8")
    wrong = []
    for page in PAGES:
        for line in command_lines(page.read_text("utf-8")):
            if reason := fault(line, called):
                wrong.append(f"{page.name}: {line}: {reason}")
    assert not wrong, "\n".join(wrong)
    assert len(called) > 100, "command lines are no longer found"
    assert [line for line in WRONG if not fault(line, called)] == []


def fault(line: str, called: list[click.Context]) -> str:
    """Return what is wrong with a command line, "" for nothing."""
    words = shlex.split(line, comments=True)
    while re.match(r"[A-Z_]+=", words[0]):
        words = words[1:]
    program, *rest = [word for word in words if word not in ("...", "[...]")]
    if program == "edkit":
        return command_fault(rest, called)
    if program == "pip":
        extras = re.findall(r"\w+", rest[-1].partition("[")[2])
        return "" if {*extras} <= {*PROJECT["optional-dependencies"]} else f"no extra {extras}"
    if program == "python" and rest[:1] != ["-m"]:
        program, *rest = rest
    elif program in FIRST_WORDS or program.endswith(("python", "pytest")):
        files = [word for word in rest if word.startswith("tests/")]
        return ", ".join(f"no {file}" for file in files if not (ROOT / file).exists())
    path = ROOT / program
    if "/" not in program or not path.is_file():
        return "no such program"
    source = "".join(part.read_text("utf-8") for part in path.parent.glob(f"{path.stem}*"))
    there = re.findall(r'--[a-z][\w-]*|"\w+"', source)
    flags = [word for word in rest if word.startswith("--")]
    return ", ".join(f"no {one}" for one in flags if not {one, f'"{one[2:]}"'} & {*there})


def command_fault(words: list[str], called: list[click.Context]) -> str:
    """Return why `edkit` would refuse its arguments, "" where it would not."""
    entry = PROJECT["scripts"]["edkit"].split(":")
    cli = importlib.import_module(entry[0]).cli
    words = [PLACES.get(word, word) for word in words]
    if {"--help", "--version"} & {*words}:
        words = [word for word in words if word not in ("--help", "--version")]
    before = len(called)
    with MODELS.isolated(), DATASETS.isolated():
        try:
            for flag, file in pairwise(words):
                if flag == "--plugin" and Path(file).stem not in MODELS:
                    load_if_models(file)
            cli.main(words, prog_name="edkit", standalone_mode=False)
            for ctx in called[before:]:
                check_names(ctx)
        except click.exceptions.NoArgsIsHelpError:
            return ""
        except (click.ClickException, ed_core.EdkitError) as error:
            return str(getattr(error, "message", error))
    return ""


def load_if_models(file: str) -> None:
    """Load a plugin file of a page, unless it holds panels, which are not looked for here."""
    if not Path(file).is_file():
        raise ed_core.EdkitError(f"no page has a block that begins with # {file}")
    if "ed_viewer" not in Path(file).read_text("utf-8"):
        load_plugin_file(file)


def check_names(ctx: click.Context) -> None:
    """Check the data set, the heads and the listed names of a command that was parsed."""
    given = ctx.params
    settle_data = vars(inspect.getmodule(load_data))["settle_data"]
    data = given.get("data")
    if data and not (ctx.command.name == "data" and data in FOLDERS):
        settle_data(data)
    if ctx.command.name in MODELS:
        heads = {head.name for head in MODELS[ctx.command.name].heads}
        for option in ("weights", "labels", "oversample", "class_weights"):
            for pair in given.get(option) or ():
                if pair.partition("=")[0] not in {*heads, "HEAD"}:
                    raise ed_core.EdkitError(f"no head {pair!r}, but {heads}")
    if ctx.command.name == "list" and given.get("name"):
        {"models": MODELS, "data": DATASETS}[given["kind"]][given["name"]]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_block_is_of_a_language_that_is_checked(page: Path) -> None:
    text = page.read_text("utf-8")
    languages = {block[2] for block in BLOCK.finditer(text)}
    assert languages <= {"python", "sh", "console", "toml", "text"}
    assert text.count("\n```") == 2 * len(BLOCK.findall(text)) + text.startswith("```")
    for _, code in blocks(text, "toml"):
        tomllib.loads(code)


def test_every_public_name_has_its_entry() -> None:
    text = (ROOT / "docs" / "reference.md").read_text("utf-8")
    names = re.findall(r"^::: (\S+)$", text, re.MULTILINE)
    faces = [f"ed_core.{name}" for name in ed_core.__all__]
    faces += [f"ed_viewer.{name}" for name in ed_viewer.__all__]
    assert sorted(names) == sorted([*faces, "ed_core.testing"])


@pytest.mark.backend
@pytest.mark.once
def test_an_entry_is_of_what_the_name_stands_for() -> None:
    """The pages find names without running the code; a module may be called like a function."""
    griffe = pytest.importorskip("griffe", reason="pip install -e '.[docs]'")
    package = griffe.load("ed_core", search_paths=[ROOT])
    for name in ed_core.__all__:
        value, found = getattr(ed_core, name), package[name]
        path = found.final_target.path if found.is_alias else found.path
        if inspect.ismodule(value):
            assert path == value.__name__
        elif inspect.isclass(value) or inspect.isfunction(value):
            assert path == f"{value.__module__}.{value.__qualname__}"


def test_the_readme_is_short_and_its_links_lead_somewhere() -> None:
    text = (ROOT / "README.md").read_text("utf-8")
    assert len(text.splitlines()) <= 150
    assert len(text.split()) <= 1000
    links = re.findall(r"\]\(([^)#]+)", text)
    assert len(links) > 10
    assert [link for link in links if not (ROOT / link).is_file()] == []


@pytest.mark.parametrize(
    ("html", "good"),
    [
        ('<img src="images/vae-latent.png">', True),
        ('<a href="https://keras.io">', True),
        ('<link rel="canonical" href="http://127.0.0.1:8000/">', True),
        ('<link rel="stylesheet" href="https://fonts.googleapis.com/css">', False),
        ("<script async src=//cdn.example.org/a.js>", False),
        ('<img alt="a > b" src="http://example.org/badge.svg">', False),
    ],
)
def test_a_page_loads_nothing_from_another_server(
    html: str, good: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("mkdocs", reason="pip install -e '.[docs]'")
    monkeypatch.syspath_prepend(ROOT / "scripts")
    hooks = importlib.import_module("docs_hooks")
    page = type("Page", (), {"file": type("File", (), {"src_uri": "a.md"})})
    if good:
        assert hooks.on_post_page(html, page) == html
    else:
        with pytest.raises(Exception, match=r"^a\.md loads from another server"):
            hooks.on_post_page(html, page)


def test_blocks_are_found_unless_they_are_marked() -> None:
    fence = "```python\n{}\n```\n"
    text = "# Title\n\n" + fence.format("a = 1") + "<!-- not run -->\n\n" + fence.format("b = 2")
    assert list(blocks(text, "python")) == [(4, "a = 1\n")]
    assert script(text + fence.format("train(epochs=30)")) == "\n\n\na = 1" + "\n" * 8 + (
        "train(epochs=1)\n"
    )
