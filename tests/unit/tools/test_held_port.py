"""The port that a server has chosen is its own at once, not half a second later."""

import socket
from contextlib import ExitStack
from types import SimpleNamespace

import pytest
from jupyter_server.serverapp import ServerApp

from course_lib.tools import server
from course_lib.tools.held_port import HeldPortServer

# tornado leaves a socket that it could not bind to the garbage collector
pytestmark = pytest.mark.filterwarnings(
    "ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"
)


@pytest.fixture
def free() -> int:
    """A port that nobody has, far from those that other tests' servers take."""
    with socket.socket() as probe:
        probe.bind((server.HOST, 0))
        return probe.getsockname()[1]


def chosen(kind, port: int, held: ExitStack) -> ServerApp:
    one = kind(ip=server.HOST, port=port, port_retries=50)
    one._find_http_port()
    for each in getattr(one, "_held", ()):
        held.callback(each.close)
    return one


def test_two_servers_that_choose_at_the_same_moment_have_two_ports(free):
    with ExitStack() as held:
        first, second = (chosen(ServerApp, free, held) for _ in range(2))
        assert first.port == second.port  # why there is another one
        first, second = (chosen(HeldPortServer, free, held) for _ in range(2))
        assert free == first.port < second.port
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
