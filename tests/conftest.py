"""What all tests share: the backend, the offscreen window, `--long`, and the real data."""

import gc
import os
import signal
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from ed_core.engine import choose_backend, installed_backends
from ed_core.engine.compile_cache import cache_folder
from ed_core.engine.threads import use_one_thread

# Of the two processes of scripts/test each has a processor. With threads for all of them, PyTorch's
# wait for each other: a training of 6 s took 250 s.
if "PYTEST_XDIST_WORKER" in os.environ:
    use_one_thread()
# Tiny models are compiled for longer than they run: XLA optimises none, and equal steps take the
# compiled code of the first, of an earlier session too (jax only). `XLA_FLAGS= pytest ...` tests
# them as users run them.
os.environ["JAX_COMPILATION_CACHE_DIR"] = str(
    cache_folder("jax-of-tests") or tempfile.mkdtemp(prefix="edkit-jax-")
)
os.environ["JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS"] = "0"
os.environ["JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES"] = "-1"
os.environ.setdefault("XLA_FLAGS", "--xla_backend_optimization_level=0")
# Both are read when Keras and Qt start, which the import of a test module may do.
os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
if installed_backends():
    choose_backend()

# A shell starts what runs in its background (`&`, nohup, cron) with these ignored, and a process
# hands that on to its children: nothing could interrupt a training then.
for _signal in (signal.SIGINT, signal.SIGHUP, signal.SIGTERM):
    if signal.getsignal(_signal) == signal.SIG_IGN:
        signal.signal(
            _signal,
            signal.default_int_handler if _signal == signal.SIGINT else signal.SIG_DFL,
        )

# How fast an example is drawn or run says nothing on a busy machine.
settings.register_profile("edkit", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("edkit")


@pytest.fixture(autouse=True, scope="session")
def settings_of_no_user(tmp_path_factory: pytest.TempPathFactory) -> None:
    """A test, and what it starts, neither reads nor writes the settings of the user's window."""
    os.environ["EDKIT_CONFIG"] = str(tmp_path_factory.mktemp("config"))


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--long", action="store_true", help="run the long form of slow tests")


_WAITING = {
    "child",
    "code_editor",
    "compare_runs",
    "open_window",
    "worker",
    "workers",
}  # fixtures that wait


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark what waits for a process, a thread or a signal: a busy machine may show its faults.

    What is to run `once` is left out on every backend but JAX, where that is installed.
    """
    for item in items:
        if _WAITING & set(getattr(item, "fixturenames", ())):
            item.add_marker("waits")
    if os.environ.get("KERAS_BACKEND", "jax") != "jax" and "jax" in installed_backends():
        left_out = [item for item in items if _is_once(item)]
        items[:] = [item for item in items if not _is_once(item)]
        config.hook.pytest_deselected(items=left_out)


def pytest_collection_finish() -> None:
    """Take what the imports made out of every later garbage collection."""
    gc.collect()
    gc.freeze()


def _is_once(item: pytest.Item) -> bool:
    mark = item.get_closest_marker("once")
    return mark is not None and mark.args != (False,)


@pytest.fixture
def long(request: pytest.FixtureRequest) -> bool:
    """Whether a slow test runs its long form."""
    return bool(request.config.getoption("--long"))


@pytest.fixture(scope="session")
def data_folder() -> Path:
    """The folder of real data sets: EDKIT_DATA, or `shared/data` beside the repository."""
    beside = Path(__file__).parents[2] / "shared" / "data"
    folder = Path(os.environ.get("EDKIT_DATA") or beside)
    if not folder.is_dir():
        pytest.skip(f"no real data in {folder}: set EDKIT_DATA")
    return folder
