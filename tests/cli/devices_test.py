"""Two devices that meet: serve, join, authorise, sync, conflicts."""
import json
import os
import re
import select
import signal
import subprocess
import time
import unittest

from program import DATA, SATCHEL, Case, clean_environment

CHINOOK = DATA / "data" / "chinook.sqlite"


class Server:
    """`satchel serve` of one device, on a port that the system chose."""

    def __init__(self, device):
        self.process = subprocess.Popen(
            [SATCHEL, *device.who(), "serve", "--listen", "127.0.0.1:0"],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            env=clean_environment())
        device.case.addCleanup(self.stop)
        ready, _, _ = select.select([self.process.stdout], [], [], 30)
        line = self.process.stdout.readline() if ready else ""
        found = re.search(r"https://\S+#[0-9a-f]{64}", line)
        if found is None:
            self.process.kill()
            raise AssertionError(line + self.process.stderr.read())
        self.address = found[0]

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(10)
        self.process.stdout.close()
        self.process.stderr.close()
        return code


class TwoDevices(Case):
    def setUp(self):
        super().setUp()
        self.laptop = self.device("laptop").unlock()
        self.phone = self.device("phone").unlock()

    def meet(self):
        self.server = Server(self.laptop)
        self.address = self.server.address
        self.phone.ok("join", self.address, "--yes")
        self.laptop.ok("device", "authorize", self.phone.genesis["device_id"])

    def sync(self, *args):
        return self.phone.json("sync", self.address, *args)

    def make_notes(self):
        self.laptop.ok("sql", "CREATE TABLE notes(id TEXT PRIMARY KEY, body); "
                              "INSERT INTO notes VALUES('a', 'one')")
        self.laptop.ok("track", "notes")

    def body(self, device):
        return device.sql("SELECT body FROM notes WHERE id = 'a'")[0]["body"]


class Meeting(TwoDevices):
    def test_serve_prints_an_address_with_the_device_and_stops_when_told(self):
        server = Server(self.laptop)
        self.assertTrue(
            server.address.endswith("#" + self.laptop.genesis["device_id"]))
        self.assertEqual(0, server.stop())

    def test_join_shows_both_fingerprints(self):
        server = Server(self.laptop)
        screen = self.phone.ok("join", server.address, "--yes")
        for device in (self.laptop, self.phone):
            mine = device.json("device", "show")["fingerprint"]
            self.assertIn(mine, screen)

    def test_who_is_not_authorised_gets_nothing(self):
        self.make_notes()
        server = Server(self.laptop)
        self.phone.ok("join", server.address, "--yes")
        result = self.phone.run("sync", server.address)
        self.assert_fails(result, 4, "authorize")
        listed = self.laptop.json("device", "list")
        phone = [d for d in listed
                 if d["device_id"] == self.phone.genesis["device_id"]]
        self.assertEqual([False], [d["authorized"] for d in phone])

    def test_another_devices_address_is_refused(self):
        server = Server(self.laptop)
        wrong = server.address.split("#")[0] + "#" + "0" * 64
        self.assertNotEqual(0, self.phone.run("join", wrong, "--yes").code)

    def test_nobody_there_is_offline(self):
        gone = "https://127.0.0.1:1#" + self.laptop.genesis["device_id"]
        self.assert_fails(self.phone.run("join", gone, "--yes"), 5)

    def test_addresses_that_are_none_are_misuse(self):
        for address in ("nonsense", "ftp://x", "https://"):
            self.assert_fails(self.phone.run("join", address, "--yes"), 2)

    def test_a_revoked_device_is_refused(self):
        self.make_notes()
        self.meet()
        self.sync()
        self.laptop.ok("device", "revoke", self.phone.genesis["device_id"])
        self.assert_fails(self.phone.run("sync", self.address), 4)

    def test_a_device_has_a_name(self):
        self.laptop.ok("device", "rename", "Lappy")
        self.assertEqual("Lappy",
                         self.laptop.json("device", "show")["device_name"])

    def test_authorising_takes_an_id(self):
        self.assert_fails(self.laptop.run("device", "authorize", "phone"), 2)
        self.assert_fails(self.laptop.run("device", "authorize", "0" * 64), 1)


class Syncing(TwoDevices):
    def setUp(self):
        super().setUp()
        self.make_notes()
        self.meet()
        self.sync()

    def test_the_first_sync_takes_over_the_vault(self):
        self.assertEqual("one", self.body(self.phone))

    def test_edits_go_both_ways_and_are_reported(self):
        self.laptop.ok("sql", "UPDATE notes SET body = 'two'")
        self.phone.ok("sql", "INSERT INTO notes VALUES('b', 'mine')")
        report = self.sync()
        self.assertEqual({"pushed", "pulled", "conflicts", "bytes_sent",
                          "bytes_received", "seconds"}, set(report))
        self.assertGreaterEqual(report["pushed"], 1)
        self.assertGreaterEqual(report["pulled"], 1)
        self.assertEqual(0, report["conflicts"])
        self.assertEqual("two", self.body(self.phone))
        self.assertEqual(2, len(self.laptop.sql("SELECT * FROM notes")))
        again = self.sync()
        self.assertEqual((0, 0), (again["pushed"], again["pulled"]))

    def test_the_sqlcipher_shell_is_synced_too(self):
        key = self.phone.ok("vault", "key", "main").strip()
        subprocess.run(["sqlcipher", self.phone.home / "vaults/main.db"],
                       input=f"PRAGMA key = \"x'{key}'\";"
                             "UPDATE notes SET body = 'by the shell';",
                       text=True, check=True, capture_output=True)
        self.sync()
        self.assertEqual("by the shell", self.body(self.laptop))

    def conflict(self, mark=""):
        self.laptop.ok("sql", f"UPDATE notes SET body = 'laptop{mark}'")
        self.phone.ok("sql", f"UPDATE notes SET body = 'phone{mark}'")
        report = self.sync()
        self.assertEqual(1, report["conflicts"])
        listed = self.phone.json("conflicts")
        self.assertEqual(1, len(listed))
        return listed[0]

    def test_a_conflict_is_listed_with_both_values(self):
        conflict = self.conflict()
        self.assertEqual(
            {"id", "kind", "table_name", "record_id", "column", "local",
             "remote", "local_version", "remote_version", "local_device",
             "remote_device", "status"}, set(conflict))
        self.assertEqual("update", conflict["kind"])
        self.assertEqual(("notes", "a", "body"),
                         (conflict["table_name"], conflict["record_id"],
                          conflict["column"]))
        self.assertEqual({"laptop", "phone"},
                         {conflict["local"], conflict["remote"]})
        shown = self.phone.json("conflicts", "show", conflict["id"][:8])
        self.assertEqual(conflict, shown)

    def test_it_is_resolved_everywhere(self):
        for choice in (["local"], ["remote"], ["--data", '"both"']):
            with self.subTest(choice=choice):
                conflict = self.conflict(choice[0])
                self.phone.ok("conflicts", "resolve", conflict["id"], *choice)
                self.assertEqual([], self.phone.json("conflicts"))
                expected = {"local": conflict["local"],
                            "remote": conflict["remote"]}.get(choice[0], "both")
                self.assertEqual(expected, self.body(self.phone))
                self.sync()
                self.assertEqual([], self.laptop.json("conflicts"))
                self.assertEqual(expected, self.body(self.laptop))

    def test_all_are_resolved_at_once(self):
        self.laptop.ok("sql", "INSERT INTO notes VALUES('b', 1), ('c', 2)")
        self.sync()
        self.laptop.ok("sql", "UPDATE notes SET body = id || ' laptop'")
        self.phone.ok("sql", "UPDATE notes SET body = id || ' phone'")
        self.assertEqual(3, self.sync()["conflicts"])
        resolve = ["conflicts", "resolve", "--all"]
        for wrong in (["rekey"], ["local", "remote"], ["--data", "1"]):
            self.assert_fails(self.phone.run(*resolve, *wrong), 2)
        self.assertEqual({"resolved": 3, "open": 0},
                         self.phone.json(*resolve, "local"))
        self.sync()
        self.assertEqual([], self.laptop.json("conflicts"))
        self.assertEqual({"phone"}, {
            row["body"].split()[1]
            for row in self.laptop.sql("SELECT body FROM notes")})

    def test_a_deletion_wins_where_the_table_says_so(self):
        self.assert_fails(self.phone.run("strategy", "delete-wins"), 2, "TABLE")
        self.assert_fails(self.phone.run("strategy", "none", "delete-wins"), 1)
        self.phone.ok("strategy", "notes", "delete-wins")
        self.laptop.ok("sql", "UPDATE notes SET body = 'changed'")
        self.phone.ok("sql", "DELETE FROM notes")
        self.sync()
        self.sync()
        for device in (self.laptop, self.phone):
            self.assertEqual([], device.sql("SELECT * FROM notes"))
        self.phone.ok("strategy", "notes", "update-wins")

    def test_it_can_be_ignored(self):
        conflict = self.conflict()
        self.phone.ok("conflicts", "ignore", conflict["id"])
        self.assertEqual(
            [], [c for c in self.phone.json("conflicts")
                 if c["status"] == "open"])

    def test_fail_on_conflict_is_an_exit_code(self):
        self.conflict()
        result = self.phone.run("sync", self.address, "--fail-on-conflict",
                                "--json")
        self.assertEqual(6, result.code, result.err)
        self.assertIn("conflicts", result.json())

    def test_mistakes_in_resolving_are_told(self):
        conflict = self.conflict()
        resolve = ["conflicts", "resolve"]
        self.assert_fails(self.phone.run(*resolve, conflict["id"]), 2)
        self.assert_fails(self.phone.run(*resolve, conflict["id"], "mine"), 2,
                          "mine")
        self.assert_fails(self.phone.run(*resolve, "ffff", "local"), 1)
        self.assert_fails(self.phone.run(*resolve, conflict["id"], "--data",
                                         "{not json"), 2)
        self.assertEqual(1, len(self.phone.json("conflicts")))

    def test_a_wrong_password_changes_nothing(self):
        self.laptop.ok("sql", "UPDATE notes SET body = 'two'")
        wrong = self.folder / "wrong"
        wrong.write_text("wrong")
        self.assert_fails(self.phone.run("--password-file", wrong, "sync",
                                         self.address), 3)

    def test_the_peer_joined_is_synced_without_naming_it(self):
        self.laptop.ok("sql", "UPDATE notes SET body = 'two'")
        self.phone.ok("sync")
        self.assertEqual("two", self.body(self.phone))

    def test_it_goes_on_by_itself_when_asked(self):
        process = subprocess.Popen(
            [SATCHEL, *self.phone.who(), "--json", "sync", self.address,
             "--every", "1s"], stdout=subprocess.PIPE, text=True,
            env=clean_environment())
        self.addCleanup(process.stdout.close)
        self.assertIn("pulled", json.loads(process.stdout.readline()))
        self.laptop.ok("sql", "UPDATE notes SET body = 'later'")
        deadline = time.monotonic() + 20
        while self.body(self.phone) != "later":
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.2)
        process.send_signal(signal.SIGINT)
        self.assertEqual(0, process.wait(10))

    def test_media_files_follow_their_rows(self):
        picture = self.folder / "picture.jpg"
        picture.write_bytes(os.urandom(3000000))
        added = self.laptop.json("files", "add", picture)[0]["id"]
        self.assertGreater(self.sync()["bytes_received"], 3000000)
        self.assertEqual({"verified": 1, "damaged": 0, "missing": 0},
                         self.phone.json("files", "verify"))
        self.phone.ok("files", "get", added, self.folder / "copy.jpg")
        self.assertEqual(picture.read_bytes(),
                         (self.folder / "copy.jpg").read_bytes())
        picture.write_bytes(os.urandom(1000))
        self.phone.ok("files", "add", picture)
        for blob in self.phone.home.glob("vaults/main.files/*"):
            if blob.stat().st_size < 2000:
                blob.unlink()
        self.sync()
        said = self.laptop.run("files", "verify")
        self.assertEqual(0, said.code)
        self.assertIn("missing", said.out)
        self.assertEqual({"verified": 1, "damaged": 0, "missing": 1},
                         self.laptop.json("files", "verify"))

    def test_killed_at_any_moment_it_goes_on(self):
        self.laptop.ok("sql", "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL "
                       "SELECT n + 1 FROM c WHERE n < 20000) INSERT INTO notes "
                       "SELECT 'n' || n, hex(randomblob(50)) FROM c")
        for delay in (0.05, 0.2, 0.3, 0.4, 0.5):
            process = subprocess.Popen(
                [SATCHEL, *self.phone.who(), "sync", self.address],
                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                env=clean_environment())
            time.sleep(delay)
            process.kill()
            process.wait()
            rows = self.phone.sql("SELECT count(*) AS n FROM notes")[0]["n"]
            self.assertIn(rows, (1, 20001))
        self.sync()
        self.assertEqual(
            [{"n": 20001}], self.phone.sql("SELECT count(*) AS n FROM notes"))


class RealDatabase(TwoDevices):
    def test_a_music_shop_on_two_devices(self):
        self.laptop.ok("vault", "import", "main", CHINOOK)
        self.laptop.ok("track", "--all")
        self.meet()
        self.sync()
        self.laptop.ok("sql", "UPDATE Track SET UnitPrice = 1.5 "
                              "WHERE AlbumId = 3; "
                              "UPDATE Genre SET Name = 'Loud' WHERE GenreId = 1")
        self.phone.ok("sql", "INSERT INTO Artist VALUES(276, 'Die Ärzte'); "
                             "DELETE FROM PlaylistTrack WHERE PlaylistId = 8; "
                             "UPDATE Genre SET Name = 'Rock!' WHERE GenreId = 1")
        self.assertEqual(1, self.sync()["conflicts"])
        conflict, = self.phone.json("conflicts", "list")
        self.assertEqual(("update", "Genre", 1, "Name", "Rock!", "Loud"), tuple(
            conflict[field] for field in ("kind", "table_name", "record_id",
                                          "column", "local", "remote")))
        self.phone.ok("conflicts", "resolve", conflict["id"], "remote")
        self.sync()
        for device in (self.laptop, self.phone):
            self.assertEqual([], device.json("conflicts", "list"))
            self.assertEqual([{"Name": "Loud"}], device.sql(
                "SELECT Name FROM Genre WHERE GenreId = 1"))
        exports = []
        for device in (self.laptop, self.phone):
            exports.append(self.folder / f"{device.name}.sqlite")
            device.ok("vault", "export", "main", exports[-1])
        done = subprocess.run(["sqldiff", *exports], text=True,
                              capture_output=True)
        self.assertEqual((0, ""), (done.returncode, done.stdout))


if __name__ == "__main__":
    unittest.main()
