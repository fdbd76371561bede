"""A hub as a service: its log, and its end."""
import base64
import json
import re
import signal
import socket
import subprocess
import time
import unittest
import urllib.request

from hub_test import EMAIL, HUB, Hub, WithAHub
from program import PASSWORD


class Logs(WithAHub):
    def test_a_line_for_each_request_and_no_secret_in_it(self):
        self.hub.stop()
        (self.folder / "logged").mkdir()
        self.hub = Hub(self, self.folder / "logged" / "hub", "--log", "json",
                       "--log-requests")
        ada = self.device("ada")
        ada.ok("account", "register", "--hub", self.hub.url, "--email", EMAIL)
        ada.ok("sync", "hub")
        with urllib.request.urlopen(self.hub.url + "/healthz") as answer:
            name = answer.headers["X-Request-Id"]
        self.hub.stop()
        text = (self.hub.folder.parent / "hub.log").read_text()
        lines = [json.loads(line) for line in text.splitlines()]
        self.assertEqual(["serving", "stopping"],
                         [l["event"] for l in lines if l["event"] != "request"])
        requests = [l for l in lines if l["event"] == "request"]
        self.assertEqual({"time", "event", "id", "method", "route", "status",
                          "us", "remote"}, set(requests[0]))
        self.assertIn(name, [l["id"] for l in requests])
        routes = {l["route"] for l in requests}
        self.assertLessEqual({"/api/auth/register", "/api/sync/push",
                              "/api/vaults/{id}/chain"}, routes)
        self.assertNotRegex(text, r"[0-9a-f]{32}|eyJ|Bearer|@|" + PASSWORD)

    def test_lines_are_text_where_nothing_else_is_said(self):
        self.hub.stop()
        text = (self.folder / "hub.log").read_text()
        self.assertRegex(text, r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z serving"
                               r" detail=127\.0\.0\.1:\d+\n")
        self.assertEqual(2, len(text.splitlines()))


class Arguments(WithAHub):
    def test_a_password_is_no_argument(self):
        for option, value in (
                ("database", "postgresql://satchel:hush-hush@db/satchel"),
                ("database", "postgresql://db/satchel?password=hush-hush"),
                ("bus", "nats://satchel:hush-hush@bus:4222")):
            done = subprocess.run(
                [HUB, "serve", "--data", self.folder / "none", "--" + option,
                 value], capture_output=True, text=True, timeout=20)
            self.assertEqual(2, done.returncode)
            self.assertIn("--config FILE", done.stderr)
            self.assertNotIn("hush", done.stderr)
        self.assertFalse((self.folder / "none").exists())


class Ends(WithAHub):
    def connect(self):
        host, port = re.search(r"//(.*):(\d+)", self.hub.url).groups()
        return socket.create_connection((host, int(port)), 20)

    def test_websockets_are_told_and_what_is_under_way_is_finished(self):
        live, half = self.connect(), self.connect()
        self.addCleanup(live.close)
        self.addCleanup(half.close)
        host = self.hub.url.split("//")[1]
        key = base64.b64encode(b"0123456789abcdef").decode()
        live.sendall((f"GET /ws HTTP/1.1\r\nHost: {host}\r\n"
                      "Connection: Upgrade\r\nUpgrade: websocket\r\n"
                      "Sec-WebSocket-Version: 13\r\n"
                      f"Sec-WebSocket-Key: {key}\r\n\r\n").encode())
        self.assertIn(b" 101 ", live.recv(4096))
        start = time.monotonic()
        self.hub.process.send_signal(signal.SIGTERM)
        said = live.recv(100)
        self.assertEqual(b"\x88\x02\x03\xe9", said[:4])  # close, 1001
        self.assertEqual(b"", half.recv(100))
        self.assertEqual(0, self.hub.process.wait(10))
        self.assertLess(time.monotonic() - start, 5)
        self.hub.process.stdout.close()
        self.hub.process = None

    def test_nothing_acknowledged_is_lost_by_an_end_at_any_time(self):
        self.make_notes()
        for n in range(3):
            self.laptop.ok("sql", f"INSERT INTO notes VALUES('n{n}', 'x')")
            self.laptop.ok("sync", "hub")
            self.hub.stop((signal.SIGTERM, signal.SIGKILL)[n % 2])
            self.hub.start()
        self.assertEqual({"a", "n0", "n1", "n2"},
                         set(self.notes(self.login("phone"))))


if __name__ == "__main__":
    unittest.main()
