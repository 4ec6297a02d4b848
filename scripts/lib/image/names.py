"""Whether the program of an unpacked image finds a host by DNS: `names.py CONTAINED DIR SHARED`.

Runs in a network name space of its own, where this script is the only name server and the only host.
"""

from __future__ import annotations

import fcntl
import socket
import struct
import subprocess
import sys
import threading
from pathlib import Path

HOST = b"\x03hub\x06eduhub\x04test\x00"
SIOCSIFFLAGS, IFF_UP, TYPE_A = 0x8914, 1, 1


def answer(server: socket.socket) -> None:
    """Says 127.0.0.1 for the A record of HOST; for all else that the name exists without such a record."""
    while True:
        query, peer = server.recvfrom(512)
        end = query.index(b"\x00", 12) + 5
        question, kind = query[12:end], struct.unpack(">H", query[end - 4 : end - 2])[0]
        found = question.startswith(HOST) and kind == TYPE_A
        head = query[:2] + struct.pack(">HHHHH", 0x8180, 1, int(found), 0, 0)
        record = b"\xc0\x0c" + struct.pack(">HHIH", TYPE_A, 1, 60, 4) + socket.inet_aton("127.0.0.1")
        server.sendto(head + question + (record if found else b""), peer)


def main() -> None:
    """Ends with an error unless the program connects to the host of that name."""
    contained, directory, shared = sys.argv[1:]
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    fcntl.ioctl(server, SIOCSIFFLAGS, struct.pack("16sH14x", b"lo", IFF_UP))
    server.bind(("127.0.0.1", 53))
    threading.Thread(target=answer, args=(server,), daemon=True).start()
    (Path(directory) / "resolv.conf").write_text("nameserver 127.0.0.1\n")
    listener = socket.create_server(("127.0.0.1", 0))
    listener.settimeout(10)
    url = f"http://hub.eduhub.test:{listener.getsockname()[1]}"
    program = subprocess.Popen([contained, directory, shared, "healthcheck", url], stderr=subprocess.PIPE, text=True)
    try:
        listener.accept()[0].close()
    except TimeoutError:
        sys.exit(f"error: nobody connects to {url}: {program.communicate()[1]}")
    finally:
        program.wait(timeout=10)


if __name__ == "__main__":
    main()
