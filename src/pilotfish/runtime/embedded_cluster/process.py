"""The process of `pilotfish cluster`: puts the parts together, starts them, ends them in order."""

from __future__ import annotations

import asyncio
import secrets
import shlex
import sys
import time
import urllib.parse
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import msgspec

from pilotfish.apiserver.certificates import make_certificate
from pilotfish.apiserver.listener import allow_connections, listen
from pilotfish.apiserver.server import ApiServer
from pilotfish.cluster.authentication import ADMIN
from pilotfish.cluster.cluster import SECRET_BYTES, Cluster
from pilotfish.cluster.errors import StatusError
from pilotfish.cluster.kubelet.processes import Effect, StartProcess, StopProcess
from pilotfish.cluster.loading import load_objects
from pilotfish.cluster.resources import TABLE
from pilotfish.cluster.settings import ClusterSettings, NodeGroup
from pilotfish.config.types import KubeSchedulerConfiguration
from pilotfish.plugins.policies import Policy
from pilotfish.runtime.chance import repeatable
from pilotfish.runtime.embedded_cluster.clock import ClusterClock, ForwardClock
from pilotfish.runtime.embedded_cluster.files import (
    check_savable,
    read_objects,
    read_settings,
    write_objects,
)
from pilotfish.runtime.embedded_cluster.kubeconfig import (
    Access,
    default_path,
    forget_server,
    merge_kubeconfig,
    remove_kubeconfig,
    server_of,
    user_path,
    write_kubeconfig,
)
from pilotfish.runtime.embedded_cluster.local_processes import LocalProcesses
from pilotfish.runtime.embedded_cluster.place import LOOPBACK, find_place, host_and_port, take
from pilotfish.runtime.embedded_cluster.scheduler import COMMAND, IMAGE, ClusterScheduler
from pilotfish.runtime.event_loop import LOOP_FACTORY, end_on_signals, first_cause
from pilotfish.runtime.lease_guard import DEFAULT_SCHEDULER
from pilotfish.runtime.logs import configure_logs
from pilotfish.runtime.options import RunOptions
from pilotfish.runtime.trouble import StartError

STOP_SECONDS: Final = 3.0  # for local processes, after the first signal
TOKEN_BYTES: Final = 16
ANSWER_SECONDS: Final = 1.0  # for another cluster to show that it runs


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterOptions:
    """What `pilotfish cluster` can be told.

    Attributes:
        nodes: how many nodes there are; None takes those of the config, or of the loaded objects.
        address: where it listens: an IP address, or a name of one.
        port: 0 takes a free one.
        tls_sans: more names and addresses that the certificate is for.
        kubeconfig: where the kubeconfig goes; None is ~/.kube/pilotfish.kubeconfig.
        token: the admin's; empty makes one.
        seed: of names, uids and delays; None takes one by chance.
        local_images: commands of images that are run as processes.
        configuration: how the scheduler decides, complete; None is the default.
        policies: as in RunOptions.
    """

    nodes: int | None = None
    address: str = LOOPBACK
    port: int = 0
    tls_sans: tuple[str, ...] = ()
    kubeconfig: Path | None = None
    merge_kubeconfig: bool = False
    config: Path | None = None
    load: tuple[Path, ...] = ()
    save: Path | None = None
    scheduler: bool = True
    local_images: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    configuration: KubeSchedulerConfiguration | None = None
    policies: tuple[Policy, ...] = ()
    seed: int | None = None
    token: str = ""
    debug: bool = False


def run_cluster(options: ClusterOptions, env: Mapping[str, str]) -> None:
    """Run a cluster until SIGINT, SIGTERM or SIGHUP.

    Raises:
        StartError: it cannot start.
    """
    configure_logs("text", "debug" if options.debug else "warning", sys.stderr)
    allow_connections()
    process = _ClusterProcess(options, env)  # reading may take long, and is interrupted at once
    with asyncio.Runner(loop_factory=LOOP_FACTORY) as runner:
        runner.run(_run(process))


async def _run(process: _ClusterProcess) -> None:
    stopping = asyncio.Event()
    end_on_signals(stopping)
    try:
        await process.run(stopping)
    except BaseExceptionGroup as group:
        raise first_cause(group) from group


class _ClusterProcess:
    """The parts of one running cluster."""

    def __init__(self, options: ClusterOptions, env: Mapping[str, str]) -> None:
        self._options = options
        self._env = env
        self._own_path = options.kubeconfig or default_path(env)
        self._user_path = user_path(env) if options.merge_kubeconfig else None
        self._previous_context = ""
        if options.save:
            check_savable(options.save)
        self._place = find_place(options.address, options.tls_sans)
        self._objects = read_objects(options.load)
        self._token = options.token or secrets.token_hex(TOKEN_BYTES)
        self._seed = secrets.randbits(32) if options.seed is None else options.seed
        self._certificate = make_certificate(self._place.names)
        self._now = ForwardClock(time.time)
        self._cluster = Cluster(
            rng=repeatable(self._seed),
            settings=self._settings(),
            now=self._now(),
            tokens={self._token: ADMIN},
            secret=secrets.token_bytes(SECRET_BYTES),
        )
        self._load()
        self._make_nodes()

    def _settings(self) -> ClusterSettings:
        options = self._options
        settings = read_settings(options.config) if options.config else ClusterSettings()
        groups = settings.node_groups
        if options.nodes is not None:
            groups = (NodeGroup(count=options.nodes),)
        elif options.config is None and any(obj["kind"] == "Node" for obj in self._objects):
            groups = ()
        local = settings.kubelet.local_images | dict(options.local_images) | {IMAGE: COMMAND}
        kubelet = msgspec.structs.replace(settings.kubelet, local_images=local, seed=self._seed)
        root_ca = self._certificate.authority.decode()
        return msgspec.structs.replace(
            settings, node_groups=groups, kubelet=kubelet, root_ca=root_ca
        )

    async def run(self, stopping: asyncio.Event) -> None:
        """Serve until `stopping`."""
        options, cluster, certificate = self._options, self._cluster, self._certificate
        listening = take(self._place, options.port)
        where = host_and_port(self._place.host, listening.getsockname()[1])
        access = Access(f"https://{where}", certificate.authority, self._token)
        api = ApiServer(cluster, self._now, where)
        async with listen(api, listening, certificate.context()):
            await self._check_free(access.server)
            try:
                self._write_access(access)
                await self._serve(api, access.server, stopping)
            finally:
                self._forget_access(access)
        if options.save:
            count = write_objects(options.save, cluster.store, TABLE)
            _say(f"saved {count} objects to {options.save}")

    def _load(self) -> None:
        """Put the objects of files into the cluster.

        Raises:
            StartError: one is refused.
        """
        if not self._objects:
            return
        loaded = load_objects(self._cluster, self._objects, self._now())
        self._objects = []
        if loaded.refused:
            more = f" (and {len(loaded.refused) - 1} more)" if loaded.refused[1:] else ""
            hint = "correct the object; see --load"
            raise StartError(f"--load: {loaded.refused[0]}{more}", hint=hint)
        _say(f"loaded {loaded.count} objects")
        for kind, count in sorted(loaded.unserved.items()):
            _say(f"left out {count} of kind {kind}, which is not served")

    def _make_nodes(self) -> None:
        """Take the first step, before anyone looks.

        Raises:
            StartError: the settings describe nodes that cannot be.
        """
        try:
            self._cluster.step(self._now())
        except StatusError as error:
            hint = "`pilotfish cluster --help` shows an example"
            raise StartError(f"{self._options.config}: {error.message}", hint=hint) from error

    async def _check_free(self, own: str) -> None:
        """See that no other cluster lives by the kubeconfigs that are to be written.

        Raises:
            StartError: one does.
        """
        for path, option in (
            (self._own_path, "name another file with --kubeconfig"),
            (self._user_path, "leave out --merge-kubeconfig"),
        ):
            server = server_of(path) if path else ""
            if server not in ("", own) and await _answers(server):
                hint = f"{option}, or end that cluster"
                raise StartError(f"{path} is of a cluster that runs at {server}", hint=hint)

    def _write_access(self, access: Access) -> None:
        write_kubeconfig(self._own_path, access)
        if self._user_path:
            self._previous_context = merge_kubeconfig(self._user_path, access)
        _say(f"{access.server} is up. In another shell:")
        if not self._user_path:
            _say(f"  export KUBECONFIG={shlex.quote(str(self._own_path.resolve()))}")
        _say("  kubectl get nodes")
        if self._place.elsewhere:
            _say("On other machines, with a copy of the kubeconfig:")
        port = access.server.rpartition(":")[2]
        for host in self._place.elsewhere:
            _say(f"  kubectl --server https://{host_and_port(host, int(port))} get nodes")
        _say("Ctrl-C ends it.")

    def _forget_access(self, access: Access) -> None:
        remove_kubeconfig(self._own_path, access.server)
        if self._user_path:
            forget_server(self._user_path, access.server, self._previous_context)

    def _scheduling(self) -> RunOptions:
        return RunOptions(
            scheduler_name=DEFAULT_SCHEDULER,
            kubeconfig=self._own_path,
            force=True,
            seed=self._seed,
            configuration=self._options.configuration,
            policies=self._options.policies,
        )

    async def _serve(self, api: ApiServer, server: str, stopping: asyncio.Event) -> None:
        cluster = self._cluster
        async with asyncio.TaskGroup() as tasks:
            clock = ClusterClock(cluster, self._now, api.wake_followers)
            processes = LocalProcesses(tasks, clock.report, server, self._env)
            scheduler = ClusterScheduler(cluster, clock.report, self._now)

            def execute(effect: Effect) -> None:
                if isinstance(effect, StartProcess) and effect.argv == COMMAND:
                    scheduler.start(effect)
                    return
                if isinstance(effect, StopProcess):
                    scheduler.stop(effect)
                processes.execute(effect)

            ticking = tasks.create_task(clock.run(execute))
            if self._options.scheduler:
                tasks.create_task(scheduler.run(self._scheduling(), stopping))
            await stopping.wait()
            await processes.close(STOP_SECONDS)
            ticking.cancel()


async def _answers(server: str) -> bool:
    """Say whether anything listens at a URL."""
    try:
        where = urllib.parse.urlsplit(server)
        async with asyncio.timeout(ANSWER_SECONDS):
            _, writer = await asyncio.open_connection(where.hostname, where.port)
    except (OSError, ValueError):
        return False
    writer.close()
    return True


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()
