"""Fixtures of this folder."""

from support.plugins import *  # noqa: F403, I001  # before core, whose `folder` is a run folder
from support.core import *  # noqa: F403
