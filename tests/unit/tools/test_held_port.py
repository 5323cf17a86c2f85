"""The port that a server has chosen is its own at once, not half a second later."""

import socket
from contextlib import ExitStack
from types import SimpleNamespace

import pytest
from jupyter_server.serverapp import ServerApp

from course_lib.tools import server
from course_lib.tools.held_port import HeldPortServer
from course_lib.tools.lab import FIRST_PORT

# tornado leaves a socket that it could not bind to the garbage collector
pytestmark = pytest.mark.filterwarnings(
    "ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"
)


def chosen(kind, held: ExitStack, retries: int = 50) -> ServerApp:
    one = kind(ip=server.HOST, port=FIRST_PORT, port_retries=retries)
    one._find_http_port()
    for each in getattr(one, "_held", ()):
        held.callback(each.close)
    return one


def test_two_servers_that_choose_at_the_same_moment_have_two_ports():
    with ExitStack() as held:
        first, second = (chosen(ServerApp, held) for _ in range(2))
        assert first.port == second.port  # why there is another one
        first, second = (chosen(HeldPortServer, held) for _ in range(2))
        assert FIRST_PORT <= first.port < second.port < FIRST_PORT + 51
        for one in (first, second):
            answered = []
            one._http_server = SimpleNamespace(add_sockets=answered.extend)
            assert one._bind_http_server_tcp() and answered == one._held
            assert answered[0].getsockname()[:2] == (server.HOST, one.port)


def test_a_port_that_was_asked_for_and_is_taken_ends_the_server():
    with socket.socket() as taken:
        taken.bind((server.HOST, 0))
        taken.listen()
        one = HeldPortServer(ip=server.HOST, port=taken.getsockname()[1], port_retries=0)
        with pytest.raises(SystemExit):
            one._find_http_port()
