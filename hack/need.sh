#!/usr/bin/env bash
# Says what a target of the lab misses, and how to go on without it.
# usage: hack/need.sh PROGRAM ...
set -euo pipefail
for program in "$@"; do
    if ! command -v "$program" >/dev/null; then
        echo "error: $program is not installed" >&2
    elif [ "$program" = docker ] && ! docker info >/dev/null 2>&1; then
        echo "error: docker is installed, but its engine does not answer" >&2
    else
        continue
    fi
    echo "hint: the embedded cluster needs neither Docker nor kind: pilotfish cluster --nodes 3," >&2
    echo "      then pilotfish run; see docs/how-to/use-the-embedded-cluster.md" >&2
    exit 1
done
