"""The control plane as one object: starts, stops, breaks and heals on request."""

import json
import shutil
import ssl
import subprocess
import sys
import tempfile
import urllib.request
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import trustme

from controlplane import audit as audit_log
from controlplane import commands
from controlplane.api import Api, ApiError
from controlplane.binaries import binary, missing_binaries
from controlplane.processes import ControlPlaneError, ProcessGroup
from controlplane.scheduler import SchedulerOptions
from controlplane.waiting import WAIT_SECONDS, wait_until

KUBECTL_SECONDS = 150.0
TOKEN_SECONDS = 24 * 3600


class ControlPlane:
    """etcd and kube-apiserver on free loopback ports, and what else is asked for.

    RBAC and the default admission are on. It runs within `with`, or from `start()` to `stop()`.
    Its folder is removed at the end; with `keep_logs`, which an exception sets, the logs stay.

    Args:
        controller_manager: without it, nodes keep their not-ready taint (see create_static_nodes).
        kwok: plays the kubelets, as kwok-stages.yaml says.
        scheduler: a kube-scheduler to start; None starts none.
        audit: keep an audit log.
        without_admission: admission plugins to leave out.

    Attributes:
        api: a client with the admin's token.
        folder: all its files; `folder / "logs"` has one log a process.
        keep_logs: whether to leave the logs behind.
    """

    api: Api
    folder: Path

    def __init__(
        self,
        *,
        controller_manager: bool = True,
        kwok: bool = True,
        scheduler: SchedulerOptions | None = None,
        audit: bool = True,
        without_admission: Collection[str] = (),
    ) -> None:
        self._controller_manager = controller_manager
        self._kwok = kwok
        self._scheduler = scheduler
        self._audit = audit
        self._without_admission = without_admission
        self.keep_logs = False

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.keep_logs |= error is not None and not isinstance(error, KeyboardInterrupt)
        self.stop()

    # Life

    def start(self) -> None:
        """Start everything that was asked for and wait until it serves: 3 to 9 seconds.

        Raises:
            ControlPlaneError: binaries are missing, or a part did not start; the logs are kept.
        """
        if missing := missing_binaries():
            raise ControlPlaneError(f"{', '.join(missing)} missing: run `make controlplane`")
        self.folder = Path(tempfile.mkdtemp(prefix="pilotfish-controlplane-"))
        self._at = commands.Layout.make(self.folder)
        self._scratch = [self.folder / name for name in commands.SCRATCH]
        self._processes = ProcessGroup(self.folder / "logs", self._scratch)
        self.api = Api(self.url, self.ca_file, self.admin_token)
        self._open = urllib.request.build_opener(
            urllib.request.ProxyHandler({}),  # whatever http_proxy says
            urllib.request.HTTPSHandler(
                context=ssl.create_default_context(cafile=str(self.ca_file))
            ),
        ).open
        try:
            self._processes.start("etcd", commands.etcd(self._at), self._environment)
            self.start_apiserver()
            self._start_the_rest()
        except BaseException:
            self.keep_logs = True
            self.stop()
            raise

    def stop(self) -> None:
        """Kill everything; remove the folder, or say where the logs are."""
        self.api.close()
        self._processes.close()
        for folder in self._scratch:
            shutil.rmtree(folder)
        if self.keep_logs:
            print(f"logs of the control plane: {self.folder / 'logs'}", file=sys.stderr)
        else:
            shutil.rmtree(self.folder)

    # Ways in

    @property
    def url(self) -> str:
        """The API server: https://127.0.0.1:PORT, the same after a restart."""
        return self._at.url

    @property
    def ca(self) -> trustme.CA:
        """The authority, for a test's own servers, such as a proxy in between."""
        return self._at.credentials.ca

    @property
    def ca_file(self) -> Path:
        """The authority's certificate."""
        return self._at.credentials.ca_file

    @property
    def admin_token(self) -> str:
        """A bearer token in system:masters."""
        return self._at.credentials.tokens["admin"]

    @property
    def kubeconfig(self) -> Path:
        """The admin's kubeconfig."""
        return self._kubeconfig("admin")

    @property
    def scheduler_url(self) -> str:
        """kube-scheduler's /metrics, /healthz and /debug/pprof, open to everybody."""
        return f"https://127.0.0.1:{self._at.scheduler_port}"

    @property
    def pids(self) -> dict[str, int]:
        """Pids by name of binary, to measure the processes by."""
        return self._processes.pids

    @property
    def process_group(self) -> int:
        """Group for a test's own processes (Popen's process_group), to end with the rest."""
        return self._processes.group

    def service_account_kubeconfig(self, namespace: str, name: str) -> Path:
        """Make a ServiceAccount if need be, and a kubeconfig with a token for it."""
        path = f"/api/v1/namespaces/{namespace}/serviceaccounts/{name}"
        try:
            self.api.get(path)
        except ApiError as error:
            if error.status != HTTPStatus.NOT_FOUND:
                raise
            self._create_service_account(namespace, name)
        wanted = {"spec": {"expirationSeconds": TOKEN_SECONDS}}
        token = self.api.request("POST", f"{path}/token", wanted)["status"]["token"]
        return self._at.credentials.write_kubeconfig(f"{namespace}.{name}", self.url, token)

    def kubectl(
        self,
        *args: str,
        input: str | None = None,  # noqa: A002  subprocess.run's own word
        check: bool = True,
        kubeconfig: Path | None = None,
    ) -> str:
        """Run kubectl, as the admin unless told otherwise, and return what it printed.

        Raises:
            ControlPlaneError: it failed; without `check` its errors are part of what is returned.
        """
        done = subprocess.run(
            [binary("kubectl"), f"--kubeconfig={kubeconfig or self.kubeconfig}", *args],
            check=False,
            input=input,
            stdin=subprocess.DEVNULL if input is None else None,
            capture_output=True,
            text=True,
            timeout=KUBECTL_SECONDS,
            env=self._environment,
        )
        if check and done.returncode:
            raise ControlPlaneError(f"kubectl {' '.join(args)}: {done.stderr.strip()}")
        return done.stdout + ("" if check else done.stderr)

    def create(
        self, manifests: Iterable[dict[str, Any]], concurrency: int = 16
    ) -> list[dict[str, Any]]:
        """Create many objects fast and return them as stored, in the order given."""
        return self.api.create_all(manifests, concurrency)

    def create_namespace(self, name: str) -> None:
        """Create a namespace and its default ServiceAccount, so that pods may be made in it."""
        self.api.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
        self._admit_pods(name)

    def create_static_nodes(
        self, manifests: Iterable[dict[str, Any]], concurrency: int = 16
    ) -> None:
        """Create nodes that are Ready at once and stay so without kwok.

        With a kube-controller-manager they read Unknown after ten minutes, for want of Leases.
        """
        ready = {"conditions": [{"type": "Ready", "status": "True", "reason": "Static"}]}
        wanted = [{**node, "status": {**node["status"], **ready}} for node in manifests]
        self.create(wanted, concurrency)
        # admission has added the not-ready taint, which only an update can take away
        with ThreadPoolExecutor(concurrency) as pool:
            list(pool.map(self._restore_taints, wanted))

    def wait_for_nodes(self, count: int, timeout: float = WAIT_SECONDS) -> None:
        """Wait until so many nodes are Ready and without a not-ready taint."""

        def enough() -> bool:
            return sum(map(_is_ready, self.api.items("/api/v1/nodes?resourceVersion=0"))) >= count

        poll = max(0.05, count / 1000)  # reading many nodes slows down what makes them ready
        wait_until(enough, f"{count} ready nodes", timeout, poll)

    # What happened

    def audit_events(self) -> Iterator[dict[str, Any]]:
        """Yield the audit log so far: everything at Metadata, bindings with their bodies.

        An event is written when the answer is complete: an API server that is killed in between
        has bound a pod without a line.
        """
        return audit_log.read_events(self._at.audit_log)

    def successful_binds(self) -> Counter[str]:
        """Count the binds that the API server accepted, by the pod's uid."""
        return audit_log.successful_binds(self.audit_events())

    # Faults

    def kill_apiserver(self) -> None:
        """SIGKILL kube-apiserver; etcd keeps the state."""
        self._processes.stop("kube-apiserver", kill=True)
        self.api.close()

    def start_apiserver(self) -> None:
        """Start kube-apiserver on its port and wait until it is ready."""
        argv = commands.kube_apiserver(self._at, audit=self._audit, without=self._without_admission)
        self._processes.start("kube-apiserver", argv, self._environment)
        self._wait(lambda: self._answers(f"{self.url}/readyz"), "a ready kube-apiserver")

    def restart_apiserver(self) -> None:
        """Kill kube-apiserver and start it again."""
        self.kill_apiserver()
        self.start_apiserver()

    def compact_etcd(self) -> None:
        """Forget all history in etcd.

        Open watches go on, since kube-apiserver serves them from its own memory. To have every
        watch that resumes answered 410, do it between kill_apiserver and start_apiserver: the new
        process knows nothing before its start, and the write made here is newer than any list.
        """
        self._etcd("kv/put", {"key": "cGlsb3RmaXNo", "value": ""})
        revision = self._etcd("maintenance/status", {})["header"]["revision"]
        self._etcd("kv/compaction", {"revision": revision, "physical": True})

    def start_scheduler(self, options: SchedulerOptions | None = None) -> None:
        """Start kube-scheduler and wait until its caches are full."""
        options = options or SchedulerOptions()
        config = self.folder / "scheduler.yaml"
        config.write_text(options.configuration(self._kubeconfig("kube-scheduler")))
        argv = commands.kube_scheduler(self._at, config, options)
        self._processes.start("kube-scheduler", argv, self._environment)
        self._wait(lambda: self._answers(f"{self.scheduler_url}/readyz"), "a ready kube-scheduler")

    def stop_scheduler(self) -> None:
        """End kube-scheduler by SIGTERM."""
        self._processes.stop("kube-scheduler")

    def start_controller_manager(self) -> None:
        """Start kube-controller-manager."""
        kubeconfig = self._kubeconfig("kube-controller-manager")
        argv = commands.kube_controller_manager(self._at, kubeconfig)
        self._processes.start("kube-controller-manager", argv, self._environment)

    def start_kwok(self) -> None:
        """Start kwok."""
        self._processes.start("kwok", commands.kwok(self._kubeconfig("kwok")), self._environment)

    # Private

    @property
    def _environment(self) -> dict[str, str]:
        """Nothing of the caller's: no proxy, no KUBECONFIG, no home."""
        return {"HOME": str(self.folder / "home"), "PATH": "/usr/bin:/bin"}

    def _start_the_rest(self) -> None:
        if self._controller_manager:
            self.start_controller_manager()
        if self._kwok:
            self.start_kwok()
        if self._scheduler is not None:
            self.start_scheduler(self._scheduler)
        self._admit_pods("default")

    def _kubeconfig(self, identity: str) -> Path:
        keys = self._at.credentials
        return keys.write_kubeconfig(identity, self.url, keys.tokens[identity])

    def _admit_pods(self, namespace: str) -> None:
        """Have a default ServiceAccount, without which admission refuses every pod."""
        if self._controller_manager:
            self._wait_for(f"/api/v1/namespaces/{namespace}/serviceaccounts", "default")
        else:
            self._wait_for("/api/v1/namespaces", namespace)  # "default" may be yet to come
            self._create_service_account(namespace, "default")

    def _wait_for(self, collection: str, name: str) -> None:
        def there() -> bool:
            return any(item["metadata"]["name"] == name for item in self.api.items(collection))

        self._wait(there, f"{collection}/{name}")

    def _create_service_account(self, namespace: str, name: str) -> None:
        metadata = {"name": name, "namespace": namespace}
        self.api.create({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata})

    def _restore_taints(self, node: dict[str, Any]) -> None:
        body = {"spec": {"taints": node["spec"].get("taints", [])}}
        self.api.patch(f"/api/v1/nodes/{node['metadata']['name']}", body, kind="merge")

    def _wait(self, probe: Callable[[], bool], what: str) -> None:
        """Wait, but not for what a dead process would have done."""

        def checked() -> bool:
            self._processes.check()
            return probe()

        wait_until(checked, what)

    def _answers(self, url: str) -> bool:
        try:
            with self._open(url, timeout=5) as response:
                return bool(response.status == HTTPStatus.OK)
        except OSError:
            return False

    def _etcd(self, call: str, body: dict[str, Any]) -> dict[str, Any]:
        """Ask etcd through its JSON gateway."""
        url, payload = f"{self._at.etcd_url}/v3/{call}", json.dumps(body).encode()
        with self._open(url, payload, timeout=30) as response:
            answer: dict[str, Any] = json.load(response)
            return answer


def _is_ready(node: dict[str, Any]) -> bool:
    """Whether a node is Ready and lost its not-ready taint."""
    conditions = {c["type"]: c["status"] for c in node["status"].get("conditions", ())}
    taints = {taint["key"] for taint in node["spec"].get("taints", ())}
    return conditions.get("Ready") == "True" and "node.kubernetes.io/not-ready" not in taints
