"""The only place that knows which backend runs: choosing it, tuning it, its hidden random state."""

from ed_core.engine.choice import BACKENDS as BACKENDS
from ed_core.engine.choice import choose_backend as choose_backend
from ed_core.engine.choice import installed_backends as installed_backends
from ed_core.engine.threads import share_processors as share_processors
from ed_core.engine.threads import use_one_thread as use_one_thread
