"""`python -m ed_viewer [RUN ...]`, which is `edkit view [RUN ...]`."""

import sys

from ed_core.command import main

sys.exit(main(["view", *sys.argv[1:]]))
