"""Kernels that start quickly: each is forked from one process that has imported IPython, torch and more.

To import these costs a kernel four seconds, and every browser test has a kernel of its own. Nothing of the
course is imported beforehand: some of its modules look for the notebook when they are imported.

This file is three programs. `serve` is the process that forks. A kernel's command runs this file: it asks
`serve` for a process, and stands for it until one of the two ends. `_be_a_kernel` is what is forked.
"""

import importlib
import json
import os
import select
import signal
import socket
import sys
import threading
import time

IMPORTED = (
    *("IPython.core.interactiveshell", "ipykernel.kernelapp", "ipykernel.ipkernel", "ipykernel.zmqshell"),
    *("numpy", "torch", "matplotlib.axes", "matplotlib.backends.backend_agg", "PIL.Image", "anywidget"),
)


def serve(address: str) -> None:
    """Listen at the Unix socket `address`; fork a kernel for each command that asks, until stdin ends."""
    sys.path[0] = ""  # not this folder
    for module in IMPORTED:
        importlib.import_module(module)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for the kernels
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(f"{address}.new")
        listening.listen()
        os.rename(f"{address}.new", address)
        while sys.stdin not in select.select([listening, sys.stdin], [], [])[0]:
            command, _ = listening.accept()
            if os.fork() == 0:
                try:
                    listening.close()
                    _be_a_kernel(command)
                finally:
                    os._exit(1)
            command.close()


def _be_a_kernel(command: socket.socket) -> None:
    asked, streams, *_ = socket.recv_fds(command, 2**16, 3)
    while not asked.endswith(b"\n"):
        asked += command.recv(2**16)
    asked = json.loads(asked)
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.setsid()
    os.chdir(asked["folder"])
    os.environ.clear()
    os.environ.update(asked["variables"])
    command.sendall(str(os.getpid()).encode())

    def end_with_the_command() -> None:
        command.recv(1)
        os._exit(1)

    threading.Thread(target=end_with_the_command, daemon=True).start()
    sys.argv = ["ipykernel_launcher.py", *asked["arguments"]]
    importlib.import_module("ipykernel.kernelapp").launch_new_instance()


def stand_for_a_kernel(address: str, arguments: list[str]) -> None:
    """What Jupyter starts, interrupts and kills as the kernel."""
    variables = {name: text for name, text in os.environ.items() if name != "JPY_PARENT_PID"}
    asked = {"arguments": arguments, "folder": os.getcwd(), "variables": variables}
    with socket.socket(socket.AF_UNIX) as kernel:
        while not os.path.exists(address):  # `serve` is importing
            time.sleep(0.1)
        kernel.connect(address)
        socket.send_fds(kernel, [json.dumps(asked).encode() + b"\n"], [0, 1, 2])
        number = int(kernel.recv(20))
        signal.signal(signal.SIGINT, lambda *_: os.kill(number, signal.SIGINT))
        kernel.recv(1)  # until it ends


if __name__ == "__main__":
    if sys.argv[1] == "serve":
        serve(sys.argv[2])
    else:
        stand_for_a_kernel(sys.argv[1], sys.argv[2:])
