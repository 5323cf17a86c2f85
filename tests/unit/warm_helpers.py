"""Programs in processes of their own, without the seconds that importing torch costs each of them.

One process imports torch; each program that a test starts is a copy of it (a fork), which then goes on with
its own code, arguments, variables, folder and pipes. It knows nothing of the test's process, and nothing of
course_lib is imported before it begins. Elsewhere than on Linux (Windows has no fork, and macOS warns of it)
each program is a Python of its own.
"""

import atexit
import contextlib
import functools
import json
import os
import select
import signal
import socket
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

# `torch._dynamo` is what the first step of an optimizer imports. A child of the server forks the program
# itself, tells its id, and then how it ended.
SERVER = """
import gc, importlib, json, os, signal, socket, sys
import torch, torch._dynamo

def next_program(control):
    watchers = set()
    while True:
        begun, fds, *_ = socket.recv_fds(control, 1, 4)
        while watchers and (ended := os.waitpid(-1, os.WNOHANG)[0]):
            watchers.remove(ended)
        if not begun:
            os._exit(0)
        told = json.loads((begun + told_until_newline(control)).decode())
        for name in told["imports"]:
            importlib.import_module(name)
        gc.freeze()  # a copy need not look through what was imported
        watcher = os.fork()
        if watcher == 0:
            control.close()
            program = os.fork()
            if program == 0:
                return told, fds
            *pipes, says = fds
            for fd in (0, 1, 2, *pipes):
                os.close(fd)
            os.write(says, b"%d\\n" % program)
            _, status = os.waitpid(program, 0)
            os.write(says, b"%d\\n" % os.waitstatus_to_exitcode(status))
            os._exit(0)
        watchers.add(watcher)
        for fd in fds:
            os.close(fd)

def told_until_newline(control):
    told = b""
    while not told.endswith(b"\\n"):
        told += control.recv(65_536) or os._exit(1)
    return told

signal.signal(signal.SIGINT, signal.SIG_IGN)
told, fds = next_program(socket.socket(fileno=int(sys.argv[1])))
signal.signal(signal.SIGINT, signal.default_int_handler)
for number, fd in enumerate(fds[:3]):
    os.dup2(fd, number)
for fd in fds:
    os.close(fd)
for stream, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
    number = ("stdin", "stdout", "stderr").index(stream)
    line = stream == "stderr" or os.isatty(number)
    setattr(sys, stream, open(number, mode, encoding="utf-8", buffering=1 if line else -1, closefd=False))
os.chdir(told["cwd"])
os.environ.clear()
os.environ.update(told["env"])
sys.argv[1:] = told["arguments"]
exec(compile(told["code"], "<string>", "exec"), {"__name__": "__main__"})
"""


class Program:
    """As much of `subprocess.Popen` as the tests use, for a copy of the server."""

    def __init__(self, code, arguments, imports, env, cwd, stdin, stdout, stderr) -> None:
        self.returncode = None
        theirs, ours = [], []
        for kind, number, writes in ((stdin, 0, False), (stdout, 1, True), (stderr, 2, True)):
            if kind == subprocess.PIPE:
                ends = os.pipe()
                theirs.append(ends[writes])
                ours.append(os.fdopen(ends[not writes], "r" if writes else "w", encoding="utf-8"))
            else:
                theirs.append(os.dup(number if kind is None else kind))
                ours.append(None)
        self.stdin, self.stdout, self.stderr = ours
        self._says, says = os.pipe()
        told = {"code": code, "arguments": arguments, "imports": imports, "env": env, "cwd": str(cwd)}
        control, content = _control(), json.dumps(told).encode() + b"\n"
        socket.send_fds(control, [content[:1]], [*theirs, says])
        control.sendall(content[1:])
        for fd in (*theirs, says):
            os.close(fd)
        self.pid = self._number(None)

    def _number(self, timeout):
        """The next number that is told of the program: its id, and at its end its code."""
        if not select.select([self._says], [], [], timeout)[0]:
            return None
        said = b""
        while not said.endswith(b"\n"):
            said += os.read(self._says, 1)
        return int(said)

    def poll(self):
        if self.returncode is None:
            self._ended(0)
        return self.returncode

    def wait(self, timeout=None):
        if self.returncode is None and not self._ended(timeout):
            raise subprocess.TimeoutExpired("a program", timeout)
        return self.returncode

    def _ended(self, timeout):
        self.returncode = self._number(timeout)
        if self.returncode is not None:
            os.close(self._says)
        return self.returncode is not None

    def send_signal(self, number):
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self):
        self.send_signal(signal.SIGKILL)

    def __enter__(self):
        return self

    def __exit__(self, *error):
        for pipe in filter(None, (self.stdin, self.stdout, self.stderr)):
            with contextlib.suppress(BrokenPipeError):
                pipe.close()
        self.wait()


@functools.cache
def _control() -> socket.socket:
    """The line to the server, which is started when it is first needed and ends with this process."""
    ours, theirs = socket.socketpair()
    path = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]).rstrip(os.pathsep)
    server = subprocess.Popen(
        [sys.executable, "-c", SERVER, str(theirs.fileno())],
        env={**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": "1"},
        cwd=ROOT, stdin=subprocess.DEVNULL, pass_fds=[theirs.fileno()],
    )  # fmt: skip
    theirs.close()

    def end() -> None:
        ours.close()
        server.wait()

    atexit.register(end)
    return ours


def start(code, *arguments, imports=(), env=None, cwd=ROOT, stdin=None, stdout=None, stderr=None):
    """Start a program, as `subprocess.Popen([sys.executable, "-c", code, *arguments], text=True)` would.

    env: variables to add; None takes one away.
    imports: modules beside torch that several programs need, and that the server imports once for them.
    """
    env = {**os.environ, **(env or {}), "OMP_NUM_THREADS": "1"}
    env = {name: value for name, value in env.items() if value is not None}
    if sys.platform == "linux":
        return Program(code, arguments, imports, env, cwd, stdin, stdout, stderr)
    env["PYTHONPATH"] = os.pathsep.join([str(ROOT), env.get("PYTHONPATH", "")])
    pipes = {"stdin": stdin, "stdout": stdout, "stderr": stderr}
    command = [sys.executable, "-c", code, *arguments]
    return subprocess.Popen(command, env=env, cwd=cwd, text=True, encoding="utf-8", **pipes)
