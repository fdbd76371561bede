"""Backups at the hub: made, listed, verified, restored by the phrase alone."""
import http.server
import os
import signal
import subprocess
import threading
import time
import unittest

from hub_test import Hub, WithAHub
from program import SATCHEL, clean_environment


class AtTheHub(WithAHub):
    options = ()

    def setUp(self):
        super().setUp()
        self.laptop.unlock()
        self.phrase = self.folder / "phrase"
        self.phrase.write_text(self.laptop.genesis["recovery_phrase"])

    def fill(self, files=3, size=200000):
        self.laptop.ok("sql", "CREATE TABLE notes(id INTEGER PRIMARY KEY, body);"
                              "INSERT INTO notes VALUES(1, 'one')")
        for i in range(files):
            picture = self.folder / f"{i}.jpg"
            picture.write_bytes(os.urandom(size))
            self.laptop.ok("files", "add", picture)

    def note(self, body):
        self.laptop.ok("sql", f"UPDATE notes SET body = '{body}'")

    def back_up(self):
        return self.laptop.json("backup", "now", "--to", "hub")

    def restore(self, device, *args):
        return device.run("--json", "backup", "restore", *args, "--hub",
                          self.hub.url, "--phrase-file", self.phrase)

    def body(self, device):
        return device.sql("SELECT body FROM notes")[0]["body"]

    def blobs(self):
        return sorted(p.name for p in (self.folder / "hub/blobs").iterdir())


class Backups(AtTheHub):
    def test_each_of_two_is_restored_by_the_phrase_alone(self):
        self.fill()
        for version in (1, 2, 3):
            self.note(f"version {version}")
            made = self.back_up()
            self.assertEqual(version, made["version"])
        self.assertLess(made["size_uploaded"], 40000)
        listed = self.laptop.json("backup", "list")
        self.assertEqual([3, 2], [b["version"] for b in listed])
        self.assertEqual(2, self.laptop.json(
            "backup", "verify", "--full")["verified"])
        for version in (3, 2):
            phone = self.device(f"phone{version}", init=False)
            result = self.restore(phone, version, "--name", "phone")
            self.assertEqual(0, result.code, result.err)
            self.assertEqual(f"version {version}", self.body(phone))
            self.assertEqual(3, phone.json("files", "verify")["verified"])
        self.laptop.ok("backup", "delete", 2)
        self.assertEqual([3], [b["version"] for b in
                               self.laptop.json("backup", "list")])

    def test_what_is_restored_syncs_on(self):
        self.fill(files=1)
        self.laptop.ok("track", "notes")
        self.laptop.ok("sync", "hub")
        self.back_up()
        self.note("after the backup")
        self.laptop.ok("sync", "hub")
        phone = self.device("phone", init=False)
        result = self.restore(phone, "--name", "phone")
        self.assertEqual(0, result.code, result.err)
        self.assertNotIn("not logged in", result.err)
        self.assertEqual("one", self.body(phone))
        phone.ok("sync", "hub")
        self.assertEqual("after the backup", self.body(phone))
        phone.ok("sql", "INSERT INTO notes VALUES(2, 'from the phone')")
        phone.ok("sync", "hub")
        self.laptop.ok("sync", "hub")
        self.assertEqual([{"n": 2}], self.laptop.sql(
            "SELECT count(*) AS n FROM notes"))
        self.assertEqual([], self.laptop.json("conflicts", "list"))

    def test_wrong_phrase_no_backup_and_no_hub_are_three_sentences(self):
        phone = self.device("phone", init=False)
        nothing = self.restore(phone)
        self.assertEqual((1, "not_found"),
                         (nothing.code, nothing.error()["code"]))
        self.fill(files=0)
        self.back_up()
        self.phrase.write_text("abandon " * 11 + "about\n")
        wrong = self.restore(phone)
        self.assertEqual((3, "auth"), (wrong.code, wrong.error()["code"]))
        self.assertIn("no account", wrong.error()["message"])
        self.phrase.write_text(self.laptop.genesis["recovery_phrase"])
        self.hub.stop()
        away = self.restore(phone)
        self.assertEqual((5, "offline"), (away.code, away.error()["code"]))
        self.assertFalse(phone.home.exists())
        self.assertEqual(5, self.laptop.run("backup", "now").code)

    def test_over_the_profile_that_is_there(self):
        self.fill(files=1)
        before = self.laptop.json("device", "show")
        self.back_up()
        self.note("after")
        self.assertEqual(0, self.restore(self.laptop).code)
        self.assertEqual("one", self.body(self.laptop))
        self.assertEqual(before, self.laptop.json("device", "show"))
        self.assertEqual(2, self.back_up()["version"])

    def test_two_devices_at_once(self):
        self.fill(files=1, size=2000000)
        self.laptop.ok("sync", "hub")
        phone = self.login("phone")
        runs = [subprocess.Popen(
            [SATCHEL, *map(str, device.who()), "backup", "now", "--to", "hub"],
            env=clean_environment(), stderr=subprocess.PIPE)
            for device in (self.laptop, phone)]
        for run in runs:
            _, err = run.communicate(timeout=100)
            self.assertEqual(0, run.returncode, err)
        self.assertEqual([2, 1], [b["version"] for b in
                                  self.laptop.json("backup", "list")])
        self.assertEqual(2, self.laptop.json(
            "backup", "verify", "--full")["verified"])

    def test_one_that_was_cut_goes_on(self):
        """Killed, and the hub too: what came is not sent again."""
        self.fill(files=3, size=15000000)
        cut = subprocess.Popen(
            [SATCHEL, *map(str, self.laptop.who()), "backup", "now", "--to",
             "hub", "--quiet"], env=clean_environment())
        while len(self.blobs()) < 2:
            time.sleep(0.02)
        cut.kill()
        cut.wait()
        self.hub.stop(signal.SIGKILL)
        self.hub.start()
        came = sum((self.folder / "hub/blobs" / name).stat().st_size
                   for name in self.blobs())
        made = self.back_up()
        self.assertEqual(1, made["version"])
        # One object, which holds 16 MiB, may have been torn off.
        self.assertLess(made["size_uploaded"] + came,
                        made["size"] + (17 << 20))
        self.assertLess(made["size_uploaded"], made["size"] - (14 << 20))
        self.laptop.ok("backup", "verify", "--full")

    def test_killed_at_any_moment_the_earlier_ones_stand(self):
        self.fill(files=1)
        self.back_up()
        for i in range(12):
            self.note(f"try {i}")
            run = subprocess.Popen(
                [SATCHEL, *map(str, self.laptop.who()), "backup", "now",
                 "--quiet"], env=clean_environment())
            time.sleep(0.03 * i)
            run.kill()
            run.wait()
            listed = self.laptop.json("backup", "list")
            self.assertIn(len(listed), (1, 2))
        self.note("last")
        self.back_up()
        self.assertLessEqual(1, self.laptop.json(
            "backup", "verify", "--full")["verified"])
        phone = self.device("phone", init=False)
        self.assertEqual(0, self.restore(phone).code)
        self.assertEqual("last", self.body(phone))


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


class Limits(AtTheHub):
    def start_hub(self):
        return Hub(self, self.folder / "hub", "--backup-max", "3MB",
                   "--backup-keep", "3")

    def test_what_is_too_large_is_said_before_anything_is_sent(self):
        self.fill(files=1, size=1500000)
        self.assertEqual(1, self.back_up()["version"])
        before = self.blobs()
        picture = self.folder / "large.jpg"
        picture.write_bytes(os.urandom(2000000))
        self.laptop.ok("files", "add", picture)
        [added] = [f for f in self.laptop.json("files", "list")
                   if f["name"] == "large.jpg"]
        large = self.laptop.run("backup", "now")
        self.assert_fails(large, 1, "3.0 MB", "limit of the hub", "nothing")
        self.assertEqual(before, self.blobs())
        # What can be made small is not too large.
        self.laptop.ok("files", "remove", added["id"])
        self.laptop.ok("sql", "INSERT INTO notes VALUES(2, hex(zeroblob("
                              "4000000)))")
        self.assertEqual(2, self.back_up()["version"])
        self.laptop.ok("backup", "verify", "--full")

    def test_as_many_are_kept_as_the_hub_says(self):
        self.fill(files=0)
        for _ in range(4):
            self.back_up()
        self.assertEqual([4, 3, 2], [b["version"] for b in
                                     self.laptop.json("backup", "list")])


if __name__ == "__main__":
    unittest.main()
