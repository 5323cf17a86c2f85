"""A kernel's messages go to the browser at once.

A kernel replies in several small messages. Jupyter's server leaves Nagle's algorithm on for them: each waits
until the browser has acknowledged the one before, and a browser that has nothing to send does so after 40 ms
(on Linux). Every click in a live view that asks Python waited for that.

JupyterLab loads this module as an extension of its server (jupyter_server_config.d).
"""

CONNECTION = "kernel_websocket_connection_class"


def _jupyter_server_extension_points() -> list[dict[str, str]]:
    return [{"module": __name__}]


def _load_jupyter_server_extension(server) -> None:
    settings = server.web_app.settings

    class PromptConnection(settings[CONNECTION]):
        def connect(self):
            self.websocket_handler.set_nodelay(True)
            return super().connect()

    settings[CONNECTION] = PromptConnection
