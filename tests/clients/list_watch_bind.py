"""List, watch and bind with the official Python client; run in a virtual environment that has it.

python list_watch_bind.py KUBECONFIG NAMESPACE NODE COUNT

Binds every pod of NAMESPACE to NODE as it comes, by the legacy resource and by the subresource in
turn; ends when COUNT pods are bound and prints what it saw as JSON.
"""

import json
import sys

from kubernetes import client, config, watch


def bind(api: client.CoreV1Api, pod: client.V1Pod, node: str, *, legacy: bool) -> None:
    """Bind a pod; the answer is a Status, which the client cannot read as a Binding."""
    name, namespace = pod.metadata.name, pod.metadata.namespace
    target = client.V1ObjectReference(api_version="v1", kind="Node", name=node)
    body = client.V1Binding(metadata=client.V1ObjectMeta(name=name), target=target)
    if legacy:
        api.create_namespaced_binding(namespace, body, _preload_content=False)
    else:
        api.create_namespaced_pod_binding(name, namespace, body, _preload_content=False)


def refused_bind(api: client.CoreV1Api, pod: client.V1Pod) -> dict[str, object]:
    """Bind once more and give the refusal."""
    try:
        bind(api, pod, "elsewhere", legacy=True)
    except client.ApiException as error:
        return {"status": error.status, "message": json.loads(error.body)["message"]}
    return {}


def main() -> None:
    """Do as the command line says."""
    kubeconfig, namespace, node, wanted = sys.argv[1:]
    config.load_kube_config(config_file=kubeconfig)
    api = client.CoreV1Api()
    nodes = [item.metadata.name for item in api.list_node().items]
    version = client.VersionApi().get_code().git_version
    seen: list[tuple[str, str]] = []
    bound: dict[str, str] = {}
    stream = watch.Watch()
    for event in stream.stream(api.list_namespaced_pod, namespace, timeout_seconds=20):
        pod = event["object"]
        seen.append((event["type"], pod.metadata.name))
        if pod.spec.node_name:
            bound[pod.metadata.name] = pod.spec.node_name
        elif event["type"] == "ADDED":
            bind(api, pod, node, legacy=len(seen) % 2 == 0)
        if len(bound) == int(wanted):
            stream.stop()
    refusal = refused_bind(api, pod)
    result = {"nodes": nodes, "version": version, "bound": bound, "seen": seen, "refusal": refusal}
    json.dump(result, sys.stdout)


if __name__ == "__main__":
    main()
