"""List, watch and bind with kubernetes_asyncio; run in a virtual environment that has it.

python list_watch_bind_async.py KUBECONFIG NAMESPACE NODE COUNT; see list_watch_bind.py.
"""

import asyncio
import json
import sys

from kubernetes_asyncio import client, config, watch


async def bind(
    api: client.CoreV1Api, pod: client.V1Pod, node: str, *, legacy: bool
) -> tuple[int, str]:
    """Bind a pod and give the answer's code and message; it is a Status, not a Binding."""
    name, namespace = pod.metadata.name, pod.metadata.namespace
    target = client.V1ObjectReference(api_version="v1", kind="Node", name=node)
    body = client.V1Binding(metadata=client.V1ObjectMeta(name=name), target=target)
    if legacy:
        answer = await api.create_namespaced_binding(namespace, body, _preload_content=False)
    else:
        answer = await api.create_namespaced_pod_binding(
            name, namespace, body, _preload_content=False
        )
    return answer.status, (await answer.json()).get("message", "")


async def main() -> None:
    """Do as the command line says."""
    kubeconfig, namespace, node, wanted = sys.argv[1:]
    await config.load_kube_config(config_file=kubeconfig)
    async with client.ApiClient() as connection:
        api = client.CoreV1Api(connection)
        nodes = [item.metadata.name for item in (await api.list_node()).items]
        version = (await client.VersionApi(connection).get_code()).git_version
        seen: list[tuple[str, str]] = []
        bound: dict[str, str] = {}
        async with watch.Watch() as stream:
            async for event in stream.stream(
                api.list_namespaced_pod, namespace, timeout_seconds=20
            ):
                pod = event["object"]
                seen.append((event["type"], pod.metadata.name))
                if pod.spec.node_name:
                    bound[pod.metadata.name] = pod.spec.node_name
                elif event["type"] == "ADDED":
                    await bind(api, pod, node, legacy=len(seen) % 2 == 0)
                if len(bound) == int(wanted):
                    break
        status, message = await bind(api, pod, "elsewhere", legacy=False)
        refusal = {"status": status, "message": message}
    result = {"nodes": nodes, "version": version, "bound": bound, "seen": seen, "refusal": refusal}
    json.dump(result, sys.stdout)


if __name__ == "__main__":
    asyncio.run(main())
