"""Backups at a hub whose storage is in trouble, or at scale."""
import http.client
import http.server
import socketserver
import threading
import time
import unittest

from at_scale import AtScale
from hub_backup_test import AtTheHub
from hub_test import Hub


class Trouble(socketserver.ThreadingTCPServer):
    """Stands before a hub, and spoils what passes: each time that one of
    `plan` is there for a method, that is done to a request for a blob."""
    allow_reuse_address = daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Spoiler)
        self.plan = {"PUT": [], "GET": []}
        self.done = []
        self.port = None  # of the hub

    def take(self, method, path):
        if not path.startswith("/blobs/") or not self.plan[method]:
            return None
        self.done.append(self.plan[method][0])
        return self.plan[method].pop(0)


class Spoiler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def pass_on(self):
        if self.path == "/ws":  # word comes by asking, then
            self.answer(404, {}, b"")
            return
        what = self.server.take(self.command, self.path)
        length = int(self.headers.get("Content-Length", 0))
        if what == "tear":  # in the middle of the request
            self.rfile.read(length // 2)
            self.close_connection = True
            return
        body = self.rfile.read(length)
        if isinstance(what, int):
            self.answer(what, {}, b"")
            return
        if what == "slow":
            time.sleep(1)
        hub = http.client.HTTPConnection("127.0.0.1", self.server.port)
        hub.request(self.command, self.path, body, dict(self.headers))
        got = hub.getresponse()
        content = got.read()
        if what == "unheard":  # it was done, and nobody learns
            self.close_connection = True
            return
        self.answer(got.status, dict(got.getheaders()), content,
                    len(content) // 2 if what == "cut" else None)
        hub.close()

    def answer(self, status, headers, content, cut=None):
        self.send_response(status)
        for name, value in headers.items():
            if name.lower() in ("content-type", "retry-after"):
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content[:cut])
        self.close_connection = cut is not None

    do_PUT = do_GET = do_POST = pass_on

    def log_message(self, *args):
        pass


class Storage(AtTheHub):
    def start_hub(self):
        self.trouble = Trouble()
        threading.Thread(target=self.trouble.serve_forever,
                         daemon=True).start()
        self.addCleanup(self.trouble.server_close)
        self.addCleanup(self.trouble.shutdown)
        url = f"http://127.0.0.1:{self.trouble.server_address[1]}"
        hub = Hub(self, self.folder / "hub", "--origin", url)
        self.trouble.port = int(hub.url.rsplit(":", 1)[1])
        hub.url = url
        return hub

    def test_row_7_and_24_an_upload_comes_through_all_the_same(self):
        self.fill(files=1)
        # 403: the address has run out; a fresh one is asked for.
        for spoiled in ("tear", "unheard", 403, 503, 429, "slow"):
            self.note(str(spoiled))
            self.trouble.plan["PUT"] = [spoiled]
            self.back_up()
            self.assertEqual([], self.trouble.plan["PUT"])
        self.trouble.plan["PUT"] = ["tear", 503, 403]
        self.note("one after the other")
        self.back_up()
        self.laptop.ok("backup", "verify", "--full")

    def test_row_7_and_24_a_download_comes_through_all_the_same(self):
        self.fill(files=1)
        self.back_up()
        for number, spoiled in enumerate(
                (["cut"], [403], [503, "cut", 429], ["slow"])):
            self.trouble.plan["GET"] = list(spoiled)
            phone = self.device(f"phone{number}", init=False)
            result = self.restore(phone)
            self.assertEqual(0, result.code, result.err)
            self.assertEqual([], self.trouble.plan["GET"])
            self.assertEqual("one", self.body(phone))

    def test_row_24_a_store_that_stays_away_is_a_clear_failure(self):
        self.fill(files=1)
        self.back_up()
        self.note("two")
        self.trouble.plan["PUT"] = [503] * 20
        failed = self.laptop.run("backup", "now")
        self.assert_fails(failed, 5)
        self.trouble.plan["PUT"] = []
        self.laptop.ok("backup", "verify", "--full")
        self.assertEqual(2, self.back_up()["version"])


class OverS3(AtScale, AtTheHub):
    def test_a_backup_goes_there_and_comes_back(self):
        self.fill(files=2, size=9000000)
        for version in (1, 2, 3):
            self.note(f"version {version}")
            self.assertEqual(version, self.back_up()["version"])
        self.assertEqual(2, self.laptop.json(
            "backup", "verify", "--full")["verified"])
        for version in (3, 2):
            phone = self.device(f"phone{version}", init=False)
            result = self.restore(phone, version)
            self.assertEqual(0, result.code, result.err)
            self.assertEqual(f"version {version}", self.body(phone))
            self.assertEqual(2, phone.json("files", "verify")["verified"])


if __name__ == "__main__":
    unittest.main()
