"""Fixtures of this folder."""

from support.core import *  # noqa: F403
from support.plugins import *  # noqa: F403
