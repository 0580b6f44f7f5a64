"""Fixtures of this folder."""

from support.core import *  # noqa: F403
