"""Children: pilotfish's own commands as child processes, for as long as a block lasts."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from pilotfish.runtime.trouble import StartError


@asynccontextmanager
async def child(*arguments: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run `pilotfish` with these arguments; its standard output is a pipe."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "pilotfish",
        *arguments,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        process_group=0,  # Ctrl-C is ours to pass on
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


@asynccontextmanager
async def embedded_cluster(folder: Path, *options: str) -> AsyncIterator[Path]:
    """Run a cluster without a scheduler; yields its kubeconfig.

    Args:
        folder: an empty one, for the kubeconfig.
        options: further ones of `pilotfish cluster`.

    Raises:
        StartError: it does not start.
    """
    kubeconfig = folder / "kubeconfig"
    arguments = ("cluster", "--no-scheduler", "--kubeconfig", str(kubeconfig), *options)
    async with child(*arguments) as cluster:
        line = await cluster.stdout.readline() if cluster.stdout else b""
        if b"is up" not in line:
            said = line.decode(errors="replace").strip() or "it ended"
            raise StartError(f"the embedded cluster did not start: {said}", hint="try it again")
        yield kubeconfig
