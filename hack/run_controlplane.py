"""Start a control plane and leave it running until Ctrl-C.

python hack/run_controlplane.py [--nodes N] [--scheduler]
"""

import argparse
import signal
import sys

from controlplane import ControlPlane, ControlPlaneError, SchedulerOptions, node_manifest


def main() -> int:
    """Start it, say how to use it, and wait."""
    parser = argparse.ArgumentParser(description="Run a control plane until Ctrl-C.")
    parser.add_argument("--nodes", type=int, default=3, help="nodes that kwok plays (default: 3)")
    parser.add_argument("--scheduler", action="store_true", help="run kube-scheduler too")
    options = parser.parse_args()
    scheduler = SchedulerOptions() if options.scheduler else None
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with ControlPlane(scheduler=scheduler) as cp:
            cp.create(node_manifest(f"node-{i}") for i in range(options.nodes))
            cp.wait_for_nodes(options.nodes)
            print(f"{cp.url} runs with {options.nodes} nodes; Ctrl-C ends it. In another shell:")
            print(f"  export KUBECONFIG={cp.kubeconfig}")
            print("  kubectl get nodes")
            print(f"logs: {cp.folder / 'logs'}", flush=True)
            signal.pause()
    except ControlPlaneError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("ended")
    return 0


if __name__ == "__main__":
    sys.exit(main())
