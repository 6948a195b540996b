"""What the doors speak: TLS where there is a certificate; plain only where nobody else can read along."""

import ssl

from server import tls
from server.settings import Settings, SettingsError

_WAY_OUT = (
    "Give BUSWARE_TLS_CERT and BUSWARE_TLS_KEY; or, on a network that is yours alone, BUSWARE_PLAIN=true."
)


def secure(settings: Settings) -> ssl.SSLContext | None:
    """The TLS of both ports, or None for plain. Raises SettingsError where that is not to be had."""
    certificate, key = settings.tls_cert, settings.tls_key
    if certificate and key:
        try:
            return tls.server_context(certificate, key)
        except OSError as error:  # ssl.SSLError is one
            raise SettingsError(
                f"BUSWARE_TLS_CERT ({certificate}) and BUSWARE_TLS_KEY ({key}) will not do: {error}."
            ) from None
    if certificate or key:
        raise SettingsError("BUSWARE_TLS_CERT and BUSWARE_TLS_KEY: give both, or neither.")
    if not settings.plain and not tls.is_loopback(settings.host):
        raise SettingsError(
            f"BUSWARE_HOST={settings.host} lets other machines in, and without TLS others could read "
            f"along. {_WAY_OUT}"
        )
    return None
