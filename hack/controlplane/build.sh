#!/bin/sh
# Build the real control plane into DIR (default: .controlplane/bin at the top of the checkout).
#
#   hack/controlplane/build.sh [DIR]
#
# Does nothing when DIR is up to date. What KUBEBUILDER_ASSETS holds is linked rather than built.
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
top=$(CDPATH='' cd -- "$here/../.." && pwd)
bin=${1:-$top/.controlplane/bin}
assets=${KUBEBUILDER_ASSETS:-}
version=$(sed -n 's|^\tk8s.io/kubernetes \(v[0-9.]*\).*|\1|p' "$here/go.mod")
go_wanted=$(sed -n 's/^go //p' "$here/go.mod")

stamp="$(cat "$here/go.mod" "$here/go.sum" "$here/build.sh" | cksum) assets=$assets"
names="etcd kube-apiserver kube-controller-manager kube-scheduler kubectl kwok"

complete() {
    for name in $names; do
        [ -x "$bin/$name" ] || return 1
    done
}

if [ "$(cat "$bin/.stamp" 2>/dev/null)" = "$stamp" ] && complete; then
    echo "control plane $version is up to date in $bin"
    exit 0
fi

mkdir -p "$bin"
rm -f "$bin/.stamp"
packages=
for name in $names; do
    rm -f "$bin/$name"
    if [ -n "$assets" ] && [ -x "$assets/$name" ]; then
        echo "taking $name from KUBEBUILDER_ASSETS ($assets)"
        ln -s "$assets/$name" "$bin/$name"
        continue
    fi
    case $name in
        etcd) packages="$packages go.etcd.io/etcd/server/v3" ;;
        kwok) packages="$packages sigs.k8s.io/kwok/cmd/kwok" ;;
        *) packages="$packages k8s.io/kubernetes/cmd/$name" ;;
    esac
done

if [ -n "$packages" ]; then
    if ! command -v go >/dev/null 2>&1; then
        echo "error: building the control plane needs Go $go_wanted or newer, and there is no 'go' on the PATH" >&2
        echo "hint: install it from your system's packages or https://go.dev/dl, or point KUBEBUILDER_ASSETS" \
            "at a folder that has $names" >&2
        exit 1
    fi
    # GOTOOLCHAIN stays as the user set it: "auto" lets an older Go fetch the one that go.mod asks for.
    if ! (cd "$here" && go list -m >/dev/null 2>&1); then
        echo "error: $(go version) cannot build Kubernetes $version, which needs Go $go_wanted or newer" >&2
        echo "hint: install a newer Go from https://go.dev/dl, or allow GOTOOLCHAIN=auto" >&2
        exit 1
    fi
    echo "building$packages"
    echo "(Kubernetes $version; about 9 minutes on two cores from nothing, seconds when cached)"
    stamps="-X k8s.io/component-base/version.gitVersion=$version"
    stamps="$stamps -X k8s.io/component-base/version.gitMajor=$(echo "$version" | sed 's/v\([0-9]*\).*/\1/')"
    stamps="$stamps -X k8s.io/component-base/version.gitMinor=$(echo "$version" | cut -d. -f2)"
    # shellcheck disable=SC2086  # a list of package names
    (cd "$here" && CGO_ENABLED=0 go build -trimpath -ldflags "-s -w $stamps" -o "$bin/" $packages)
    [ ! -e "$bin/server" ] || mv "$bin/server" "$bin/etcd"  # etcd's package is called "server"
fi

complete || { echo "error: $bin lacks one of: $names" >&2; exit 1; }
echo "$stamp" >"$bin/.stamp"
echo "control plane $version is ready in $bin"
