"""What the real API server answers to pods with such security contexts, from experiment."""

from typing import Any

import pytest

from unit.cluster.registry.api import POD_SPEC, Api, Json, container, message, pod

C = "spec.containers[0].securityContext"
OPTIONS = f"{C}.windowsOptions"
ID = "must be between 0 and 2147483647, inclusive"
PROFILE_TYPES = 'supported values: "Localhost", "RuntimeDefault", "Unconfined"'
SYSCTL = (
    r"must have at most 253 characters and match regex "
    r"^([a-z0-9]([-_a-z0-9]*[a-z0-9])?[\./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?$"
)
NOT_ON_WINDOWS = "Forbidden: cannot be set for a windows pod"
USER = f"{OPTIONS}.runAsUserName: Invalid value"


def secured(**context: Any) -> Json:
    return container(securityContext=context)


def all_secured(**context: Any) -> Json:
    return pod(securityContext=context)


def as_user(name: str) -> Json:
    return secured(windowsOptions={"runAsUserName": name})


CASES: dict[str, tuple[Json, str]] = {
    "negative user": (secured(runAsUser=-1), f"{C}.runAsUser: Invalid value: -1: {ID}"),
    "huge group": (secured(runAsGroup=2**31), f"{C}.runAsGroup: Invalid value: 2147483648: {ID}"),
    "unknown view of /proc": (
        secured(procMount="X"),
        f'{C}.procMount: Unsupported value: "X": supported values: "Default", "Unmasked"',
    ),
    "unmasked /proc of the host's users": (
        secured(procMount="Unmasked"),
        f'{C}.procMount: Invalid value: "Unmasked": `hostUsers` must be false to use `Unmasked`',
    ),
    "unknown seccomp profile": (
        secured(seccompProfile={"type": "X"}),
        f'{C}.seccompProfile.type: Unsupported value: "X": {PROFILE_TYPES}',
    ),
    "seccomp profile without type": (
        secured(seccompProfile={}),
        f"{C}.seccompProfile.type: Required value: type is required when seccompProfile is set",
    ),
    "local seccomp profile that is none": (
        secured(seccompProfile={"type": "Localhost"}),
        (f"{C}.seccompProfile.localhostProfile: Required value: must be set when seccomp type is "
         "Localhost"),
    ),
    "local seccomp profile elsewhere": (
        secured(seccompProfile={"type": "Localhost", "localhostProfile": "/a/../b"}),
        (f'[{C}.seccompProfile.localhostProfile: Invalid value: "/a/../b": must be a relative '
         f'path, {C}.seccompProfile.localhostProfile: Invalid value: "/a/../b": must not contain '
         "'..']"),
    ),
    "local profile of the runtime": (
        secured(appArmorProfile={"type": "RuntimeDefault", "localhostProfile": "a"}),
        (f'{C}.appArmorProfile.localhostProfile: Invalid value: "a": can only be set when '
         "AppArmor type is Localhost"),
    ),
    "padded AppArmor profile": (
        secured(appArmorProfile={"type": "Localhost", "localhostProfile": " a"}),
        (f'{C}.appArmorProfile.localhostProfile: Invalid value: " a": must not be padded with '
         "whitespace"),
    ),
    "endless AppArmor profile": (
        secured(appArmorProfile={"type": "Localhost", "localhostProfile": "a" * 4096}),
        f"{C}.appArmorProfile.localhostProfile: Too long: may not be more than 4095 bytes",
    ),
    "privileged without escalation": (
        secured(privileged=True, allowPrivilegeEscalation=False),
        "cannot set `allowPrivilegeEscalation` to false and `privileged` to true",
    ),
    "administrator without escalation": (
        secured(allowPrivilegeEscalation=False, capabilities={"add": ["CAP_SYS_ADMIN"]}),
        "cannot set `allowPrivilegeEscalation` to false and `capabilities.Add` CAP_SYS_ADMIN",
    ),
    "ids of all containers": (
        all_secured(fsGroup=-1, supplementalGroups=[1, -1]),
        (f"[spec.securityContext.fsGroup: Invalid value: -1: {ID}, "
         f"spec.securityContext.supplementalGroups[1]: Invalid value: -1: {ID}]"),
    ),
    "unknown policies": (
        all_secured(seLinuxChangePolicy="X", fsGroupChangePolicy="X", supplementalGroupsPolicy="X"),
        ('[spec.securityContext.fsGroupChangePolicy: Unsupported value: "X": supported values: '
         '"Always", "OnRootMismatch", spec.securityContext.supplementalGroupsPolicy: Unsupported '
         'value: "X": supported values: "Merge", "Strict", spec.securityContext.'
         'seLinuxChangePolicy: Unsupported value: "X": supported values: "Recursive"]'),
    ),
    "processes of the host shared": (
        pod(hostPID=True, shareProcessNamespace=True),
        ("spec.securityContext.shareProcessNamespace: Invalid value: true: ShareProcessNamespace "
         "and HostPID cannot both be enabled"),
    ),
    "sysctls": (
        all_secured(sysctls=[{"name": n, "value": "1"} for n in ("", "A", "a.b", "a.b", "a/b")]),
        ("[spec.securityContext.sysctls[0].name: Required value, "
         f'spec.securityContext.sysctls[1].name: Invalid value: "A": {SYSCTL}, '
          'spec.securityContext.sysctls[3].name: Duplicate value: "a.b"]'),
    ),
    "sysctls of the host": (
        pod(hostNetwork=True, hostIPC=True, securityContext={"sysctls": [
            {"name": n, "value": "1"} for n in ("net.core.somaxconn", "kernel/sem", "kernel.foo")
        ]}),
        ('[spec.securityContext.sysctls[0].name: Invalid value: "net.core.somaxconn": may not be '
         "specified when 'hostNetwork' is true, spec.securityContext.sysctls[1].name: Invalid "
         "value: \"kernel/sem\": may not be specified when 'hostIPC' is true]"),
    ),
    "own users in the host's namespaces": (
        pod(hostUsers=False, hostNetwork=True, hostPID=True),
        ("[spec.hostNetwork: Forbidden: when `hostUsers` is false, "
         "spec.HostPID: Forbidden: when `hostUsers` is false]"),
    ),
    "empty Windows options": (
        secured(windowsOptions={"gmsaCredentialSpec": "", "runAsUserName": ""}),
        (f'[{OPTIONS}.gmsaCredentialSpec: Invalid value: "": gmsaCredentialSpec cannot be an empty '
         f'string, {USER}: "": runAsUserName cannot be an empty string]'),
    ),
    "user of three parts": (
        as_user(r"a\b\c"),
        rf'{USER}: "a\\b\\c": runAsUserName cannot contain more than one backslash',
    ),
    "user without characters": (
        as_user("a\x01"),
        rf'{USER}: "a\u0001": runAsUserName cannot contain control characters',
    ),
    "user of nowhere": (
        as_user("..\\"),
        (rf"""[{USER}: "..\\": runAsUserName's Domain doesn't match the NetBios nor the DNS """
         rf"""format, {USER}: "..\\": runAsUserName's User cannot be empty]"""),
    ),
    "user of dots": (
        as_user(". ."),
        f"""{USER}: ". .": runAsUserName's User cannot contain only periods or spaces""",
    ),
    "host process outside the host's network": (
        all_secured(windowsOptions={"hostProcess": True}),
        ("spec.hostNetwork: Invalid value: false: hostNetwork must be true if pod contains any "
         "hostProcess containers"),
    ),
    "host process among others": (
        pod(hostNetwork=True, containers=[
            {"name": "a", "image": "x"},
            {"name": "b", "image": "x",
             "securityContext": {"windowsOptions": {"hostProcess": True}}},
        ]),
        ('spec: Invalid value: "": If pod contains any hostProcess containers then all containers '
         "must be HostProcess containers"),
    ),
    "system without a name": (pod(os={}), "spec.os.name: Required value"),
    "unknown system": (
        pod(os={"name": "X"}),
        'spec.os: Unsupported value: "X": supported values: "linux", "windows"',
    ),
    "Windows options on linux": (
        pod(os={"name": "linux"}, securityContext={"windowsOptions": {}}),
        ("spec.securityContext.windowsOptions: Forbidden: windows options cannot be set for a "
         "linux pod"),
    ),
    "Linux fields on Windows": (
        pod(os={"name": "windows"}, hostUsers=True, securityContext={"runAsUser": 1, "fsGroup": 1},
            containers=[{"name": "c", "image": "x", "securityContext": {"privileged": False}}]),
        (f"[spec.hostUsers: {NOT_ON_WINDOWS}, spec.securityContext.fsGroup: {NOT_ON_WINDOWS}, "
         f"spec.securityContext.runAsUser: {NOT_ON_WINDOWS}, {C}.privileged: {NOT_ON_WINDOWS}]"),
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_pod_is_refused_in_upstreams_words(api: Api, case: str) -> None:
    body, text = CASES[case]
    refusal = message(api.create("pods", body), 422)
    assert refusal.startswith('Pod "p" is invalid: ')
    assert refusal.endswith(text)


RESTRICTED = {
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"], "add": ["NET_BIND_SERVICE"]},
    "readOnlyRootFilesystem": True,
    "runAsNonRoot": True,
    "runAsUser": 2**31 - 1,
    "seccompProfile": {"type": "RuntimeDefault"},
}


@pytest.mark.parametrize(
    "good",
    [
        secured(**RESTRICTED),
        pod(hostUsers=False, containers=[
            {**POD_SPEC["containers"][0], "securityContext": {"procMount": "Unmasked"}}
        ]),
        secured(appArmorProfile={"type": "Localhost", "localhostProfile": "a"}),
        all_secured(sysctls=[{"name": "net.core.somaxconn", "value": "1"}], fsGroup=0),
        as_user(r"DOMAIN\user"),
        pod(hostNetwork=True, securityContext={"windowsOptions": {"hostProcess": True}}),
        pod(os={"name": "linux"}, hostPID=True, securityContext={"runAsUser": 1}),
        pod(os={"name": "windows"}, securityContext={"runAsNonRoot": True}),
    ],
)  # fmt: skip
def test_good_security_context_is_taken(api: Api, good: Json) -> None:
    assert api.create("pods", good)["kind"] == "Pod"


def test_template_is_held_to_the_same_rules(api: Api) -> None:
    labels = {"app": "a"}
    spec = {
        "selector": {"matchLabels": labels},
        "template": {"metadata": {"labels": labels}, "spec": secured(runAsUser=-1)["spec"]},
    }
    refusal = api.create("deployments", {"metadata": {"name": "d"}, "spec": spec})
    path = f"spec.template.{C}.runAsUser"
    assert message(refusal, 422).endswith(f"{path}: Invalid value: -1: {ID}")
