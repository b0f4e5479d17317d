#!/bin/sh
# Measures a polling scheduler as groups of the lab do: by the words of its log, and by kubectl.
# usage: metrics-polling.sh [POD]   its Deployment has the label app=my-scheduler-polling
set -eu
pod=${1:-measured}
label=app=my-scheduler-polling
log() { kubectl -n kube-system logs -l $label --timestamps --tail=-1; }
count() { printf '%-24s %s\n' "$1" "$(log | grep -c "$1" || true)"; }

t0=$(python3 -c 'import time; print(time.time())')
kubectl run "$pod" --image=registry.k8s.io/pause:3.9 --restart=Never \
  --overrides='{"spec": {"schedulerName": "my-scheduler"}}'
kubectl wait --for=condition=Ready "pod/$pod" --timeout=60s

t1=$(log | grep "Detected Pending Pod default/$pod" | head -n 1 | cut -d ' ' -f 1)
python3 - "$t0" "$t1" <<'PYTHON'
import datetime, sys
print(f"latency to detection     {datetime.datetime.fromisoformat(sys.argv[2]).timestamp() - float(sys.argv[1]):.2f} s")
PYTHON
count "Checking pending pods"
count "No pending pods"
count "Detected Pending Pod"
count "Bound default/$pod"
echo "node and phase           $(kubectl get pod "$pod" -o jsonpath='{.spec.nodeName} {.status.phase}')"
kubectl get events --field-selector "involvedObject.name=$pod" --sort-by=.lastTimestamp
kubectl -n kube-system top pod -l $label
kubectl delete pod "$pod"
