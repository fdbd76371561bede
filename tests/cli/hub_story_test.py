"""What a person does with a hub, from the first device to the last share."""
import signal
import socket
import subprocess
import threading
import time
import unittest

from devices_test import Server
from hub_test import EMAIL, CHINOOK, Hub, WithAHub
from program import PASSWORD, SATCHEL, Case, clean_environment
from secrecy_test import disguises

TABLES = ("Album", "Artist", "Customer", "Employee", "Genre", "Invoice",
          "InvoiceLine", "MediaType", "Playlist", "PlaylistTrack", "Track")


class Wire:
    """Everything between devices and the hub goes through here, and is kept."""

    def __init__(self, case, to):
        self.to, self.heard, self.lock = to, bytearray(), threading.Lock()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = "http://127.0.0.1:%d" % self.listener.getsockname()[1]
        case.addCleanup(self.listener.close)
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                near, _ = self.listener.accept()
            except OSError:
                return
            try:
                far = socket.create_connection(self.to())
            except OSError:
                near.close()
                continue
            for pair in ((near, far), (far, near)):
                threading.Thread(target=self.carry, args=pair,
                                 daemon=True).start()

    def carry(self, from_, to):
        try:
            while data := from_.recv(65536):
                with self.lock:
                    self.heard += data
                to.sendall(data)
        except OSError:
            pass
        for end in (from_, to):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass


class Live:
    """`satchel sync hub --every` of one device."""

    def __init__(self, device, vault):
        self.process = subprocess.Popen(
            [SATCHEL, *device.who(), "--quiet", "--vault", vault, "sync", "hub",
             "--every", "1s"], stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL, env=clean_environment())
        device.case.addCleanup(self.stop)

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            self.process.wait(20)


class Story(WithAHub):
    def setUp(self):
        Case.setUp(self)
        self.wire = Wire(self, lambda: (
            "127.0.0.1", int(self.hub.listen.rsplit(":", 1)[1])))
        self.hub = Hub(self, self.folder / "hub", "--origin", self.wire.url)
        self.hub.url = self.wire.url
        self.laptop = self.device("laptop")
        self.laptop.ok("account", "register", "--hub", self.hub.url,
                       "--email", EMAIL)
        self.laptop.unlock()

    def work(self, device, sql, vault="work"):
        return device.json("--vault", vault, "sql", sql)

    def counts(self, device, vault="work"):
        return self.work(device, "SELECT " + ", ".join(
            f"(SELECT count(*) FROM {t}) AS {t}" for t in TABLES), vault)

    def until(self, device, sql, expected, vault="work"):
        end = time.monotonic() + 60
        while (found := self.work(device, sql, vault)) != expected:
            self.assertLess(time.monotonic(), end, found)
            time.sleep(0.1)

    def test_chinook_from_the_first_device_to_the_last_share(self):
        laptop, artist = self.laptop, "SELECT Name FROM Artist WHERE ArtistId = "
        laptop.ok("vault", "import", "work", CHINOOK)
        laptop.ok("--vault", "work", "track", "--all")
        laptop.ok("sync", "hub")
        phone = self.login("phone").unlock()
        self.assertEqual(self.counts(laptop), self.counts(phone))

        followers = [Live(laptop, "work"), Live(phone, "work")]
        self.work(laptop, "UPDATE Artist SET Name = 'One' WHERE ArtistId = 1")
        self.until(phone, artist + "1", [{"Name": "One"}])
        self.work(phone, "UPDATE Artist SET Name = 'Two' WHERE ArtistId = 2")
        self.until(laptop, artist + "2", [{"Name": "Two"}])

        self.hub.stop(signal.SIGKILL)
        self.work(laptop, "UPDATE Artist SET Name = 'Three' WHERE ArtistId = 3")
        self.work(phone, "DELETE FROM PlaylistTrack WHERE PlaylistId = 1")
        time.sleep(2)  # both have seen that nobody is there
        for follower in followers:
            self.assertIsNone(follower.process.poll())
        self.hub.start()
        self.until(phone, artist + "3", [{"Name": "Three"}])
        self.until(laptop, "SELECT count(*) AS n FROM PlaylistTrack WHERE "
                           "PlaylistId = 1", [{"n": 0}])
        for follower in followers:
            follower.stop()

        tablet = self.login("tablet").unlock()
        self.assertEqual(self.counts(laptop), self.counts(tablet))
        self.assertEqual([{"Name": "Three"}], self.work(tablet, artist + "3"))

        bob = self.device("bob")
        bob.ok("account", "register", "--hub", self.hub.url, "--email",
               "bob@example.org")
        bob.unlock()
        share = laptop.json("share", "invite", "work", "bob@example.org",
                            "--role", "write")["id"]
        bob.ok("share", "accept", bob.json("share", "list")[0]["id"], "--name",
               "ours")
        laptop.ok("share", "confirm", share, "--yes")
        bob.ok("sync", "hub")
        self.assertEqual(self.counts(laptop), self.counts(bob, "ours"))
        self.work(bob, "UPDATE Artist SET Name = 'Four' WHERE ArtistId = 4",
                  "ours")
        bob.ok("sync", "hub")
        laptop.ok("sync", "hub")
        self.assertEqual([{"Name": "Four"}], self.work(laptop, artist + "4"))

        laptop.ok("share", "revoke", share)
        self.work(laptop, "UPDATE Artist SET Name = 'Five' WHERE ArtistId = 5")
        laptop.ok("sync", "hub")
        self.work(bob, "UPDATE Artist SET Name = 'Six' WHERE ArtistId = 6",
                  "ours")
        bob.run("sync", "hub")
        phone.ok("sync", "hub")
        self.assertNotEqual([{"Name": "Five"}],
                            self.work(bob, artist + "5", "ours"))
        self.assertEqual([{"Name": "Five"}], self.work(phone, artist + "5"))
        self.assertNotEqual([{"Name": "Six"}], self.work(phone, artist + "6"))
        self.assert_hub_knows_nothing()

    def assert_hub_knows_nothing(self):
        """Not in its database, blobs and logs, and not on the wire."""
        self.hub.stop()
        names = [row["name"] for row in self.work(
            self.laptop, "SELECT name FROM pragma_table_info('Customer') UNION "
            "SELECT name FROM pragma_table_info('Invoice') UNION "
            "SELECT name FROM pragma_table_info('Track') UNION "
            "SELECT name FROM sqlite_schema")]
        values = [row["v"] for row in self.work(
            self.laptop, "SELECT Title AS v FROM Album UNION "
            "SELECT Email FROM Customer UNION SELECT Address FROM Customer")]
        words = [w for w in [*names, *values[::8]] if len(w) > 9]
        self.assertGreater(len(words), 50)
        words += [PASSWORD, self.laptop.genesis["recovery_phrase"],
                  self.laptop.ok("account", "show", "--secret-key").strip()]
        words += [bytes.fromhex(self.laptop.ok("vault", "key", name).strip())
                  for name in ("main", "work")]
        self.assertGreater(len(self.wire.heard), 1_000_000)
        places = {path: path.read_bytes() for path in
                  [*self.hub.folder.rglob("*"), self.folder / "hub.log"]
                  if path.is_file()}
        places["the wire"] = bytes(self.wire.heard)
        for where, content in places.items():
            for word in words:
                for disguise in disguises(word):
                    self.assertFalse(disguise in content, f"{word} in {where}")


class Same(WithAHub):
    """One story, told over the hub and directly."""

    STEPS = (
        ("two columns of a row",
         "UPDATE notes SET n = 7 WHERE id = 'a'",
         "UPDATE notes SET body = 'phone' WHERE id = 'a'"),
        ("one cell",
         "UPDATE notes SET body = 'l' WHERE id = 'b'",
         "UPDATE notes SET body = 'p' WHERE id = 'b'"),
        ("deleted against changed",
         "UPDATE notes SET body = 'kept' WHERE id = 'a'",
         "DELETE FROM notes WHERE id = 'a'"),
        ("one key twice",
         "INSERT INTO notes VALUES('c', 'l', 4)",
         "INSERT INTO notes VALUES('c', 'p', 3)"),
        ("many rows",
         "WITH RECURSIVE i(n) AS (SELECT 10 UNION ALL SELECT n + 1 FROM i "
         "WHERE n < 60) INSERT INTO notes SELECT 'k' || n, 'many', n FROM i",
         "UPDATE notes SET n = 9 WHERE id = 'b'"))

    def prepare(self, device):
        device.ok("sql", "CREATE TABLE notes(id TEXT PRIMARY KEY, body, "
                         "n INTEGER CHECK (n < 100)); INSERT INTO notes "
                         "VALUES('a', 'one', 1), ('b', 'two', 2)")
        device.ok("track", "notes")

    def look(self, laptop, phone, report):
        self.assertEqual({"pushed", "pulled", "conflicts", "bytes_sent",
                          "bytes_received", "seconds"}, set(report))
        seen = {k: report[k] for k in ("pushed", "pulled", "conflicts")}
        for name, device in (("laptop", laptop), ("phone", phone)):
            seen[name] = [
                device.sql("SELECT id, n FROM notes ORDER BY id"),
                sorted((c["table_name"], c["kind"])
                       for c in device.json("conflicts"))]
        seen["equal"] = (laptop.sql("SELECT * FROM notes ORDER BY id") ==
                         phone.sql("SELECT * FROM notes ORDER BY id"))
        return seen

    def tell(self, laptop, phone, sync):
        story = []
        for name, on_laptop, on_phone in self.STEPS:
            laptop.ok("sql", on_laptop)
            phone.ok("sql", on_phone)
            story.append((name, self.look(laptop, phone, sync())))
        phone.ok("conflicts", "resolve", "--all", "local")
        story.append(("resolved", self.look(laptop, phone, sync())))
        return story

    def test_a_sync_is_the_same_over_the_hub_and_directly(self):
        laptop = self.laptop.unlock()
        self.prepare(laptop)
        laptop.ok("sync", "hub")
        phone = self.login("phone").unlock()

        def over_the_hub():
            laptop.ok("sync", "hub")
            report = phone.json("sync", "hub")
            laptop.ok("sync", "hub")
            return report

        one = self.device("one-laptop").unlock()
        other = self.device("other-phone").unlock()
        self.prepare(one)
        server = Server(one)
        other.ok("join", server.address, "--yes")
        one.ok("device", "authorize", other.genesis["device_id"])
        other.ok("sync", server.address)
        self.maxDiff = None
        for hub, direct in zip(
                self.tell(laptop, phone, over_the_hub),
                self.tell(one, other,
                          lambda: other.json("sync", server.address))):
            with self.subTest(hub[0]):
                self.assertEqual(direct, hub)
                self.assertTrue(hub[1]["equal"])


if __name__ == "__main__":
    unittest.main()
