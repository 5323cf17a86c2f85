"""A server whose port is its own from the moment that it is chosen.

Jupyter's server looks for a free port, lets go of it, and takes it half a second later, when it is ready.
What starts in between has it then, a second start of the course, say, and the server stops. This one holds
it: who asks in between waits that half second for an answer.

And it stops without a word of the log: `lab` says itself that it has stopped.
"""

from jupyter_server.serverapp import ServerApp
from tornado.netutil import bind_sockets

STOPPING = ("_confirm_exit", "_signal_stop")  # Jupyter's functions that are called at Ctrl-C and log it


class HeldPortServer(ServerApp):
    _held = ()  # sockets that listen, and that nobody answers yet

    def init_signal(self) -> None:
        super().init_signal()
        self.log.addFilter(lambda record: record.funcName not in STOPPING)

    def _find_http_port(self) -> None:
        for port in range(self.port, self.port + self.port_retries + 1):
            try:
                self._held = bind_sockets(port, self.ip)
            except OSError:
                continue
            self.port = port
            return
        super()._find_http_port()  # says what is wrong, and ends

    def _bind_http_server_tcp(self) -> bool:
        self.http_server.add_sockets(self._held)
        return bool(self._held) or super()._bind_http_server_tcp()
