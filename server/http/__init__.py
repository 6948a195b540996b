"""The HTTP server: Litestar on uvicorn, in a thread of its own, on the same structs and operations as TCP.

  server         starts and drains it            limits     limits on request heads and on connections
  app            paths → handlers                routes     a request struct ↔ method, path, query, body
  executor       who asks, and carrying it out   problems   refusals as RFC 9457 has them
  event_streams  server-sent events              hotel      the hotel's API at /hotel
  openapi        the description at /schema      examples   of every request and reply
  page           the description for people

Every method of the protocol is a resource (`Request.resource`); the handlers, the description and the client
(client/http_client.py) are made from that alone.
"""

from busware.server.http.server import HttpServer

__all__ = ["HttpServer"]
