"""The backup of the day: by the schedule, and at the hub's word."""
import http.server
import subprocess
import threading
import time
import unittest

from hub_backup_test import AtTheHub
from hub_test import Hub
from program import SATCHEL, clean_environment


class Agent:
    """`satchel agent` of a device, until the test ends."""

    def __init__(self, case, device, **more):
        self.process = subprocess.Popen(
            [SATCHEL, *map(str, device.who()), "agent", "--listen",
             "127.0.0.1:0"], stdout=subprocess.PIPE, text=True,
            env=clean_environment(more))
        case.addCleanup(self.stop)
        self.process.stdout.readline()

    def stop(self):
        if self.process.poll() is None:
            self.process.terminate()
            self.process.wait(30)
        self.process.stdout.close()


def wait_for(what, seconds=30):
    until = time.monotonic() + seconds
    while not what():
        if time.monotonic() > until:
            raise AssertionError("it does not happen")
        time.sleep(0.1)


class Daily(AtTheHub):
    def count(self):
        return len(self.laptop.json("backup", "list", "--to", "hub"))

    def made(self):
        return list((self.laptop.home / "backup").glob("*.made"))

    def yesterday(self):
        """As if the last one had been made a day ago."""
        [made] = self.made()
        made.write_text(f"{int(time.time() * 1000) - 86400000}\n")

    def test_the_agent_makes_one_a_day(self):
        self.fill(files=1)
        self.laptop.ok("backup", "enable", "--at", "04:30", "--to", "hub")
        settings = self.laptop.json("backup", "settings")
        self.assertEqual((True, "04:30", "hub", None), (
            settings["enabled"], settings["at"], settings["place"],
            settings["last_at"]))
        agent = Agent(self, self.laptop)
        wait_for(lambda: self.count() == 1)
        agent.stop()
        agent = Agent(self, self.laptop)  # and not again
        time.sleep(2)
        self.assertEqual(1, self.count())
        settings = self.laptop.json("backup", "settings")
        self.assertGreater(settings["due_at"], settings["last_at"])
        agent.stop()
        self.laptop.ok("backup", "disable")
        self.yesterday()
        agent = Agent(self, self.laptop)
        time.sleep(2)
        self.assertEqual(1, self.count())

    def test_one_that_was_killed_is_made_after_all(self):
        """Nothing that a crash leaves behind holds the next one back."""
        self.fill(files=2, size=9000000)
        self.laptop.ok("backup", "enable", "--to", "hub")
        agent = Agent(self, self.laptop)
        wait_for(lambda: len(self.blobs()) > 0)
        agent.process.kill()
        agent.process.wait()
        Agent(self, self.laptop)
        wait_for(lambda: self.count() == 1)

    def test_at_the_hubs_word_but_once_a_day(self):
        self.fill(files=1)
        self.laptop.ok("sync", "hub")
        phone = self.login("phone")
        self.laptop.ok("backup", "now", "--to", "hub")
        # A time that is not now: only the hub's word brings one about.
        hour = (time.localtime().tm_hour + 2) % 24
        self.laptop.ok("backup", "enable", "--at", f"{hour:02}:00")
        Agent(self, self.laptop)
        self.assertTrue(self.laptop.json("backup", "settings")["enabled"])
        phone.ok("backup", "trigger")
        time.sleep(3)
        self.assertEqual(1, self.count())  # there was one today
        [made] = self.made()
        now = time.localtime()
        midnight = int(time.mktime((*now[:3], 0, 0, 0, 0, 0, -1)) * 1000)
        made.write_text(f"{midnight - 3600000}\n")
        if time.time() * 1000 - midnight < 6 * 3600000:
            made.write_text(f"{midnight - 6 * 3600000}\n")
        due = self.laptop.json("backup", "settings")["due_at"]
        before = self.count()
        phone.ok("backup", "trigger")
        wait_for(lambda: self.count() == before + 1)
        self.assertIsNotNone(due)


class PushService(http.server.BaseHTTPRequestHandler):
    """What stands between a hub and a device that sleeps."""
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.got.append((self.path, dict(self.headers), body))
        self.send_response(self.server.answer)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *args):
        pass


class Asleep(AtTheHub):
    def start_hub(self):
        self.service = http.server.ThreadingHTTPServer(("127.0.0.1", 0),
                                                       PushService)
        self.service.got, self.service.answer = [], 201
        threading.Thread(target=self.service.serve_forever,
                         daemon=True).start()
        self.addCleanup(self.service.server_close)
        self.addCleanup(self.service.shutdown)
        return Hub(self, self.folder / "hub", "--push-private")

    def endpoint(self):
        return f"http://127.0.0.1:{self.service.server_address[1]}/up/x?y=1"

    def push(self):
        before = len(self.service.got)
        self.laptop.ok("backup", "trigger")
        wait_for(lambda: len(self.service.got) > before)
        return self.service.got[-1]

    def test_a_device_that_sleeps_is_woken(self):
        self.fill(files=0)
        self.laptop.ok("backup", "enable", "--to", "hub", "--push",
                       self.endpoint())
        path, headers, body = self.push()
        self.assertEqual("/up/x?y=1", path)
        self.assertEqual("aes128gcm", headers["Content-Encoding"])
        self.assertRegex(headers["Authorization"],
                         r"^vapid t=[\w-]+\.[\w-]+\.[\w-]+, k=[\w-]{87}$")
        self.assertNotIn(b"backup", body)
        message = self.folder / "message"
        message.write_bytes(body)
        self.laptop.ok("backup", "pushed", message)
        self.laptop.ok("backup", "pushed", message)  # once a day
        self.assertEqual(1, len(self.laptop.json("backup", "list")))
        message.write_bytes(body[:-1] + bytes([body[-1] ^ 1]))
        self.assert_fails(self.laptop.run("backup", "pushed", message), 3)

    def test_who_is_connected_is_told_and_not_pushed_to(self):
        self.fill(files=0)
        self.laptop.ok("sync", "hub")
        phone = self.login("phone")
        self.laptop.ok("backup", "enable", "--to", "hub", "--push",
                       self.endpoint())
        Agent(self, self.laptop)
        wait_for(lambda: self.laptop.json("backup", "list", "--to", "hub"))
        time.sleep(1)
        phone.ok("backup", "trigger")
        time.sleep(1)
        self.assertEqual([], self.service.got)

    def test_an_endpoint_that_is_gone_is_forgotten(self):
        self.laptop.ok("backup", "enable", "--to", "hub", "--push",
                       self.endpoint())
        self.service.answer = 410
        self.push()
        time.sleep(0.5)
        self.laptop.ok("backup", "trigger")
        time.sleep(1)
        self.assertEqual(1, len(self.service.got))


class Guarded(AtTheHub):
    def test_a_hub_does_not_push_to_private_addresses(self):
        for endpoint in ("http://127.0.0.1:1/", "https://127.0.0.1/",
                         "https://10.0.0.1/", "https://[::1]/",
                         "https://[::ffff:192.168.0.1]/",
                         "https://169.254.169.254/latest", "https://localhost/",
                         "file:///etc/passwd", "https://a b/"):
            refused = self.laptop.run("backup", "enable", "--to", "hub",
                                      "--push", endpoint)
            self.assertNotEqual(0, refused.code, endpoint)
            self.assertIn("endpoint", refused.err)
        self.laptop.ok("backup", "enable", "--to", "hub", "--push",
                       "https://push.example.org/up")


if __name__ == "__main__":
    unittest.main()
