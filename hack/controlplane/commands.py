"""The command line of each part; what the flags are for is said where it is not plain."""

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from controlplane.binaries import binary
from controlplane.credentials import Credentials
from controlplane.ports import free_ports
from controlplane.scheduler import SchedulerOptions

HERE = Path(__file__).resolve().parent
SCRATCH = ("etcd", "credentials", "home")  # what nobody needs afterwards
NODE_GRACE_SECONDS = 600  # upstream's 50 are less than a busy machine may take to restart a server
OPEN_PATHS = "/healthz,/livez,/readyz,/metrics,/debug/pprof/*"


@dataclass(frozen=True)
class Layout:
    """Where one control plane lives: its folder, ports and credentials."""

    folder: Path
    etcd_port: int
    peer_port: int
    apiserver_port: int
    scheduler_port: int
    credentials: Credentials

    @classmethod
    def make(cls, folder: Path) -> "Layout":
        """Choose free ports and write the credentials into a new folder."""
        for name in ("logs", *SCRATCH):
            (folder / name).mkdir()
        etcd_port, peer_port, apiserver_port, scheduler_port = free_ports(4)
        return cls(
            folder=folder,
            etcd_port=etcd_port,
            peer_port=peer_port,
            apiserver_port=apiserver_port,
            scheduler_port=scheduler_port,
            credentials=Credentials.make(folder / "credentials"),
        )

    @property
    def etcd_url(self) -> str:
        """Where etcd serves clients, in plain HTTP."""
        return f"http://127.0.0.1:{self.etcd_port}"

    @property
    def url(self) -> str:
        """The API server."""
        return f"https://127.0.0.1:{self.apiserver_port}"

    @property
    def audit_log(self) -> Path:
        """kube-apiserver's audit log; JSON lines."""
        return self.folder / "logs" / "audit.jsonl"


def etcd(at: Layout) -> list[str]:
    """Without fsync: a killed etcd may lose data, but this one dies only at the end."""
    peer_url = f"http://127.0.0.1:{at.peer_port}"
    return [
        binary("etcd"),
        "--name=default",
        f"--data-dir={at.folder / 'etcd'}",
        f"--listen-client-urls={at.etcd_url}",
        f"--advertise-client-urls={at.etcd_url}",
        f"--listen-peer-urls={peer_url}",
        f"--initial-advertise-peer-urls={peer_url}",
        f"--initial-cluster=default={peer_url}",
        "--unsafe-no-fsync",
        "--log-level=warn",
    ]


def kube_apiserver(at: Layout, *, audit: bool, without: Collection[str] = ()) -> list[str]:
    """All default admission but some, RBAC, static tokens for our own people, real for others."""
    keys = at.credentials
    argv = [
        binary("kube-apiserver"),
        f"--etcd-servers={at.etcd_url}",
        "--bind-address=127.0.0.1",
        "--advertise-address=127.0.0.1",
        "--endpoint-reconciler-type=none",  # it refuses to publish a loopback address
        f"--secure-port={at.apiserver_port}",
        f"--tls-cert-file={keys.serving_cert}",
        f"--tls-private-key-file={keys.serving_key}",
        f"--token-auth-file={keys.token_file}",
        "--authorization-mode=RBAC",
        "--service-cluster-ip-range=172.30.0.0/16",
        "--service-account-issuer=https://kubernetes.default.svc",
        f"--service-account-key-file={keys.service_account_key}",
        f"--service-account-signing-key-file={keys.service_account_key}",
        "--allow-privileged=true",
        "--delete-collection-workers=16",  # 5,000 pods vanish in seconds, not in 40
    ]
    if without:
        argv.append(f"--disable-admission-plugins={','.join(without)}")
    if audit:
        argv += [
            f"--audit-policy-file={HERE / 'audit-policy.yaml'}",
            f"--audit-log-path={at.audit_log}",
            "--audit-log-maxsize=4096",  # MB: never rotated within a test
        ]
    return argv


def kube_controller_manager(at: Layout, kubeconfig: Path) -> list[str]:
    """All default controllers, each with its own ServiceAccount."""
    return [
        binary("kube-controller-manager"),
        f"--kubeconfig={kubeconfig}",
        "--controllers=*,-ttl-controller",  # it only patches every node once more
        "--leader-elect=false",
        "--use-service-account-credentials",
        f"--service-account-private-key-file={at.credentials.service_account_key}",
        f"--root-ca-file={at.credentials.ca_file}",
        "--authentication-skip-lookup",
        f"--node-monitor-grace-period={NODE_GRACE_SECONDS}s",
        "--kube-api-qps=2000",  # a node costs it four requests
        "--kube-api-burst=4000",
        "--secure-port=0",
    ]


def kube_scheduler(at: Layout, config: Path, options: SchedulerOptions) -> list[str]:
    """Metrics, health and profiles are open to everybody on loopback."""
    gates = ",".join(f"{name}={on}" for name, on in options.feature_gates.items())
    return [
        binary("kube-scheduler"),
        f"--config={config}",
        "--authentication-skip-lookup",
        f"--authorization-always-allow-paths={OPEN_PATHS}",
        "--bind-address=127.0.0.1",
        f"--secure-port={at.scheduler_port}",
        f"--tls-cert-file={at.credentials.serving_cert}",
        f"--tls-private-key-file={at.credentials.serving_key}",
        f"--v={options.verbosity}",
        *([f"--vmodule={options.vmodule}"] if options.vmodule else []),
        *([f"--feature-gates={gates}"] if gates else []),
    ]


def kwok(kubeconfig: Path) -> list[str]:
    """Play the kubelet of every node, with Leases."""
    return [
        binary("kwok"),
        f"--kubeconfig={kubeconfig}",
        f"--config={HERE / 'kwok-stages.yaml'}",
        "--manage-all-nodes",
        "--node-lease-duration-seconds=40",
    ]
