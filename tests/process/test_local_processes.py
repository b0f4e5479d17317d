"""Processes of local images, as the shell runs them."""

import asyncio
import os
import signal
import sys
from collections.abc import Callable, Coroutine, Mapping
from pathlib import Path
from typing import Any

import pytest

from living import wait_for_the_end
from pilotfish.cluster.kubelet.processes import (
    Input,
    ProcessExited,
    ProcessOutput,
    ProcessStarted,
    StartProcess,
    StopProcess,
)
from pilotfish.runtime.embedded_cluster.local_processes import LocalProcesses

CREDENTIAL = "the credential"
FILES = {"token": CREDENTIAL, "ca.crt": "the CA", "namespace": "lab"}
SERVER = "https://127.0.0.1:16443"


class Pod:
    """One container, and what is reported of it."""

    def __init__(self, processes: LocalProcesses, news: "asyncio.Queue[Input]") -> None:
        self.processes = processes
        self._news = news

    def start(self, *argv: str, files: Mapping[str, str] = FILES, **env: str) -> None:
        """Start its process."""
        self.processes.execute(StartProcess("uid", "c", argv, env, files))

    def python(self, code: str, **env: str) -> None:
        """Start Python with some code."""
        self.start(sys.executable, "-c", code, files=FILES, **env)

    def stop(self, grace_seconds: float) -> None:
        """Stop its process."""
        self.processes.execute(StopProcess("uid", "c", grace_seconds))

    async def next(self) -> Input:
        """Wait for the next report."""
        return await self._news.get()

    async def line(self) -> str:
        """Wait for the next line."""
        while not isinstance(news := await self.next(), ProcessOutput):
            pass
        return news.line

    async def exit_code(self) -> int:
        """Wait for the end."""
        while not isinstance(news := await self.next(), ProcessExited):
            pass
        return news.exit_code


Tale = Callable[[Pod], Coroutine[Any, Any, None]]


def play(tale: Tale, **env: str) -> None:
    """Tell a tale of one container, whose user has an environment."""

    async def main() -> None:
        news: asyncio.Queue[Input] = asyncio.Queue()
        async with asyncio.TaskGroup() as tasks:
            mine = {"PATH": os.environ["PATH"], **env}
            processes = LocalProcesses(tasks, news.put_nowait, SERVER, mine)
            try:
                await tale(Pod(processes, news))
            finally:
                await processes.close(0.5)

    asyncio.run(main())


def test_process_that_is_stopped_in_the_same_breath_ends() -> None:
    async def tale(pod: Pod) -> None:
        pod.start("sleep", "60")
        pod.stop(5.0)
        assert await pod.exit_code() == 128 + signal.SIGTERM

    play(tale)


def test_output_is_reported_line_by_line_and_then_the_exit_code() -> None:
    async def tale(pod: Pod) -> None:
        pod.start("sh", "-c", "echo one; echo two >&2; printf three; exit 7")
        assert await pod.next() == ProcessStarted("uid", "c")
        assert [await pod.line() for _ in range(3)] == ["one", "two", "three"]
        assert await pod.next() == ProcessExited("uid", "c", 7)

    play(tale)


def test_line_without_end_is_cut() -> None:
    async def tale(pod: Pod) -> None:
        pod.python("print('x' * 100_000)")
        lengths: list[int] = []
        while sum(lengths) < 100_000:
            lengths.append(len(await pod.line()))
        assert max(lengths) < 40_000

    play(tale)


def test_command_that_is_not_there_is_reported_as_a_container_that_cannot_start() -> None:
    async def tale(pod: Pod) -> None:
        pod.start("/no/such/program")
        report = await pod.next()
        assert isinstance(report, ProcessExited)
        assert (report.exit_code, report.message) == (
            128,
            "/no/such/program: No such file or directory",
        )

    play(tale)


def test_process_finds_the_api_server_and_its_service_account() -> None:
    show = (
        "import os, pathlib, stat\n"
        "folder = pathlib.Path(os.environ['PILOTFISH_SERVICE_ACCOUNT'])\n"
        "print(os.environ['KUBERNETES_SERVICE_HOST'], os.environ['KUBERNETES_SERVICE_PORT'])\n"
        "for name in ('token', 'ca.crt', 'namespace', 'kubeconfig'):\n"
        "    print(name, oct(stat.S_IMODE((folder / name).stat().st_mode)))\n"
        "print((folder / 'token').read_text(), oct(stat.S_IMODE(folder.stat().st_mode)))\n"
        "print(os.environ['KUBECONFIG'] == str(folder / 'kubeconfig'), os.environ['MINE'])\n"
        "print(folder)"
    )

    async def tale(pod: Pod) -> None:
        pod.python(show, MINE="yes")
        lines = [await pod.line() for _ in range(8)]
        assert lines[0] == "127.0.0.1 16443"
        assert [line.split()[1] for line in lines[1:5]] == ["0o600"] * 4
        assert lines[5] == f"{CREDENTIAL} 0o700"
        assert lines[6] == "True yes"
        await pod.exit_code()
        assert not os.access(lines[7], os.F_OK)

    play(tale)


def test_kubeconfig_names_server_token_and_namespace() -> None:
    async def tale(pod: Pod) -> None:
        pod.start("sh", "-c", 'cat "$KUBECONFIG"')
        assert await pod.next() == ProcessStarted("uid", "c")
        text = ""
        while isinstance(news := await pod.next(), ProcessOutput):
            text += news.line + "\n"
        assert f"server: {SERVER}" in text
        assert "namespace: lab" in text
        assert "tokenFile: " in text

    play(tale)


def test_the_users_own_cluster_is_not_passed_on() -> None:
    async def tale(pod: Pod) -> None:
        pod.start("sh", "-c", 'echo "[$KUBECONFIG] [$KUBERNETES_NAME]"', files={})
        assert await pod.line() == "[] []"

    play(tale, KUBECONFIG="/home/user/.kube/config", KUBERNETES_NAME="theirs")


@pytest.mark.parametrize("package", ["kubernetes", "kubernetes_asyncio"])
def test_in_cluster_configuration_of_python_clients_is_led_to_the_folder(
    package: str, tmp_path: Path
) -> None:
    folder = tmp_path / package / "config"
    folder.mkdir(parents=True)
    (tmp_path / package / "__init__.py").touch()
    (folder / "__init__.py").touch()
    fixed = "SERVICE_TOKEN_FILENAME = '/var/token'\nSERVICE_CERT_FILENAME = '/var/ca.crt'\n"
    load = "def load():\n    print(open(SERVICE_TOKEN_FILENAME).read(), SERVICE_CERT_FILENAME)\n"
    (folder / "incluster_config.py").write_text(fixed + load)
    (tmp_path / "sitecustomize.py").write_text("print('the hidden one')\n")

    async def tale(pod: Pod) -> None:
        pod.python(f"from {package}.config import incluster_config as c\nc.load()")
        assert await pod.line() == "the hidden one"
        content, _, authority = (await pod.line()).rpartition(" ")
        assert content == CREDENTIAL
        assert authority.endswith("/ca.crt")
        assert not authority.startswith("/var/ca")

    play(tale, PYTHONPATH=str(tmp_path))


def test_stopped_process_may_end_by_itself() -> None:
    async def tale(pod: Pod) -> None:
        pod.start("sh", "-c", "trap 'exit 3' TERM; echo ready; while :; do sleep 0.05; done")
        assert await pod.line() == "ready"
        pod.stop(20)
        assert await pod.exit_code() == 3

    play(tale)


def test_process_that_does_not_end_is_killed_after_the_grace_period() -> None:
    async def tale(pod: Pod) -> None:
        pod.start("sh", "-c", "trap '' TERM; echo ready; while :; do sleep 0.05; done")
        assert await pod.line() == "ready"
        pod.stop(0.2)
        assert await pod.exit_code() == 128 + 9

    play(tale)


def test_children_die_with_the_process() -> None:
    children = []

    async def tale(pod: Pod) -> None:
        pod.start("sh", "-c", "sleep 1000 & echo $!")
        children.append(await pod.line())
        assert await pod.exit_code() == 0

    play(tale)
    wait_for_the_end(int(children[0]))


def test_all_processes_end_with_the_cluster() -> None:
    pids = []

    async def tale(pod: Pod) -> None:
        pod.start("sh", "-c", "trap '' TERM; echo $$; while :; do sleep 0.05; done")
        pids.append(int(await pod.line()))

    play(tale)
    with pytest.raises(ProcessLookupError):
        os.kill(pids[0], 0)
