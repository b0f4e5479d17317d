"""Objects at rest, every change of them in order, and lists as they were at an earlier version.

Law: it knows objects by storage, namespace and name, and nothing of what kinds mean.
"""

from pilotfish.cluster.store.pages import Page
from pilotfish.cluster.store.store import Snapshot, Store
from pilotfish.cluster.store.watch_log import Change, Cursor

__all__ = ["Change", "Cursor", "Page", "Snapshot", "Store"]
