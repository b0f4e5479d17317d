"""Certificates, keys, tokens and kubeconfigs of one control plane."""

import json
import secrets
from dataclasses import dataclass
from pathlib import Path

import trustme

# User and groups of each token; RBAC's bootstrap roles bind the last two by user name.
IDENTITIES = {
    "admin": ("admin", "system:masters"),
    "kwok": ("kwok", "system:masters"),
    "kube-controller-manager": ("system:kube-controller-manager", ""),
    "kube-scheduler": ("system:kube-scheduler", ""),
}


@dataclass(frozen=True)
class Credentials:
    """Files in one folder, and the authority that signed the certificates."""

    folder: Path
    ca: trustme.CA
    tokens: dict[str, str]

    @property
    def ca_file(self) -> Path:
        """The authority's certificate."""
        return self.folder / "ca.crt"

    @property
    def serving_cert(self) -> Path:
        """Certificate of every server, good for 127.0.0.1 and localhost."""
        return self.folder / "serving.crt"

    @property
    def serving_key(self) -> Path:
        """Key of the serving certificate."""
        return self.folder / "serving.key"

    @property
    def service_account_key(self) -> Path:
        """Key that signs ServiceAccount tokens."""
        return self.folder / "service-account.key"

    @property
    def token_file(self) -> Path:
        """CSV of tokens, users and groups for kube-apiserver."""
        return self.folder / "tokens.csv"

    @classmethod
    def make(cls, folder: Path) -> "Credentials":
        """Write everything anew into an empty folder."""
        made = cls(
            folder=folder,
            ca=trustme.CA(organization_name="pilotfish control plane"),
            tokens={name: secrets.token_hex(16) for name in IDENTITIES},
        )
        serving = made.ca.issue_cert("127.0.0.1", "localhost")
        made.ca.cert_pem.write_to_path(made.ca_file)
        made.serving_cert.write_bytes(b"".join(blob.bytes() for blob in serving.cert_chain_pems))
        serving.private_key_pem.write_to_path(made.serving_key)
        signer = made.ca.issue_cert("service-account.invalid")  # only for its key
        signer.private_key_pem.write_to_path(made.service_account_key)
        made.token_file.write_text(
            "".join(
                f'{made.tokens[name]},{user},{user},"{group}"\n'
                for name, (user, group) in IDENTITIES.items()
            )
        )
        return made

    def write_kubeconfig(self, name: str, url: str, token: str) -> Path:
        """Write NAME.kubeconfig for a token and return its path."""
        path = self.folder / f"{name}.kubeconfig"
        cluster = {"server": url, "certificate-authority": str(self.ca_file)}
        config = {  # JSON is YAML
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": name,
            "clusters": [{"name": "pilotfish", "cluster": cluster}],
            "users": [{"name": name, "user": {"token": token}}],
            "contexts": [{"name": name, "context": {"cluster": "pilotfish", "user": name}}],
        }
        path.write_text(json.dumps(config, indent=2) + "\n")
        path.chmod(0o600)
        return path
