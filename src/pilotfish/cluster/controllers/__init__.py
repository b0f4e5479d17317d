"""Controllers: they read what changed and write through the API, as users of the cluster do.

Pure: no I/O, no clocks, no randomness.
"""

from pilotfish.cluster.controllers.controllers import Controllers, controllers_of

__all__ = ["Controllers", "controllers_of"]
