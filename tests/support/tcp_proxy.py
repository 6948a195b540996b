"""A TCP proxy between the code under test and PostgreSQL, which can break connections and hold replies."""

import select
import socket
import threading
from contextlib import suppress

import psycopg


class TcpProxy:
    """Forwards TCP connections to PostgreSQL. `url` connects through it.

    drops_replies: if True, the next reply of PostgreSQL is lost and the connection breaks; then False again.
    held_replies: the bytes that PostgreSQL has sent since `hold_replies`; else None.
    """

    def __init__(self, url):
        self._target = psycopg.conninfo.conninfo_to_dict(url)
        self._listen(0)
        self.url = url.replace(f":{self._target['port']}/", f":{self._port}/")
        self.drops_replies = False
        self.held_replies = None
        self._connections = []

    def stop(self):
        """Break all connections and refuse new ones."""
        self._listener.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self.break_connections()

    def restart(self):
        """Accept connections again, after `stop`."""
        self._listener.close()
        self._listen(self._port)

    def close(self):
        """Stop, and free the port."""
        self.stop()
        self._listener.close()

    def break_connections(self):
        """Break all connections. The client notices at once, PostgreSQL when it sends its next reply."""
        for client, _ in list(self._connections):
            with suppress(OSError):  # it is broken already
                client.shutdown(socket.SHUT_RDWR)

    def hold_replies(self):
        """Forward nothing from PostgreSQL until `release_replies`."""
        self.held_replies = bytearray()

    def release_replies(self):
        """Forward all held replies at once. There must be exactly one connection."""
        held, self.held_replies = self.held_replies, None
        ((client, _),) = self._connections
        client.sendall(held)

    def _listen(self, port):
        self._listener = socket.create_server(("127.0.0.1", port))
        self._port = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def _accept(self):
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            postgres = socket.create_connection((self._target["host"], int(self._target["port"])))
            self._connections.append((client, postgres))
            threading.Thread(target=self._forward, args=(client, postgres), daemon=True).start()

    def _forward(self, client, postgres):
        other = {client: postgres, postgres: client}
        broken = False
        with suppress(OSError):  # the other side has closed
            while not broken:
                for end in select.select([client, postgres], [], [])[0]:
                    data = end.recv(65536)
                    broken = broken or not data or (end is postgres and self.drops_replies)
                    if end is postgres and self.held_replies is not None:
                        self.held_replies += data
                    elif not broken:
                        other[end].sendall(data)
        self.drops_replies = False
        self._connections.remove((client, postgres))
        client.close()
        postgres.close()
