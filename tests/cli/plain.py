"""A program that is no Satchel: it speaks to a peer with what Python has.

It follows docs/formats/peer-protocol.md and nothing else. Ed25519 is that of
RFC 8032, 5.1, in plain integers.
"""
import base64
import hashlib
import http.client
import json
import os
import re
import ssl

P = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P


def add(a, b):
    (x1, y1, z1, t1), (x2, y2, z2, t2) = a, b
    e, f = (y1 - x1) * (y2 - x2) % P, (y1 + x1) * (y2 + x2) % P
    g, h = 2 * t1 * t2 * D % P, 2 * z1 * z2 % P
    return ((f - e) * (h - g) % P, (h + g) * (f + e) % P,
            (h - g) * (h + g) % P, (f - e) * (f + e) % P)


def times(n, point):
    result = (0, 1, 1, 0)
    while n > 0:
        if n & 1:
            result = add(result, point)
        point = add(point, point)
        n >>= 1
    return result


def base_point():
    y = 4 * pow(5, P - 2, P) % P
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * pow(2, (P - 1) // 4, P) % P
    x = x if x % 2 == 0 else P - x
    return (x, y, 1, x * y % P)


BASE = base_point()


def compress(point):
    inverse = pow(point[2], P - 2, P)
    x, y = point[0] * inverse % P, point[1] * inverse % P
    return (y | (x & 1) << 255).to_bytes(32, "little")


def number(*parts):
    return int.from_bytes(hashlib.sha512(b"".join(parts)).digest(), "little")


class Key:
    def __init__(self, seed):
        digest = hashlib.sha512(seed).digest()
        self.secret = int.from_bytes(digest[:32], "little")
        self.secret &= (1 << 254) - 8
        self.secret |= 1 << 254
        self.prefix = digest[32:]
        self.public = compress(times(self.secret, BASE))
        self.device_id = hashlib.sha256(self.public).hexdigest()

    def sign(self, message):
        r = number(self.prefix, message) % ORDER
        point = compress(times(r, BASE))
        k = number(point, self.public, message) % ORDER
        return point + ((r + k * self.secret) % ORDER).to_bytes(32, "little")


class Client:
    """Asks the peer at `address`, https://host:port#device-id, in JSON."""

    def __init__(self, address, seed=None):
        host, self.peer = re.fullmatch(r"https://(.+)#([0-9a-f]{64})",
                                       address).groups()
        self.host = host
        self.key = Key(seed or os.urandom(32))
        trusting = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        trusting.check_hostname = False
        trusting.verify_mode = ssl.CERT_NONE
        self.line = http.client.HTTPSConnection(host, context=trusting,
                                                timeout=60)
        self.nonce = ""

    def close(self):
        self.line.close()

    def ask(self, method, target, value=None):
        """The status and the tree of the answer; asks twice where the first
        nonce was not good."""
        status, answer = self.once(method, target, value)
        if status == 401:
            status, answer = self.once(method, target, value)
        return status, answer

    def once(self, method, target, value):
        body = b"" if value is None else json.dumps(value).encode()
        path, _, query = target.partition("?")
        digest = base64.b64encode(hashlib.sha256(body).digest()).decode()
        fields = {"content-digest": f"sha-256=:{digest}:",
                  "satchel-recipient": self.peer}
        if value is not None:
            fields["content-type"] = "application/json"
        covered = {"@method": method, "@authority": self.host, "@path": path,
                   "@query": "?" + query, **fields}
        parameters = "({});keyid=\"{}\";nonce=\"{}\";tag=\"satchel\"".format(
            " ".join(f'"{name}"' for name in covered),
            self.key.public.hex(), self.nonce)
        lines = [f'"{name}": {text}' for name, text in covered.items()]
        lines.append(f'"@signature-params": {parameters}')
        signature = self.key.sign("\n".join(lines).encode())
        self.line.request(method, target, body, {
            **fields, "Accept": "application/json",
            "Signature-Input": "sig=" + parameters,
            "Signature":
                f"sig=:{base64.b64encode(signature).decode()}:"})
        answer = self.line.getresponse()
        text = answer.read()
        self.nonce = answer.headers.get("Satchel-Nonce", "")
        return answer.status, json.loads(text) if text else None

    def register(self, name):
        return self.ask("POST", "/devices/register", {
            "device_id": self.key.device_id, "device_name": name,
            "public_key": self.key.public.hex()})

    def push(self, *changes):
        return self.ask("POST", "/sync/push", {"changes": list(changes)})

    def pull(self, since=0):
        return self.ask("POST", "/sync/pull", {"since_version": since})
