"""The process: puts the parts together, starts them, and ends them in order."""

from __future__ import annotations

import asyncio
import gc
import io
import logging
import os
import random
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Literal

from pilotfish import __version__
from pilotfish.client import ApiClient, ClusterConfig, ConnectionFailed, load_config
from pilotfish.config.settings import SchedulerSettings, settings_of
from pilotfish.config.types import KubeSchedulerConfiguration
from pilotfish.config.writing import without_effect
from pilotfish.core.attempt_timer import AttemptTimer
from pilotfish.core.effects import Record
from pilotfish.core.scheduler import Scheduler
from pilotfish.framework.profile import Profile
from pilotfish.plugins.default import default_profile
from pilotfish.plugins.policies import Policy, registry_with
from pilotfish.plugins.profiles import make_profiles
from pilotfish.runtime import events, executor, words
from pilotfish.runtime.chance import repeatable
from pilotfish.runtime.dry_run import DryRunExecutor, NoEvents
from pilotfish.runtime.events import EventRecorder
from pilotfish.runtime.executor import ApiExecutor
from pilotfish.runtime.feed import Kind, kinds_for
from pilotfish.runtime.health import HealthServer
from pilotfish.runtime.inbox import Inbox
from pilotfish.runtime.lease_guard import DEFAULT_SCHEDULER, refuse_second_default_scheduler
from pilotfish.runtime.logs import configure_logs
from pilotfish.runtime.metrics import Metrics
from pilotfish.runtime.notices import Connection, Notices
from pilotfish.runtime.permissions import require_permission_to_bind
from pilotfish.runtime.plugin_calls import PluginCalls
from pilotfish.runtime.polling_mode import Polling
from pilotfish.runtime.recording import RecordedScheduler
from pilotfish.runtime.shell import Core, Shell
from pilotfish.runtime.slow_policies import SlowPolicies
from pilotfish.runtime.trouble import Triage
from pilotfish.runtime.unwatched import list_forever
from pilotfish.runtime.watch_mode import watch

LOOP_FACTORY: Callable[[], asyncio.AbstractEventLoop] | None = None
try:
    import uvloop
except ImportError:
    pass
else:
    LOOP_FACTORY = uvloop.new_event_loop  # a fifth less time for each request

GRACE_SECONDS = 10.0
INTERVAL_SECONDS = 2.0
LOOPBACK = "127.0.0.1"
LOST_SERVER_SECONDS = 1.0  # between tries to reach a server before anything is listed
CONNECTIONS = executor.IN_FLIGHT + events.IN_FLIGHT + 16  # and the lists and watches
GC_THRESHOLD_AT_START = 100_000  # the first lists are many objects of which none is garbage
GC_THRESHOLDS = (10_000, 20, 20)
STOPPED_AT_ONCE = 1  # the exit code after a second signal


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOptions:
    """What `pilotfish run` can be told.

    Attributes:
        qps: requests a second; 0 is unlimited.
        burst: requests at once after a quiet spell; 0 is one second's worth.
        grace_seconds: for the binds in flight after the first signal.
        record: where the input log goes; None keeps none.
        bind_address: where health and metrics are served; on a port of 0 they are not.
        configuration: the profiles and the settings of the queue, complete; None is one profile,
            the default one, for `scheduler_name`.
        policies: what the configuration may name beside pilotfish's own plugins.
    """

    scheduler_name: str = "my-scheduler"
    mode: words.Mode = "watch"
    interval_seconds: float = INTERVAL_SECONDS
    kubeconfig: Path | None = None
    context: str | None = None
    log_format: Literal["text", "json"] = "text"
    log_level: str = "info"
    dry_run: bool = False
    force: bool = False
    qps: float = 0.0
    burst: int = 0
    seed: int = 0
    grace_seconds: float = GRACE_SECONDS
    record: Path | None = None
    bind_address: str = LOOPBACK
    health_port: int = 0
    debug: bool = False
    configuration: KubeSchedulerConfiguration | None = None
    policies: tuple[Policy, ...] = ()

    @property
    def health_url(self) -> str:
        """Where health and metrics are served."""
        host = f"[{self.bind_address}]" if ":" in self.bind_address else self.bind_address
        return f"http://{host}:{self.health_port}"

    @property
    def scheduler_names(self) -> tuple[str, ...]:
        """Whose pods are placed."""
        if self.configuration is None:
            return (self.scheduler_name,)
        return tuple(profile.scheduler_name for profile in self.configuration.profiles)


class _StoppedError(Exception):
    """Ends the task group: a signal came and everything is in order."""


def run(options: RunOptions) -> None:
    """Run a scheduler until SIGTERM or SIGINT.

    The first signal ends it as soon as the binds in flight are answered, or after the grace time; a
    second one ends the process at once with exit code 1.

    Raises:
        StartError: it cannot start, and waiting would not help.
        ClientError: likewise; a ConfigError mostly.
    """
    config = load_config(options.kubeconfig, options.context, os.environ)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8")  # the words hold an ellipsis, whatever the locale
    log = configure_logs(options.log_format, options.log_level, sys.stdout)
    with (
        options.record.open("wb") if options.record else nullcontext() as record,
        asyncio.Runner(loop_factory=LOOP_FACTORY) as runner,
    ):
        runner.run(_run(options, config, log, record))


async def _run(
    options: RunOptions, config: ClusterConfig, log: logging.Logger, record: BinaryIO | None
) -> None:
    stopping = asyncio.Event()
    end_on_signals(stopping)
    await schedule(options, config, log, stopping, record)


async def schedule(
    options: RunOptions,
    config: ClusterConfig,
    log: logging.Logger,
    stopping: asyncio.Event,
    record: BinaryIO | None = None,
) -> None:
    """Schedule until `stopping`, and until what is in flight then has ended."""
    log.info(words.starting(options.mode, ",".join(options.scheduler_names)))
    if options.configuration is not None:
        for problem in without_effect(options.configuration):
            log.warning("%s has no effect: %s", problem.path, problem.reason)
    metrics = Metrics(config.server, time.monotonic)
    client = ApiClient(
        config,
        qps=options.qps,
        burst=options.burst,
        connections=CONNECTIONS,
        user_agent=f"pilotfish/{__version__}",
        observe=metrics.requested,
    )
    async with client:
        try:
            async with asyncio.TaskGroup() as tasks:
                await _Live(options, client, log, tasks, record, metrics).run(stopping)
                raise _StoppedError
        except BaseExceptionGroup as group:
            cause = first_cause(group)
            if not isinstance(cause, _StoppedError):
                raise cause from group


def first_cause(error: BaseException) -> BaseException:
    """Return what is wrong, out of the groups of the tasks on its way."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


def end_on_signals(stopping: asyncio.Event) -> None:
    """Set `stopping` on the first signal, and end at once on a second one."""

    def on_signal() -> None:
        if stopping.is_set():
            logging.shutdown()
            sys.stderr.write("error: a second signal: ended at once\n")
            sys.stderr.flush()
            os._exit(STOPPED_AT_ONCE)
        stopping.set()

    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, on_signal)


def _profiles(options: RunOptions) -> dict[str, Profile]:
    if options.configuration is None:
        return {options.scheduler_name: default_profile(options.scheduler_name)}
    profiles = make_profiles(options.configuration, registry_with(options.policies))
    return {profile.scheduler_name: profile for profile in profiles}


def _time_policies(
    options: RunOptions, profiles: Mapping[str, Profile], log: logging.Logger
) -> None:
    slow, names = SlowPolicies(log, time.perf_counter), {one.name for one in options.policies}
    for profile in profiles.values() if names else ():
        profile.time_by(slow, names)


def _settings(options: RunOptions) -> SchedulerSettings:
    if options.configuration is None:
        return SchedulerSettings(seed=options.seed)
    return settings_of(options.configuration, options.seed)


def _make_scheduler(
    options: RunOptions, profiles: Mapping[str, Profile], kinds: Iterable[Kind], timer: AttemptTimer
) -> Scheduler:
    return Scheduler(
        profiles,
        _settings(options),
        repeatable(options.seed),
        frozenset(kind.name for kind in kinds),
        timer,
    )


class _Live:
    """The parts of one running scheduler."""

    def __init__(
        self,
        options: RunOptions,
        client: ApiClient,
        log: logging.Logger,
        tasks: asyncio.TaskGroup,
        record: BinaryIO | None,
        metrics: Metrics,
    ) -> None:
        self._options = options
        self._metrics = metrics
        self._is_synced = self._is_stopping = False
        self._client = client
        self._log = log
        self._tasks = tasks
        self._rng = random.SystemRandom()
        notices = Notices(log, debug=options.debug)
        self._connection = Connection(log, client.config.server)
        self._triage = Triage(self._connection, notices, time.monotonic)
        self._inbox = Inbox()
        profiles = _profiles(options)
        self._executor: ApiExecutor | DryRunExecutor
        self._events: EventRecorder | NoEvents
        if options.dry_run:
            self._executor, self._events = DryRunExecutor(log), NoEvents()
        else:
            calls = PluginCalls(profiles, self._inbox.put, tasks)
            self._executor = ApiExecutor(client, calls, self._inbox.put, tasks, notices, self._rng)
            self._events = EventRecorder(
                client,
                tasks,
                notices,
                self._rng,
                host_name=socket.gethostname(),
                clock=time.time,
            )
            tasks.create_task(self._events.sweep_forever())
        self._words = words.Words(log, options.mode)
        _time_policies(options, profiles, log)
        reads = frozenset[str]().union(*(profile.reads for profile in profiles.values()))
        self._kinds = kinds_for(reads)
        self._scheduler = _make_scheduler(options, profiles, self._kinds, metrics)
        core: Core = self._scheduler
        if record is not None:
            core = RecordedScheduler(self._scheduler, record)
        self._shell = Shell(
            core, self._inbox, self._executor, self._events, self._observe, time.monotonic
        )

    async def run(self, stopping: asyncio.Event) -> None:
        """Run until `stopping`, then finish what is in flight."""
        gc.set_threshold(GC_THRESHOLD_AT_START)
        async with self._health():
            if self._options.health_port:
                self._log.info("health and metrics: %s", self._options.health_url)
            self._tasks.create_task(self._shell.run())
            feed = self._tasks.create_task(self._feed())
            await stopping.wait()
            self._is_stopping = True
            await self._stop(feed)

    async def _stop(self, feed: asyncio.Task[None]) -> None:
        feed.cancel()
        self._shell.stop_deciding()
        self._log.info("stopping: %d binds in flight", self._executor.binds)
        try:
            async with asyncio.timeout(self._options.grace_seconds):
                await self._shell.settled()
                await self._events.drained()
        except TimeoutError:
            self._log.warning(
                "the grace time is over: %d binds unanswered, %d Events unwritten",
                self._executor.binds,
                self._events.unwritten,
            )

    def _health(self) -> AbstractAsyncContextManager[None]:
        address, port = self._options.bind_address, self._options.health_port
        if not port:
            return nullcontext()
        live = {"ping": lambda: ""}
        ready = live | {
            "sched-handler-sync": lambda: "" if self._is_synced else "the caches are being filled",
            "shutdown": lambda: "the process is stopping" if self._is_stopping else "",
        }
        server = HealthServer(live, ready, lambda: self._metrics.families(self._scheduler))
        return server.serving(address, port)

    def _observe(self, record: Record) -> None:
        self._words.observe(record)
        self._metrics.observe(record)

    async def _feed(self) -> None:
        await self._check_the_way()
        put, options = self._inbox.put, self._options
        kinds = [kind for kind in self._kinds if kind.is_watchable]
        for kind in self._kinds:
            if not kind.is_watchable:
                self._tasks.create_task(list_forever(self._client, kind, put, self._log))
        if options.mode == "watch":
            await watch(
                self._client, kinds, put, self._log, self._triage, self._rng, self._when_ready
            )
        polling = Polling(
            self._client,
            kinds,
            options.scheduler_names,
            self._shell,
            put,
            self._log,
            self._triage,
            self._rng,
            interval_seconds=options.interval_seconds,
        )
        await polling.run(self._when_ready)

    async def _check_the_way(self) -> None:
        """Find out what would stop every bind, as soon as the API server answers."""
        options = self._options
        if options.dry_run:
            return
        while True:
            try:
                await require_permission_to_bind(self._client)
                if DEFAULT_SCHEDULER in options.scheduler_names and not options.force:
                    await refuse_second_default_scheduler(self._client)
            except ConnectionFailed as error:
                self._connection.lost(error, time.monotonic())
                await asyncio.sleep(LOST_SERVER_SECONDS)
            else:
                return

    def _when_ready(self) -> None:
        self._triage.has_started = True
        self._tasks.create_task(self._settle_memory())

    async def _settle_memory(self) -> None:
        """Take the first lists out of the garbage collector's sight: they stay."""
        await self._shell.caught_up()
        self._is_synced = True
        gc.collect()
        gc.freeze()
        gc.set_threshold(*GC_THRESHOLDS)
