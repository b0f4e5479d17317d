"""Dry run: what would be written or called is said, and nothing comes back."""

import logging

import pytest

from make import pod
from pilotfish.core.effects import Bind, CallPlugin, EvictPod, PatchObject
from pilotfish.framework import Patch
from pilotfish.runtime.dry_run import DryRunExecutor


def test_each_change_is_said_in_a_line(caplog: pytest.LogCaptureFixture) -> None:
    executor = DryRunExecutor(logging.getLogger("dry"))
    caplog.set_level(logging.INFO)
    executor.submit(Bind("uid-a", "default", "a", "n1"))
    executor.submit(EvictPod("uid-b", "default", "b", "making room", 1))
    executor.submit(PatchObject("uid-a", 1, Patch("pods", "a", {}, "default")))
    executor.submit(PatchObject("uid-a", 2, Patch("persistentvolumes", "v", {})))
    executor.submit(CallPlugin("uid-a", 3, "Inventory", "pre_bind", pod("a"), "n1"))
    assert caplog.messages == [
        "would bind default/a -> n1",
        "would evict default/b",
        "would patch pods default/a",
        "would patch persistentvolumes v",
        "would call Inventory.pre_bind for default/a",
    ]
