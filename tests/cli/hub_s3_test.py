"""Devices of an account whose hub keeps its blobs in a real S3."""
import datetime
import hashlib
import hmac
import re
import subprocess
import unittest
import urllib.request

from hub_test import Hub, WithAHub
from program import DATA

ACCESS, SECRET, BUCKET = "test:tester", "testing", "blobs"


def signed(method, url):
    """A request of AWS's Signature V4, without a body."""
    host, path = re.fullmatch(r"http://([^/]+)(/.*)", url).groups()
    now = datetime.datetime.now(datetime.timezone.utc)
    stamp, empty = now.strftime("%Y%m%dT%H%M%SZ"), hashlib.sha256().hexdigest()
    names = "host;x-amz-content-sha256;x-amz-date"
    path, _, query = path.partition("?")
    text = "\n".join([method, path, query, f"host:{host}",
                      f"x-amz-content-sha256:{empty}", f"x-amz-date:{stamp}",
                      "", names, empty])
    scope = f"{stamp[:8]}/us-east-1/s3/aws4_request"
    text = "\n".join(["AWS4-HMAC-SHA256", stamp, scope,
                      hashlib.sha256(text.encode()).hexdigest()])
    key = b"AWS4" + SECRET.encode()
    for part in (*scope.split("/"), text):
        key = hmac.new(key, part.encode(), "sha256").digest()
    request = urllib.request.Request(url, method=method, headers={
        "x-amz-date": stamp, "x-amz-content-sha256": empty,
        "Authorization": f"AWS4-HMAC-SHA256 Credential={ACCESS}/{scope}, "
                         f"SignedHeaders={names}, Signature={key.hex()}"})
    with urllib.request.urlopen(request, timeout=20) as answer:
        return answer.read().decode()


class S3Hub(Hub):
    def start(self):
        if self.process is None and not hasattr(self, "s3"):
            self.start_s3()
        keys = self.folder.parent / "s3.keys"
        keys.write_text(f"access-key = {ACCESS}\nsecret-key = {SECRET}\n")
        keys.chmod(0o600)
        self.options = ("--blobs", f"s3://{BUCKET}?endpoint={self.s3}",
                        "--blobs-keys", keys)
        super().start()

    def start_s3(self):
        server = DATA / "hub" / "s3_server.py"
        process = subprocess.Popen(
            ["/usr/bin/python3", "-B", server, self.folder.parent / "s3"],
            stdout=subprocess.PIPE, text=True)
        self.case.addCleanup(process.stdout.close)
        self.case.addCleanup(process.wait)
        self.case.addCleanup(process.kill)
        self.s3 = process.stdout.readline().strip()
        signed("PUT", f"{self.s3}/{BUCKET}")

    def objects(self):
        listing = signed("GET", f"{self.s3}/{BUCKET}")
        return re.findall(r"<Key>([^<]+)</Key>", listing)


class Blobs(WithAHub):
    def start_hub(self):
        return S3Hub(self, self.folder / "hub")

    def test_a_media_file_travels_through_the_s3(self):
        picture = self.folder / "picture.bin"
        picture.write_bytes(bytes(range(256)) * 3000)
        [file] = self.laptop.json("files", "add", picture)
        self.laptop.ok("sync", "hub")
        self.assertGreater(len(self.hub.objects()), 0)
        self.assertFalse((self.folder / "hub" / "blobs").exists())
        phone = self.login("phone")
        phone.ok("sync", "hub")
        out = self.folder / "out.bin"
        phone.ok("files", "get", file["id"], out)
        self.assertEqual(picture.read_bytes(), out.read_bytes())


if __name__ == "__main__":
    unittest.main()
