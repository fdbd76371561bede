"""Backups at the hub: made, listed, verified, restored by the phrase alone."""
import os
import shutil
import signal
import subprocess
import time
import unittest

from hub_test import CHINOOK, Hub, WithAHub
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


class Chinook(AtTheHub):
    def test_two_are_kept_of_a_real_database_and_500_files(self):
        self.laptop.ok("vault", "import", "music", CHINOOK)
        pictures = []
        for i in range(500):
            picture = self.folder / f"{i}.jpg"
            picture.write_bytes(os.urandom(200 + 97 * i % 30000))
            pictures.append(picture)
        self.laptop.ok("--vault", "music", "files", "add", *pictures)
        exports = {}
        for version in (1, 2, 3):
            self.laptop.ok("--vault", "music", "sql", "UPDATE Artist SET Name ="
                           f" 'edit {version}' WHERE ArtistId % 7 = 0")
            made = self.back_up()
            self.assertEqual((version, 500), (made["version"], made["files"]))
            self.laptop.ok("vault", "export", "music",
                           self.folder / f"{version}.db")
            exports[version] = (self.folder / f"{version}.db").read_bytes()
        self.assertEqual([3, 2], [b["version"] for b in
                                  self.laptop.json("backup", "list")])
        shutil.rmtree(self.laptop.home)
        for version in (3, 2):
            phone = self.device(f"phone{version}", init=False)
            result = self.restore(phone, version)
            self.assertEqual(0, result.code, result.err)
            out = self.folder / f"again{version}.db"
            phone.ok("vault", "export", "music", out)
            self.assertEqual(exports[version], out.read_bytes())
            self.assertEqual(500, phone.json(
                "--vault", "music", "files", "verify")["verified"])


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
