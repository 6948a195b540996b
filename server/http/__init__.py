"""The HTTP server: Starlette on uvicorn, in a thread of its own, with the requests and operations of TCP.

  server         starts and drains it            limits     limits on request heads and connections
  app            paths → handlers                routes     path, query and body → request struct
  executor       executes requests in threads    problems   errors as RFC 9457 problem details
  workers        threads with a fair queue       origins    which web pages may send requests
  event_streams  server-sent events              hotel      the hotel's API at /hotel
  health         health checks and metrics
  openapi        the document at /schema         examples   of every request and reply
  page           its page for browsers           agent_examples, invoice_examples, payment_examples
  openapi_webhooks  its webhooks                 webhook_examples
  payment_webhooks  webhooks of providers of payments

Every method of the protocol is a resource (`Request.resources`). The handlers, the OpenAPI document and the
client (client/http_client.py) are made from these.
"""

from busware.server.http.server import HttpServer

__all__ = ["HttpServer"]
