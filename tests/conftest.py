"""Fixtures and rules for all tests: the real control plane, and no sockets in unit tests."""

import itertools
import os
import signal
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

import pytest
from hypothesis import HealthCheck, settings

from controlplane import ControlPlane, missing_binaries

SLOW_TEST_SECONDS = 300.0  # processes or hundreds of examples, on a busy machine
HERE = Path(__file__).parent
UNIT = HERE / "unit"
WITHOUT_SOCKETS = (UNIT, HERE / "property")
WITH_WAITS = (HERE / "process", HERE / "scenario")
HOW_TO_BUILD = "build them with `make controlplane` (9 minutes, once; needs Go)"

on_a_busy_machine = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("exploring", on_a_busy_machine)
settings.register_profile("repeatable", on_a_busy_machine, derandomize=True)
settings.load_profile("repeatable")

KEPT_LOGS = pytest.StashKey[Path]()

namespace_numbers = itertools.count(1)


def pytest_configure() -> None:
    """Heed the signals, and have children heed them, that a shell's `&` or `nohup` has ignored."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
        signal.signal(signal.SIGHUP, signal.SIG_DFL)


@pytest.hookimpl(trylast=True)  # after -m and -k have deselected
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Order tests, give slow ones their time-out, and judge what lacks the control plane.

    Those that wait for processes come first, so that quick ones fill the gaps. Without its
    binaries, tests of the control plane are skipped; in CI this is an error.
    """
    items.sort(key=lambda item: not any(item.path.is_relative_to(one) for one in WITH_WAITS))
    ours = [item for item in items if item.get_closest_marker("controlplane")]
    missing = ", ".join(missing_binaries())
    if ours and missing and os.environ.get("CI") == "true":
        raise pytest.UsageError(f"CI=true, and the control plane lacks {missing}: {HOW_TO_BUILD}")
    for item in items:
        if not item.path.is_relative_to(UNIT) and item.get_closest_marker("timeout") is None:
            item.add_marker(pytest.mark.timeout(SLOW_TEST_SECONDS))
    if missing:
        for item in ours:
            item.add_marker(pytest.mark.skip(reason="needs the control plane"))


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Name what was left out for want of the control plane, or where its logs are."""
    if (logs := config.stash.get(KEPT_LOGS, None)) is not None:
        terminalreporter.line(f"logs of the control plane: {logs}")
    left_out = [
        report.nodeid
        for report in terminalreporter.getreports("skipped")
        if "controlplane" in report.keywords
    ]
    if left_out and missing_binaries():
        terminalreporter.section("without the control plane")
        for name in left_out:
            terminalreporter.line(f"skipped {name}")
        terminalreporter.line(
            f"{len(left_out)} tests were skipped since they need the real control plane; "
            f"{HOW_TO_BUILD}"
        )


@pytest.fixture(scope="session")
def real_control_plane(request: pytest.FixtureRequest) -> Iterator[ControlPlane]:
    """One control plane for all tests, with kube-controller-manager and kwok, no kube-scheduler.

    A test that starts a scheduler, or makes nodes, takes them away again.
    """
    with ControlPlane() as running:
        yield running
        running.keep_logs = request.session.testsfailed > 0
        if running.keep_logs:
            request.config.stash[KEPT_LOGS] = running.folder / "logs"


@pytest.fixture(scope="session")
def control_plane(real_control_plane: ControlPlane) -> ControlPlane:
    """The control plane under the name by which tests ask for it; stories replace it."""
    return real_control_plane


@pytest.fixture
def namespace(control_plane: ControlPlane) -> Iterator[str]:
    """Name of a fresh namespace with its default ServiceAccount; its pods go with the test."""
    name = f"test-{next(namespace_numbers)}"
    control_plane.create_namespace(name)
    yield name
    control_plane.api.delete(f"/api/v1/namespaces/{name}/pods", grace_seconds=0)
    control_plane.api.delete(f"/api/v1/namespaces/{name}")


@pytest.fixture(autouse=True)
def _no_sockets(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Refuse to connect or listen in unit and property tests; socket pairs are loops' own."""
    if not any(request.path.is_relative_to(folder) for folder in WITHOUT_SOCKETS):
        return

    def refuse(_socket: socket.socket, address: object) -> NoReturn:
        raise RuntimeError(f"a unit or property test wants a socket to {address}")

    for method in ("connect", "connect_ex", "bind"):
        monkeypatch.setattr(socket.socket, method, refuse)
