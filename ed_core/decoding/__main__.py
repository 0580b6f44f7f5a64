"""`python -m ed_core.decoding RUN`: the process that decodes."""

from ed_core.decoding.worker import main

main()
