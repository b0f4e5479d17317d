"""A recorded run repeats byte for byte, in another process too, whatever its hashes are."""

import hashlib
import os
import random
import subprocess
import sys
from pathlib import Path

from dialogue import KINDS, NAME
from make import node, pod
from pilotfish.config.settings import SchedulerSettings
from pilotfish.core.inputs import Replaced
from pilotfish.core.log import Call, DecideCall, HandleCall, encode_call, encode_effects, replay
from pilotfish.core.scheduler import Scheduler
from pilotfish.plugins.default import default_profile

REPLAY = """
import hashlib, random, sys
from pilotfish.config.settings import SchedulerSettings
from pilotfish.core.log import decode_call, encode_effects, replay
from pilotfish.core.scheduler import Scheduler
from pilotfish.plugins.default import default_profile

profiles = {"my-scheduler": default_profile("my-scheduler")}
kinds = frozenset({"pods", "nodes"})
scheduler = Scheduler(profiles, SchedulerSettings(), random.Random(0), kinds)
digest = hashlib.sha256()
for line in sys.stdin.buffer:
    digest.update(encode_effects(replay(decode_call(line), scheduler)))
print(digest.hexdigest())
"""


def recorded_calls() -> list[Call]:
    """Make a run with ties of nodes, and of pods that one list wakes for different reasons."""
    small = tuple(node(f"n{i}", cpu="1", taints=["x:NoSchedule"]) for i in range(12))
    large = tuple(node(f"n{i}", cpu="9", labels={"disk": "ssd"}) for i in range(12))
    fussy = [pod(f"fussy-{i}", node_selector={"disk": "ssd"}, tolerations=[":"]) for i in range(9)]
    big = [pod(f"big-{i}", cpu="2", tolerations=[":"]) for i in range(9)]
    plain = [pod(f"plain-{i}") for i in range(9)]
    calls: list[Call] = [HandleCall(0.0, Replaced("pods", (*fussy, *big, *plain)))]
    for number, nodes in enumerate((small, large)):
        calls += [HandleCall(9.0 * number, Replaced("nodes", nodes))]
        calls += [DecideCall(9.0 * number, 100)]
    return calls


def test_replay_in_other_processes_gives_the_same_effects(tmp_path: Path) -> None:
    calls = recorded_calls()
    rng = random.Random(0)  # ties are no secret
    scheduler = Scheduler({NAME: default_profile(NAME)}, SchedulerSettings(), rng, KINDS)
    digest = hashlib.sha256()
    for call in calls:
        digest.update(encode_effects(replay(call, scheduler)))
    log = b"\n".join(encode_call(call) for call in calls)
    for hash_seed in ("1", "2"):
        run = subprocess.run(
            [sys.executable, "-c", REPLAY],
            input=log,
            env={**os.environ, "PYTHONHASHSEED": hash_seed},
            cwd=tmp_path,
            capture_output=True,
            check=True,
        )
        assert run.stdout.decode().strip() == digest.hexdigest()
