"""Derive the table by which the embedded cluster reads protobuf bodies; needs Go.

python hack/derive_protobuf.py

Facts only: field numbers, JSON names and types of the public Go types (derive_protobuf.go).
"""

import gzip
import json
import subprocess
from pathlib import Path

from derive_schema import KINDS

HERE = Path(__file__).resolve().parent
TABLE = HERE.parent / "src/pilotfish/apiserver/protobuf.json.gz"


def main() -> None:
    """Write the table."""
    lines = [f"{version} {kind}\n" for version, kinds in KINDS.items() for kind in kinds.split()]
    done = subprocess.run(
        ["go", "run", "-mod=readonly", "../derive_protobuf.go"],
        cwd=HERE / "controlplane",
        input="".join(lines),
        capture_output=True,
        text=True,
        check=True,
    )
    table = json.dumps(json.loads(done.stdout), sort_keys=True, separators=(",", ":"))
    TABLE.write_bytes(gzip.compress(table.encode(), mtime=0))
    print(f"{TABLE.name}: {TABLE.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
