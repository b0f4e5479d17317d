#!/usr/bin/env bash
# Builds the image with docker, podman or buildah, whichever is there and works.
# usage: hack/build_image.sh IMAGE [option of the engine ...]
set -euo pipefail
cd "$(dirname "$0")/.."
image=$1
shift

run() {
    printf '%s\n' "$*"
    exec "$@"
}

if command -v docker >/dev/null && docker info >/dev/null 2>&1; then
    run docker build --tag "$image" "$@" .
elif command -v podman >/dev/null; then
    run podman build --tag "$image" "$@" .
elif command -v buildah >/dev/null; then
    run buildah build --tag "$image" "$@" .
fi
if command -v docker >/dev/null; then
    echo "error: docker is installed, but its engine does not answer; podman and buildah are not there" >&2
else
    echo "error: none of docker, podman and buildah is installed" >&2
fi
echo "hint: install one; without any, the embedded cluster runs pilotfish as it is: make demo" >&2
exit 1
