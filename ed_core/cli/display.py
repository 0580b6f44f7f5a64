"""Checks for the display and the libraries of a window; without them Qt aborts the process."""

import ctypes
import os
import socket
import sys
from importlib.util import find_spec
from pathlib import Path

_PLATFORMS = "wayland;xcb"  # that Qt tries unless QT_QPA_PLATFORM names others


def has_display() -> bool:
    """Return whether there are Qt and a display for a window."""
    if not find_spec("PySide6") or not find_spec("pyqtgraph"):
        return False
    return not all(_no_display(name) for name in _PLATFORMS.split(";"))


def missing_window_part() -> str:
    """Return the reason, in a few words, why no window can be opened here; "" if one can."""
    asked = os.environ.get("QT_QPA_PLATFORM") or _PLATFORMS
    names = [name.partition(":")[0] for name in asked.split(";")]
    lacks = [_no_display(name) or _no_library(name) for name in names]
    return "" if "" in lacks else lacks[-1]


def _no_display(platform: str) -> str:
    """Return the reason why a platform of Qt has no display, "" if it has one."""
    if not sys.platform.startswith("linux") or platform not in ("wayland", "xcb"):
        return ""
    variable = "DISPLAY" if platform == "xcb" else "WAYLAND_DISPLAY"
    name = os.environ.get(variable)
    if not name:
        return "there is no display"
    there = _answers_x11() if platform == "xcb" else _answers_wayland(name)
    return "" if there else f"no display answers at {variable}={name}"


def _answers_x11() -> bool:
    try:
        xcb = ctypes.CDLL("libxcb.so.1")
    except OSError:
        return True  # unknown; other missing parts are reported below
    xcb.xcb_connect.restype = ctypes.c_void_p
    connection = ctypes.c_void_p(xcb.xcb_connect(None, None))
    there = not xcb.xcb_connection_has_error(connection)
    xcb.xcb_disconnect(connection)
    return there


def _answers_wayland(name: str) -> bool:
    path = Path(os.environ.get("XDG_RUNTIME_DIR", ""), name)
    with socket.socket(socket.AF_UNIX) as tried:
        try:
            tried.connect(str(path))
        except OSError:
            return False
    return True


def _no_library(platform: str) -> str:
    """Return the message about a system library missing for a platform of Qt, "" if none is."""
    qt = find_spec("PySide6")
    places = qt.submodule_search_locations if qt else None
    file = Path((places or ("",))[0], "Qt", "plugins", "platforms", f"libq{platform}.so")
    if not file.exists():
        return ""  # PySide6 of the system, which comes with its libraries
    try:
        ctypes.CDLL(str(file))
    except OSError as error:
        library = Path(str(error).partition(":")[0]).name
        return f"the window needs {library}: apt install {_package(library)}"
    return ""


def _package(library: str) -> str:
    """Return the Debian package of a library: libxcb-cursor.so.0 is in libxcb-cursor0."""
    name, _, version = library.lower().partition(".so.")
    return f"{name}-{version}" if name[-1:].isdigit() else f"{name}{version}"
