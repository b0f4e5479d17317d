"""The process: puts the parts together, starts them, and ends them in order."""

from __future__ import annotations

import asyncio
import gc
import io
import logging
import os
import random
import socket
import sys
import time
from collections.abc import Iterable, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, nullcontext
from typing import BinaryIO

from pilotfish import __version__
from pilotfish.client import ApiClient, ClusterConfig, ConnectionFailed, always, load_config
from pilotfish.config.settings import SchedulerSettings, settings_of
from pilotfish.config.writing import without_effect
from pilotfish.core.attempt_timer import AttemptTimer
from pilotfish.core.effects import Record
from pilotfish.core.scheduler import Scheduler
from pilotfish.framework.profile import Profile
from pilotfish.plugins.default import default_profile
from pilotfish.plugins.policies import registry_with
from pilotfish.plugins.profiles import make_profiles
from pilotfish.runtime import events, executor, words
from pilotfish.runtime.chance import repeatable
from pilotfish.runtime.dry_run import DryRunExecutor, NoEvents
from pilotfish.runtime.event_loop import LOOP_FACTORY, end_on_signals, first_cause
from pilotfish.runtime.events import EventRecorder
from pilotfish.runtime.executor import ApiExecutor
from pilotfish.runtime.feed import Kind, kinds_for
from pilotfish.runtime.health import Check, HealthServer
from pilotfish.runtime.inbox import Inbox
from pilotfish.runtime.leadership import Leadership
from pilotfish.runtime.lease_guard import (
    DEFAULT_SCHEDULER,
    LEASE,
    refuse_second_default_scheduler,
)
from pilotfish.runtime.logs import configure_logs
from pilotfish.runtime.metrics import Metrics
from pilotfish.runtime.notices import Connection, Notices
from pilotfish.runtime.options import RunOptions
from pilotfish.runtime.permissions import require_permission_to_bind
from pilotfish.runtime.plugin_calls import PluginCalls
from pilotfish.runtime.polling_mode import Polling
from pilotfish.runtime.recording import RecordedScheduler
from pilotfish.runtime.shell import Core, Shell
from pilotfish.runtime.slow_policies import SlowPolicies
from pilotfish.runtime.trouble import Triage
from pilotfish.runtime.unwatched import list_forever
from pilotfish.runtime.watch_mode import watch

LOST_SERVER_SECONDS = 1.0  # between tries to reach a server before anything is listed
CONNECTIONS = executor.IN_FLIGHT + events.IN_FLIGHT + 16  # and the lists and watches
GC_THRESHOLD_AT_START = 100_000  # the first lists are many objects of which none is garbage
GC_THRESHOLDS = (10_000, 20, 20)


class _StoppedError(Exception):
    """Ends the task group: a signal came and everything is in order."""


def run(options: RunOptions) -> None:
    """Run a scheduler until SIGTERM or SIGINT.

    The first signal ends it as soon as the binds in flight are answered, or after the grace time; a
    second one ends the process at once with exit code 1.

    Raises:
        StartError: it cannot start, and waiting would not help.
        ClientError: likewise; a ConfigError mostly.
        LeaseLostError: another replica may work in its place.
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
    async with AsyncExitStack() as clients:
        plain, leadership = None, None
        if options.election is not None and not options.dry_run:
            plain = await clients.enter_async_context(_client(config, metrics))
            rng = random.SystemRandom()
            leadership = Leadership(options.election, plain, log, Notices(log), rng)
        client = await clients.enter_async_context(_client(config, metrics, options, leadership))
        try:
            async with asyncio.TaskGroup() as tasks:
                live = _Live(options, client, log, tasks, record, metrics)
                await live.run(stopping, plain or client, leadership)
                raise _StoppedError
        except BaseExceptionGroup as group:
            cause = first_cause(group)
            if not isinstance(cause, _StoppedError):
                raise cause from group


def _client(
    config: ClusterConfig,
    metrics: Metrics,
    options: RunOptions | None = None,
    leadership: Leadership | None = None,
) -> ApiClient:
    """Make a client; one that is given options is limited by them, and by the leadership."""
    return ApiClient(
        config,
        qps=options.qps if options else 0.0,
        burst=options.burst if options else 0,
        connections=CONNECTIONS,
        user_agent=f"pilotfish/{__version__}",
        observe=metrics.requested,
        may_write=leadership.may_act if leadership else always,
    )


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
            calls = PluginCalls(profiles, self._inbox.put, tasks, client.may_write)
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

    async def run(
        self, stopping: asyncio.Event, plain: ApiClient, leadership: Leadership | None
    ) -> None:
        """Run until `stopping`, then finish what is in flight.

        Args:
            stopping: set when the process is to end.
            plain: for requests that need no leadership.
            leadership: without it nothing is written and nothing decided; None needs none.
        """
        gc.set_threshold(GC_THRESHOLD_AT_START)
        async with self._health(leadership):
            if self._options.health_port:
                self._log.info("health and metrics: %s", self._options.health_url)
            ours = [self._tasks.create_task(self._feed(plain, leadership))]
            if leadership is not None:
                self._shell.stop_deciding()
                ours.append(self._tasks.create_task(self._lead(leadership)))
            self._tasks.create_task(self._shell.run())
            await stopping.wait()
            self._is_stopping = True
            is_settled = await self._stop(ours[0])
            ours[-1].cancel()
            if leadership is not None and is_settled:
                await leadership.release()

    async def _lead(self, leadership: Leadership) -> None:
        def on_lead() -> None:
            self._metrics.leads[leadership.lease] = 1.0
            if not self._is_stopping:
                self._shell.start_deciding()

        self._metrics.leads[leadership.lease] = 0.0
        await leadership.run(on_lead)

    async def _stop(self, feed: asyncio.Task[None]) -> bool:
        """Wait for what is in flight; tell whether nothing is any more."""
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
            return False
        return True

    def _health(self, leadership: Leadership | None) -> AbstractAsyncContextManager[None]:
        address, port = self._options.bind_address, self._options.health_port
        if not port:
            return nullcontext()
        live: dict[str, Check] = {"ping": lambda: ""}
        if leadership is not None:
            live["leaderElection"] = leadership.problem
        ready = live | {
            "sched-handler-sync": lambda: "" if self._is_synced else "the caches are being filled",
            "shutdown": lambda: "the process is stopping" if self._is_stopping else "",
        }
        server = HealthServer(live, ready, lambda: self._metrics.families(self._scheduler))
        return server.serving(address, port)

    def _observe(self, record: Record) -> None:
        self._words.observe(record)
        self._metrics.observe(record)

    async def _feed(self, plain: ApiClient, leadership: Leadership | None) -> None:
        await self._check_the_way(plain, leadership)
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

    async def _check_the_way(self, plain: ApiClient, leadership: Leadership | None) -> None:
        """Find out what would stop every bind, as soon as the API server answers."""
        options = self._options
        if options.dry_run:
            return
        is_default = DEFAULT_SCHEDULER in options.scheduler_names and not options.force
        waits_for_it = leadership is not None and leadership.name == LEASE
        while True:
            try:
                await require_permission_to_bind(plain)
                if is_default and not waits_for_it:
                    await refuse_second_default_scheduler(plain)
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
