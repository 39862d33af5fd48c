"""Access tokens as OAuth makes them."""

import base64
import json


def jwt(expires):
    """A JSON Web Token that says when it expires; nobody here checks its signature."""
    parts = [{"alg": "RS256", "typ": "at+jwt"}, {"sub": "somebody", "exp": expires}]
    texts = [base64.urlsafe_b64encode(json.dumps(part).encode()) for part in parts]
    return b".".join([*texts, b"c2lnbmF0dXJl"]).decode().replace("=", "")
