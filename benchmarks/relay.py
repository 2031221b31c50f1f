"""A delaying link: TCP connections are passed on, every byte a fixed time later, either way.

    python -m benchmarks.relay MILLISECONDS PORT:TARGET …

For machines on which `tc netem` cannot be used. Bandwidth is not limited. Says "ready", ends when its input does.
"""

from __future__ import annotations

import asyncio
import os
import socket
import sys

_CHUNK = 1 << 18


async def _carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, seconds: float) -> None:
    """Copies one direction. The queue holds what is on its way: its length is bandwidth times delay."""
    loop = asyncio.get_running_loop()
    under_way: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()

    async def deliver() -> None:
        while True:
            due, data = await under_way.get()
            wait = due - loop.time()
            if wait > 0:
                await asyncio.sleep(wait)
            if not data:
                break
            writer.write(data)
            await writer.drain()
        writer.close()

    delivery = asyncio.create_task(deliver())
    while True:
        try:
            data = await reader.read(_CHUNK)
        except OSError:
            data = b""
        under_way.put_nowait((loop.time() + seconds, data))
        if not data:
            break
    await asyncio.gather(delivery, return_exceptions=True)


async def _serve(seconds: float, pairs: list[tuple[int, int]]) -> None:
    tasks: set[asyncio.Task[None]] = set()

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, target: int) -> None:
        try:
            onward, back = await asyncio.open_connection("127.0.0.1", target, limit=_CHUNK)
        except OSError:
            writer.close()  # nobody listens there yet: who called calls again
            return
        for way in (writer, back):
            way.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for task in (_carry(reader, back, seconds), _carry(onward, writer, seconds)):
            started = asyncio.create_task(task)
            tasks.add(started)
            started.add_done_callback(tasks.discard)

    for port, target in pairs:
        await asyncio.start_server(lambda r, w, target=target: accept(r, w, target), "127.0.0.1", port, limit=_CHUNK)
    os.write(1, b"ready\n")
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


def main() -> None:
    """Runs until the standard input ends."""
    milliseconds, *pairs = sys.argv[1:]
    ports = [(int(port), int(target)) for port, _, target in (pair.partition(":") for pair in pairs)]
    asyncio.run(_serve(float(milliseconds) / 1000, ports))


if __name__ == "__main__":
    main()
