"""Signatures by which a receiver knows that a post is this router's, as the Standard Webhooks specification has them.

https://www.standardwebhooks.com: HMAC-SHA256 of `id.timestamp.body`, for which there are libraries in most languages.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac

from banditroute.errors import ConfigError

_PREFIX = "whsec_"


def signing_key(secret: str) -> bytes:
    """The key that a secret stands for: base64 after `whsec_`, and else its own bytes.

    Raises:
        ConfigError: it is empty, or no base64; the secret is not in the message.
    """
    if not secret.strip():
        raise ConfigError("the secret is empty", remedy="export it, or take secret_env out")
    if not secret.startswith(_PREFIX):
        return secret.encode()
    try:
        return base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
    except (binascii.Error, ValueError):
        raise ConfigError("the secret after whsec_ is no base64 (not shown)", remedy="copy it whole") from None


def signed(key: bytes, message_id: str, timestamp: int, body: bytes) -> str:
    """The value of the `webhook-signature` header."""
    digest = hmac.new(key, f"{message_id}.{timestamp}.".encode() + body, hashlib.sha256).digest()
    return f"v1,{base64.b64encode(digest).decode()}"
