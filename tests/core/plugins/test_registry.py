"""Plugins come in by one door; a broken one is named and harms no other."""

import contextlib
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from ed_core.errors import EdkitError
from ed_core.plugins import registry
from ed_core.plugins.registry import BROKEN, PLUGIN_FILES, Registry, load_plugin_file

THINGS: "Registry[str]" = Registry("thing", "edkit.test.nobody")


@pytest.fixture
def things() -> Iterator["Registry[str]"]:
    with THINGS.isolated():
        yield THINGS


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder on the path whose modules are forgotten afterwards."""
    monkeypatch.syspath_prepend(str(tmp_path))
    before = set(sys.modules)
    broken, files = dict(BROKEN), list(PLUGIN_FILES)
    yield tmp_path
    for name in set(sys.modules) - before:
        del sys.modules[name]
    BROKEN.clear()
    BROKEN.update(broken)
    PLUGIN_FILES[:] = files


def test_name_is_taken_once(things: "Registry[str]") -> None:
    assert things.add("vae", "first") == "first"
    with pytest.raises(EdkitError, match="thing 'vae' is registered already: choose another name"):
        things.add("vae", "second")
    assert things["vae"] == "first"


def test_unknown_name_lists_the_near_ones(things: "Registry[str]") -> None:
    for name in ("unet", "vae", "conv_vae"):
        things.add(name, name)
    with pytest.raises(EdkitError) as caught:
        things["unte"]
    expected = "unknown thing 'unte'. Did you mean 'unet'? Known: conv_vae, unet, vae."
    assert str(caught.value) == expected
    with pytest.raises(EdkitError, match=r"^unknown thing 'zzz'. Known: conv_vae, unet, vae\.$"):
        things["zzz"]


def test_empty_registry_says_none(things: "Registry[str]") -> None:
    with pytest.raises(EdkitError, match=r"unknown thing 'a'\. Known: none\."):
        things["a"]


def test_it_is_a_sorted_mapping(things: "Registry[str]") -> None:
    for name in ("b", "c", "a"):
        things.add(name, name.upper())
    assert dict(things) == {"a": "A", "b": "B", "c": "C"}
    assert list(things) == ["a", "b", "c"]
    assert len(things) == 3
    assert "a" in things
    assert "d" not in things


def test_isolated_forgets_even_after_an_error() -> None:
    with contextlib.suppress(KeyError), THINGS.isolated():
        THINGS.add("short", "")
        raise KeyError
    assert "short" not in THINGS


def entry_points(folder: Path, group: str, **modules: str) -> None:
    """Make a distribution that names these modules as plugins."""
    info = folder / "faked-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: faked\nVersion: 1.0\n")
    lines = [f"{name} = {module}" for name, module in modules.items()]
    (info / "entry_points.txt").write_text("\n".join([f"[{group}]", *lines]) + "\n")


BREAKS = {
    "syntax": ("def (", "SyntaxError"),
    "imports": ("import no_such_module_here", "ModuleNotFoundError: No module named"),
    "exits": ("import sys; sys.exit('bye')", "SystemExit: bye"),
    "exits_silently": ("raise SystemExit", "SystemExit: no message"),
    "raises": ("raise Exception('two\\nlines')", "Exception: two lines"),
    "shouts": ("raise ValueError('x' * 10_000)", "ValueError: xxx"),
    "asserts": ("assert False", "AssertionError: no message"),
}


def test_broken_plugins_are_named_and_the_others_go_on(folder: Path) -> None:
    group = "edkit.test.broken"
    package = folder / "faked_plugins"
    package.mkdir()
    (package / "__init__.py").write_text("")
    for name, (code, _) in BREAKS.items():
        (package / f"{name}.py").write_text(code)
    (package / "_private.py").write_text("raise Exception('is no plugin')")
    good = "from {} import THINGS\nTHINGS.add('{}', 'good')\n"
    (folder / "faked_things.py").write_text(
        f"from ed_core.plugins.registry import Registry\nTHINGS = Registry('thing', '{group}')\n"
    )
    (package / "a_good.py").write_text(good.format("faked_things", "first"))
    (package / "z_good.py").write_text(good.format("faked_things", "last"))
    (folder / "faked_alone.py").write_text(good.format("faked_things", "alone"))
    entry_points(
        folder, group, a="faked_plugins", b="faked_missing", c="faked_alone", d="faked_alone:attr"
    )
    import faked_things  # type: ignore[import-not-found]

    assert list(faked_things.THINGS) == ["alone", "first", "last"]
    for name, (_, problem) in BREAKS.items():
        said = BROKEN[f"faked_plugins.{name}"]
        assert problem in said
        assert said.isprintable()
        assert len(said) < 300
    assert "No module named 'faked_missing'" in BROKEN["faked_missing"]
    assert "faked_plugins._private" not in BROKEN


def test_a_registry_loads_the_groups_that_hold_its_kind(folder: Path) -> None:
    entry_points(folder, "edkit.test.mine", a="faked_mine", b="faked_both")
    info = folder / "faked-1.0.dist-info" / "entry_points.txt"
    info.write_text(f"{info.read_text()}[edkit.test.both]\nb = faked_both\n")
    info.write_text(f"{info.read_text()}[edkit.test.other]\nc = faked_other\n")
    for name in ("mine", "both", "other"):
        (folder / f"faked_{name}.py").write_text(f"raise Exception('{name}')")
    made: Registry[str] = Registry("thing", "edkit.test.mine", "edkit.test.both")
    assert list(made) == []
    assert BROKEN.pop("faked_mine") == "Exception: mine"
    assert BROKEN.pop("faked_both") == "Exception: both"
    assert "faked_other" not in BROKEN


@pytest.mark.parametrize("first", ["apples", "pears"])
def test_whichever_kind_is_asked_for_first_a_name_means_the_same(
    folder: Path, monkeypatch: pytest.MonkeyPatch, first: str
) -> None:
    """A module of both kinds comes after those of one kind, whoever asks."""
    entry_points(folder, "edkit.test.shared", theirs="faked_theirs")
    info = folder / "faked-1.0.dist-info" / "entry_points.txt"
    fruits: dict[str, Registry[str]] = {}
    asked: list[int] = []
    for kind in ("apples", "pears"):
        group = f"edkit.test.{first}.{kind}"
        fruits[kind] = Registry[str](kind, group, "edkit.test.shared", lambda: asked.append(1))
        monkeypatch.setattr(registry, kind.upper(), fruits[kind], raising=False)
        info.write_text(f"{info.read_text()}[{group}]\nown = faked_{first}_{kind}\n")
        add = f"from ed_core.plugins import registry as r; r.{kind.upper()}.add('red', 'own')"
        (folder / f"faked_{first}_{kind}.py").write_text(add)
    both = "; ".join(f"r.{kind}.add('{{}}', 'theirs')" for kind in ("APPLES", "PEARS"))
    (folder / "faked_theirs.py").write_text(
        "from ed_core.plugins import registry as r\n"
        f"{both.format('green', 'green')}\n{both.format('red', 'red')}\n"
    )
    monkeypatch.setattr(registry, "_loaded", set())
    monkeypatch.setattr(registry, "_sharing", {"edkit.test.shared": [*fruits.values()]})
    monkeypatch.delitem(sys.modules, "faked_theirs", raising=False)
    assert dict(fruits[first]) == {"green": "theirs", "red": "own"}
    for kind in fruits:
        assert dict(fruits[kind]) == {"green": "theirs", "red": "own"}
    assert len(asked) == 2
    assert "'red' is registered already" in BROKEN.pop("faked_theirs")


def test_plugins_are_loaded_once_and_late(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    entry_points(folder, "edkit.test.once", a="faked_once")
    (folder / "faked_once.py").write_text("raise Exception('loaded')")
    made: Registry[str] = Registry("thing", "edkit.test.once")
    assert "faked_once" not in BROKEN
    assert list(made) == []
    assert BROKEN.pop("faked_once") == "Exception: loaded"
    assert list(made) == []
    assert "faked_once" not in BROKEN


def test_plugin_file(
    folder: Path, things: "Registry[str]", monkeypatch: pytest.MonkeyPatch
) -> None:
    file = folder / "mine.py"
    monkeypatch.setattr(registry, "TEST_THINGS", things, raising=False)
    file.write_text(
        "from ed_core.plugins import registry\nregistry.TEST_THINGS.add('mine', 'it')\n"
    )
    load_plugin_file(str(file))
    assert things["mine"] == "it"
    assert PLUGIN_FILES[-1] == str(file.resolve())
    load_plugin_file(str(file))  # a second time is no error
    assert PLUGIN_FILES.count(str(file.resolve())) == 1


@pytest.mark.parametrize("name", BREAKS)
def test_broken_plugin_file_is_named(folder: Path, name: str) -> None:
    code, problem = BREAKS[name]
    file = folder / f"{name}.py"
    file.write_text(code)
    with pytest.raises(EdkitError) as caught:
        load_plugin_file(str(file))
    assert str(caught.value).startswith(f"plugin file {str(file)!r} failed: ")
    assert problem in str(caught.value)
    assert str(caught.value).isprintable()
    assert str(file.resolve()) not in PLUGIN_FILES
    file.write_text("")
    load_plugin_file(str(file))  # mended, it loads


@pytest.mark.parametrize(
    ("name", "problem"), [("none.py", "does not exist"), ("text.txt", "must end in .py")]
)
def test_what_is_no_plugin_file(folder: Path, name: str, problem: str) -> None:
    (folder / "text.txt").write_text("text")
    with pytest.raises(EdkitError, match=problem):
        load_plugin_file(str(folder / name))


def test_heads_and_weights_are_checked_when_a_model_registers() -> None:
    from ed_core import MODELS, Head, model

    def build(fields: object, *, latent: int = 2) -> None: ...

    def loss(target: object, output: object) -> None: ...

    with MODELS.isolated():
        with pytest.raises(ValueError, match="heads of different names"):
            model(data="d", heads=(Head("a", loss), Head("a", loss)))(build)
        with pytest.raises(ValueError, match="heads of different names, has"):
            model(data="d", heads=())(build)
        with pytest.raises(ValueError, match="there is no option 'beta'"):
            model(data="d", heads=(Head("a", loss, weight="beta"),))(build)
        with pytest.raises(ValueError, match="head 'a': there is no head 'b'"):
            model(data="d", heads=(Head("a", loss, after="b"),))(build)
        assert "build" not in MODELS
        model(data="d", heads=(Head("a", loss, weight="latent"),))(build)
        assert MODELS["build"].weights({"latent": 3}) == {"a": 3.0}
