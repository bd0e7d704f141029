"""Processes that begin with what takes long to load: forked from a server that loads it once in a run of the tests.

`command("brief_worker", "main")` is what `subprocess` starts instead of a Python that imports the module `brief_worker`
of this folder and calls its `main`: with its own streams, folder and environment, and killed or ended with the same code.
"""

from __future__ import annotations

import atexit
import contextlib
import gc
import importlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path


def command(module: str, function: str) -> list[str]:
    """How to start a process that calls a function, whose arguments may follow in `sys.argv`."""
    if not hasattr(os, "pidfd_open"):  # which Linux has: others load anew
        code = f"import sys; sys.path.insert(0, {str(Path(__file__).parent)!r}); import {module}; {module}.{function}()"
        return [sys.executable, "-c", code]
    return [sys.executable, "-IS", __file__, _server(module), function]


def _server(module: str) -> str:
    """The address of the server of a module, which all processes of a run of the tests share."""
    import fcntl

    run = os.environ.get("PYTEST_XDIST_TESTRUNUID", str(os.getpid()))
    folder = Path(tempfile.gettempdir(), f"cnncalc-tests-{run}")
    folder.mkdir(mode=0o700, exist_ok=True)
    address = folder / module
    with open(f"{address}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not address.exists():
            # It ends when its input does, and that is when this process ends.
            server = subprocess.Popen([sys.executable, __file__, str(address)], stdin=subprocess.PIPE, text=True)
            atexit.register(server.communicate)
            while not address.exists():
                assert server.poll() is None, f"{module} cannot be loaded"
                time.sleep(0.05)
    return str(address)


def _serve(address: str) -> None:
    """Load a module, and call a function of it in a process of its own for each who asks."""
    module = importlib.import_module(Path(address).name)
    gc.freeze()  # what is loaded is no garbage, in no process
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    listening.bind(address + ".new")
    listening.listen()
    os.rename(address + ".new", address)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for those who attend
    while sys.stdin not in select.select([listening, sys.stdin], [], [])[0]:
        asking, _ = listening.accept()
        if os.fork() == 0:
            _attend(asking, module)
        asking.close()
    with contextlib.suppress(OSError):  # the last one takes the folder away
        os.unlink(address)
        os.unlink(address + ".lock")
        os.rmdir(os.path.dirname(address))


def _attend(asking: socket.socket, module: object) -> None:
    """Fork once more, tell how it ended, and end it when who asked for it is gone."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    text, streams, _, _ = socket.recv_fds(asking, 1 << 20, 3)
    arguments, folder, environment = json.loads(text)
    child = os.fork()
    if child == 0:
        for number, stream in enumerate(streams):
            os.dup2(stream, number)
        os.chdir(folder)
        os.environ.clear()
        os.environ.update(environment)
        sys.argv = arguments
        getattr(module, arguments[0])()
        sys.stdout.flush()
        sys.exit()
    for stream in streams:
        os.close(stream)
    ended = os.pidfd_open(child)
    if ended not in select.select([asking, ended], [], [])[0]:
        os.kill(child, signal.SIGKILL)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    with contextlib.suppress(OSError):
        asking.send(json.dumps(code).encode())
    os._exit(0)


def _ask(address: str, *arguments: str) -> int:
    """Have a process started that has the streams of this one; its exit code."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as server:
        server.connect(address)
        text = json.dumps([arguments, os.getcwd(), dict(os.environ)])
        socket.send_fds(server, [text.encode()], [0, 1, 2])
        return int(server.recv(16))


if __name__ == "__main__":
    if len(sys.argv) == 2:
        _serve(sys.argv[1])
    else:
        code = _ask(*sys.argv[1:])
        if code < 0:
            os.kill(os.getpid(), -code)
        sys.exit(code)
