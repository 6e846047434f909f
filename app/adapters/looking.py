"""The HTTP client of whatever looks at another part of the service."""

import ssl

import httpx


def http_client(timeout_s: float, base_url: str = "") -> httpx.AsyncClient:
    """A client that calls as the charges do: past the environment's proxies, and with the authorities that they trust.

    Those are the system's, or what `SSL_CERT_FILE` and `SSL_CERT_DIR` name.
    """
    return httpx.AsyncClient(base_url=base_url, timeout=timeout_s, trust_env=False, verify=ssl.create_default_context())
