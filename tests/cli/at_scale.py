"""A hub at scale: blobs in a real S3, which checks what was signed, and all
else in PostgreSQL. Both are started by the test."""
import hashlib
import hmac
import http.client
import os
import pathlib
import shutil
import subprocess
import tempfile
import time

from hub_test import Hub
from program import DATA


def make_bucket(endpoint, name):
    """PUT /NAME, signed (Signature V4)."""
    host, empty = endpoint.split("//")[1], hashlib.sha256(b"").hexdigest()
    when = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
    fields = {"host": host, "x-amz-content-sha256": empty, "x-amz-date": when}
    names = ";".join(fields)
    request = "\n".join(["PUT", f"/{name}", "", *(
        f"{k}:{v}" for k, v in fields.items()), "", names, empty])
    scope = f"{when[:8]}/us-east-1/s3/aws4_request"
    text = "\n".join(["AWS4-HMAC-SHA256", when, scope,
                      hashlib.sha256(request.encode()).hexdigest()])
    key = b"AWS4testing"
    for part in (when[:8], "us-east-1", "s3", "aws4_request", text):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    connection = http.client.HTTPConnection(host)
    connection.request("PUT", f"/{name}", headers={
        **fields, "Authorization": "AWS4-HMAC-SHA256 Credential=test:tester/"
        f"{scope}, SignedHeaders={names}, Signature={key.hex()}"})
    if connection.getresponse().status not in (200, 204):
        raise AssertionError("no bucket can be made")
    connection.close()


class AtScale:
    """Of a case whose hub is such a one."""

    def start(self, args, **options):
        process = subprocess.Popen(args, stdout=subprocess.PIPE, text=True,
                                   **options)
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return process

    def start_s3(self):
        store = self.start(["/usr/bin/python3", DATA / "hub/s3_server.py",
                            self.folder / "s3"], stderr=subprocess.DEVNULL)
        endpoint = store.stdout.readline().strip()
        make_bucket(endpoint, "backups")
        keys = self.folder / "keys"
        keys.write_text("access-key = test:tester\nsecret-key = testing\n")
        keys.chmod(0o600)
        return ["--blobs", f"s3://backups?endpoint={endpoint}"
                "&region=us-east-1", "--blobs-keys", keys]

    def start_postgres(self):
        """In a folder of the user that it insists on."""
        [*_, programs] = sorted(pathlib.Path("/usr/lib/postgresql")
                                .glob("*/bin"))
        folder = tempfile.TemporaryDirectory(prefix="satchel-pg-")
        self.addCleanup(folder.cleanup)
        user = {}
        if os.geteuid() == 0:
            user = {"user": "postgres", "group": "postgres"}
            shutil.chown(folder.name, "postgres", "postgres")
        data = folder.name + "/db"
        subprocess.run([programs / "initdb", "-D", data, "-U", "postgres", "-A",
                        "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync"],
                       check=True, stdout=subprocess.DEVNULL, cwd="/", **user)
        self.start([programs / "postgres", "-D", data, "-k", folder.name, "-c",
                    "listen_addresses=", "-c", "fsync=off"], cwd="/",
                   stderr=subprocess.DEVNULL, **user)
        until = time.monotonic() + 30
        while subprocess.run([programs / "pg_isready", "-q", "-h",
                              folder.name]).returncode != 0:
            if time.monotonic() > until:
                raise AssertionError("PostgreSQL does not start")
            time.sleep(0.1)
        return ["--database", "postgresql:///postgres?user=postgres&host="
                + folder.name]

    def start_hub(self):
        return Hub(self, self.folder / "hub", *self.start_s3(),
                   *self.start_postgres())

    def objects(self):
        """How many the S3 holds."""
        return len(list((self.folder / "s3").rglob("*.data")))
