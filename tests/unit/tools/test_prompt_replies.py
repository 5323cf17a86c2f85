"""A kernel's messages go to the browser at once: Nagle's algorithm is off on each connection."""

from types import SimpleNamespace

from course_lib.tools import prompt_replies


def test_each_connection_to_a_kernel_is_without_nagle():
    done = []

    class Connection:
        def __init__(self, websocket_handler):
            self.websocket_handler = websocket_handler

        def connect(self):
            done.append("connect")
            return "connected"

    server = SimpleNamespace(web_app=SimpleNamespace(settings={prompt_replies.CONNECTION: Connection}))
    prompt_replies._load_jupyter_server_extension(server)
    connection = server.web_app.settings[prompt_replies.CONNECTION](
        websocket_handler=SimpleNamespace(set_nodelay=lambda value: done.append(value))
    )
    assert connection.connect() == "connected" and done == [True, "connect"]
