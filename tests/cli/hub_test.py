"""Devices of one account, over the real hub."""
import contextlib
import json
import os
import pathlib
import re
import select
import signal
import sqlite3
import subprocess
import time
import unittest

from program import (DATA, PASSWORD, SATCHEL, Case, clean_environment,
                     run_on_terminal)
from secrecy_test import disguises

CHINOOK = DATA / "data" / "chinook.sqlite"
HUB = pathlib.Path(SATCHEL).parent / "satchel-hub"
EMAIL = "ada@example.org"


class Hub:
    """`satchel-hub serve`, on a port that the system chose, or the same again."""

    def __init__(self, case, folder, *options):
        self.case, self.folder, self.listen = case, folder, "127.0.0.1:0"
        self.options = options
        self.log = open(folder.parent / "hub.log", "wb")
        case.addCleanup(self.log.close)
        case.addCleanup(self.stop)
        self.process = None
        self.start()

    def start(self):
        self.process = subprocess.Popen(
            [HUB, "serve", "--listen", self.listen, "--data", self.folder,
             *self.options],
            stdout=subprocess.PIPE, stderr=self.log, text=True,
            env=clean_environment())
        ready, _, _ = select.select([self.process.stdout], [], [], 30)
        line = self.process.stdout.readline() if ready else ""
        found = re.search(r"http://(\S+)", line)
        if found is None:
            raise AssertionError("the hub does not serve: " + line)
        self.url, self.listen = found[0], found[1]

    def memory(self):
        """The most that it ever had, in bytes."""
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) * 1024

    def stop(self, how=signal.SIGTERM):
        if self.process is not None:
            self.process.send_signal(how)
            self.process.wait(20)
            self.process.stdout.close()
        self.process = None


class WithAHub(Case):
    def start_hub(self):
        return Hub(self, self.folder / "hub")

    def setUp(self):
        super().setUp()
        self.hub = self.start_hub()
        self.laptop = self.device("laptop")
        self.laptop.ok("account", "register", "--hub", self.hub.url,
                       "--email", EMAIL)

    def login(self, name, *more):
        """A new device of the account, from nothing but what a person has."""
        device = self.device(name, init=False)
        key = self.folder / "secret-key"
        key.write_text(self.laptop.ok("account", "show", "--secret-key"))
        device.genesis = device.json(
            "account", "login", "--hub", self.hub.url, "--email", EMAIL,
            "--name", name, *(more or ("--secret-key-file", key)))
        return device

    def make_notes(self):
        self.laptop.ok("sql", "CREATE TABLE notes(id TEXT PRIMARY KEY, body); "
                              "INSERT INTO notes VALUES('a', 'one')")
        self.laptop.ok("track", "notes")
        self.laptop.ok("sync", "hub")

    def notes(self, device):
        return {row["id"]: row["body"]
                for row in device.sql("SELECT * FROM notes")}


class Accounts(WithAHub):
    def test_three_devices_hold_the_same(self):
        self.laptop.ok("vault", "import", "work", CHINOOK)
        self.laptop.ok("--vault", "work", "track", "--all")
        self.make_notes()
        phone = self.login("phone")
        self.assertEqual({"a": "one"}, self.notes(phone))
        count = "SELECT count(*) AS n FROM Track"
        self.assertEqual([{"n": 3503}],
                         phone.json("--vault", "work", "sql", count))
        phone.ok("sql", "UPDATE notes SET body = 'two'")
        phone.ok("--vault", "work", "sql",
                 "UPDATE Artist SET Name = 'AC⚡DC' WHERE ArtistId = 1")
        report = phone.json("sync", "hub")
        self.assertEqual(2, report["pushed"])
        self.assertEqual({"pushed", "pulled", "conflicts", "bytes_sent",
                          "bytes_received", "seconds"}, set(report))
        self.assertEqual(2, self.laptop.json("sync")["pulled"])
        phrase = self.folder / "phrase"
        phrase.write_text(self.laptop.genesis["recovery_phrase"])
        tablet = self.login("tablet", "--phrase-file", phrase)
        for device in (self.laptop, phone, tablet):
            self.assertEqual({"a": "two"}, self.notes(device))
            self.assertEqual(
                "AC⚡DC\n", device.ok("--vault", "work", "sql",
                                     "SELECT Name FROM Artist LIMIT 1"))
        self.assertEqual(3, tablet.json("account", "show")["devices"])

    def test_a_conflict_is_one_as_between_peers(self):
        self.make_notes()
        phone = self.login("phone")
        self.laptop.ok("sql", "UPDATE notes SET body = 'from the laptop'")
        phone.ok("sql", "UPDATE notes SET body = 'from the phone'")
        self.laptop.ok("sync", "hub")
        result = phone.run("sync", "hub", "--fail-on-conflict")
        self.assertEqual(6, result.code, result.err)
        [conflict] = phone.json("conflicts", "list")
        phone.ok("conflicts", "resolve", conflict["id"], "--data",
                 json.dumps("from both"))
        phone.ok("sync", "hub")
        self.laptop.ok("sync", "hub")
        self.assertEqual([], self.laptop.json("conflicts", "list"))
        self.assertEqual({"a": "from both"}, self.notes(self.laptop))

    def test_a_hub_that_is_away_leaves_everything_working(self):
        self.make_notes()
        phone = self.login("phone")
        self.hub.stop(signal.SIGKILL)
        self.laptop.ok("sql", "INSERT INTO notes VALUES('b', 'offline')")
        phone.ok("sql", "INSERT INTO notes VALUES('c', 'as well')")
        self.assert_fails(self.laptop.run("sync", "hub"), 5, "Connection refused")
        status = self.laptop.json("status")
        self.assertEqual("offline", status["hub"]["state"])
        [main] = [v for v in status["vaults"] if v["name"] == "main"]
        self.assertEqual(1, main["unsynced"])
        self.hub.start()
        for device in (self.laptop, phone, self.laptop):
            device.ok("sync", "hub")
        self.assertEqual({"a": "one", "b": "offline", "c": "as well"},
                         self.notes(self.laptop))
        self.assertEqual(self.notes(self.laptop), self.notes(phone))
        status = self.laptop.json("status")
        self.assertEqual("in step", status["hub"]["state"])
        self.assertEqual([0, 0], [v["unsynced"] for v in status["vaults"]])

    def test_the_hub_has_not_a_word_of_it(self):
        secret = "Zaphod-Beeblebrox-of-Betelgeuse"
        self.laptop.ok("vault", "create", "workofzaphod")
        self.laptop.ok("sql", "CREATE TABLE betelgeusians(fullname TEXT PRIMARY "
                              f"KEY); INSERT INTO betelgeusians VALUES('{secret}')")
        self.laptop.ok("track", "betelgeusians")
        self.laptop.ok("sync", "hub")
        phone = self.login("phone")
        phone.ok("sync", "hub")
        key = bytes.fromhex(self.laptop.ok("vault", "key", "main").strip())
        secret_key = self.laptop.ok("account", "show", "--secret-key").strip()
        files = [path for path in self.hub.folder.rglob("*") if path.is_file()]
        self.assertGreater(sum(path.stat().st_size for path in files), 10000)
        for path in [*files, self.folder / "hub.log"]:
            content = path.read_bytes()
            for word in (secret, "betelgeusians", "fullname", "workofzaphod",
                         PASSWORD, self.laptop.genesis["recovery_phrase"],
                         secret_key, key):
                for disguise in disguises(word):
                    self.assertNotIn(disguise, content, path)

    def test_mistakes_are_told(self):
        stranger = self.device("stranger")
        self.assert_fails(stranger.run("sync", "hub"), 1, "no account")
        self.assert_fails(
            stranger.run("account", "register", "--hub", self.hub.url,
                         "--email", EMAIL), 1)
        self.assert_fails(
            stranger.run("account", "register", "--hub", self.hub.url,
                         "--email", "nobody"), 2, "no e-mail address")
        self.assert_fails(
            self.laptop.run("account", "register", "--hub", self.hub.url,
                            "--email", EMAIL), 1, "already")
        key = self.folder / "wrong-key"
        key.write_text(stranger.ok("account", "show", "--secret-key"))
        phone = self.device("phone", init=False)
        self.assert_fails(
            phone.run("account", "login", "--hub", self.hub.url, "--email",
                      EMAIL, "--secret-key-file", key), 3, "secret key is wrong")
        self.assertFalse(phone.home.exists())

    def test_logging_out_ends_the_session_and_login_begins_another(self):
        self.make_notes()
        self.laptop.ok("account", "logout")
        self.assertNotEqual(0, self.laptop.run("sync", "hub").code)
        self.assertEqual("logged out",
                         self.laptop.json("account", "show")["state"])
        self.laptop.ok("account", "login", "--hub", self.hub.url, "--email",
                       EMAIL)
        self.laptop.ok("sync", "hub")

    def change_password(self, device, new, *more):
        """Runs `satchel password`; the password is `new` from then on."""
        file = self.folder / "new-password"
        file.write_text(new + "\n")
        result = device.run("password", "--new-password-file", file, *more)
        device.password_file.write_text(new + "\n")
        return result

    def assert_logs_in(self, name, password, code=0):
        key = self.folder / "secret-key"
        key.write_text(self.laptop.ok("account", "show", "--secret-key"))
        device = self.device(name, init=False)
        device.password_file.write_text(password + "\n")
        result = device.run("account", "login", "--hub", self.hub.url,
                            "--email", EMAIL, "--name", name,
                            "--secret-key-file", key)
        self.assertEqual(code, result.code, result.err)
        return device

    def test_another_password_is_the_accounts(self):
        self.make_notes()
        new = "another battery staple"
        self.assertEqual(0, self.change_password(self.laptop, new).code)
        self.assert_logs_in("thief", PASSWORD, 3)
        phone = self.assert_logs_in("phone", new)
        self.assertEqual({"a": "one"}, self.notes(phone))
        phone.ok("sql", "UPDATE notes SET body = 'two'")
        phone.ok("sync", "hub")
        self.laptop.ok("sync", "hub")
        self.assertEqual({"a": "two"}, self.notes(self.laptop))

    def test_a_hub_that_is_away_hears_of_the_password_later(self):
        self.make_notes()
        self.hub.stop()
        new = "another battery staple"
        self.assert_fails(self.change_password(self.laptop, new), 5, "password",
                          "sync hub")
        self.hub.start()
        self.laptop.ok("sync", "hub")
        self.assert_logs_in("thief", PASSWORD, 3)
        self.assertEqual({"a": "one"},
                         self.notes(self.assert_logs_in("phone", new)))

    def test_a_compromised_password_opens_nothing_new(self):
        self.make_notes()
        phone = self.login("phone")
        before = self.laptop.json("account", "show")["account_id"]
        new = "another battery staple"
        result = self.change_password(self.laptop, new, "--compromised")
        self.assertEqual(0, result.code, result.err)
        self.laptop.ok("sql", "UPDATE notes SET body = 'after'")
        self.laptop.ok("sync", "hub")
        self.assert_logs_in("thief", PASSWORD, 3)
        self.assertEqual({"a": "after"},
                         self.notes(self.assert_logs_in("tablet", new)))
        phone.ok("account", "login", "--hub", self.hub.url, "--email", EMAIL)
        phone.ok("sync", "hub")
        self.assertEqual({"a": "after"}, self.notes(phone))
        self.assertEqual(before,
                         self.laptop.json("account", "show")["account_id"])

    def epochs(self):
        """Under which keys the hub's items are sealed."""
        with contextlib.closing(
                sqlite3.connect(self.hub.folder / "hub.db")) as database:
            return {epoch for epoch, in database.execute(
                "SELECT DISTINCT epoch FROM items WHERE deleted = 0")}

    def test_vaults_get_new_keys_once_a_hub_that_was_away_is_back(self):
        self.make_notes()
        before = self.epochs()
        self.hub.stop()
        new = "another battery staple"
        result = self.change_password(self.laptop, new, "--compromised")
        self.assert_fails(result, 5, "password", "sync hub")
        result = self.change_password(self.laptop, new + "s")
        self.assert_fails(result, 5, "password", "sync hub")
        self.hub.start()
        self.laptop.ok("sync", "hub")
        self.laptop.ok("sql", "UPDATE notes SET body = 'after'")
        self.laptop.ok("sync", "hub")
        self.assertEqual(1, len(self.epochs() - before))
        self.laptop.ok("sync", "hub")
        self.assertEqual({"a": "after"},
                         self.notes(self.assert_logs_in("tablet", new + "s")))

    def test_a_second_factor_is_asked_for(self):
        begun = self.laptop.json("account", "mfa", "enable")
        self.assertIn("secret=" + begun["secret"], begun["uri"])
        code = lambda: subprocess.run(
            ["oathtool", "--totp", "-b", begun["secret"]], check=True,
            capture_output=True, text=True).stdout.strip()
        self.assert_fails(
            self.laptop.run("account", "mfa", "enable", "--code", "000000"), 3)
        codes = self.laptop.json("account", "mfa", "enable", "--code",
                                 code())["recovery_codes"]
        self.assertEqual(10, len(set(codes)))
        self.assert_fails(self.laptop.run("account", "mfa", "enable"), 1,
                          "already")
        key = self.folder / "secret-key"
        key.write_text(self.laptop.ok("account", "show", "--secret-key"))
        login = ("account", "login", "--hub", self.hub.url, "--email", EMAIL,
                 "--secret-key-file", key)
        phone = self.device("phone", init=False)
        self.assert_fails(phone.run(*login), 3, "second factor", "--code")
        self.assert_fails(phone.run(*login, "--code", "000000"), 3, "wrong")
        phone.ok(*login, "--code", codes[0])
        tablet = self.device("tablet", init=False)
        self.assert_fails(tablet.run(*login, "--code", codes[0]), 3, "wrong")
        status, screen = run_on_terminal(
            [*tablet.who(), *login],
            [("code of the second factor: ", codes[1] + "\n")])
        self.assertEqual(0, status, screen)
        self.assertNotIn(codes[1], screen)
        self.laptop.ok("account", "mfa", "disable", "--code", codes[2])
        self.login("desk")
        self.assert_fails(
            self.laptop.run("account", "mfa", "disable", "--code", codes[3]),
            1, "no second factor")

    def test_a_session_is_ended_from_another_device(self):
        self.make_notes()
        phone = self.login("phone")
        sessions = self.laptop.json("account", "sessions")
        self.assertEqual({"laptop": True, "phone": False},
                         {s["device_name"]: s["this"] for s in sessions})
        [other] = [s["id"] for s in sessions if not s["this"]]
        self.laptop.ok("account", "sessions", "--end", other[:12])
        self.assertEqual(1, len(self.laptop.json("account", "sessions")))
        self.assertNotEqual(0, phone.run("sync", "hub").code)
        self.assert_fails(
            self.laptop.run("account", "sessions", "--end", other), 1,
            "no session")
        phone.ok("account", "login", "--hub", self.hub.url, "--email", EMAIL)
        phone.ok("sync", "hub")

    def test_behind_the_horizon_a_device_starts_afresh_by_itself(self):
        self.make_notes()
        phone = self.login("phone")
        phone.ok("sql", "INSERT INTO notes VALUES('p', 'not sent yet')")
        self.laptop.ok("sql", "DELETE FROM notes WHERE id = 'a'; "
                              "INSERT INTO notes VALUES('b', 'two')")
        self.laptop.ok("sync", "hub")
        self.hub.stop()
        with contextlib.closing(sqlite3.connect(self.hub.folder / "hub.db")) as db:
            db.execute("UPDATE vaults SET horizon = sequence")
            db.commit()
        self.hub.start()
        phone.ok("sync", "hub")
        self.laptop.ok("sync", "hub")
        self.assertEqual({"b": "two", "p": "not sent yet"}, self.notes(phone))
        self.assertEqual(self.notes(phone), self.notes(self.laptop))

    def test_live_a_change_arrives_by_itself(self):
        self.make_notes()
        phone = self.login("phone")
        live = subprocess.Popen(
            [SATCHEL, *phone.who(), "--quiet", "sync", "hub", "--every", "60s"],
            stderr=subprocess.PIPE, env=clean_environment())
        try:
            time.sleep(1)
            self.laptop.ok("sql", "UPDATE notes SET body = 'live'")
            self.laptop.ok("sync", "hub")
            until = time.monotonic() + 20
            while self.notes(phone) != {"a": "live"}:
                self.assertLess(time.monotonic(), until)
                self.assertIsNone(live.poll())
            phone.ok("sql", "UPDATE notes SET body = 'and back'")
            while self.notes(self.laptop) != {"a": "and back"}:
                self.assertLess(time.monotonic(), until)
                self.laptop.ok("sync", "hub")
        finally:
            live.send_signal(signal.SIGINT)
            live.wait(20)
            live.stderr.close()


class Sharing(WithAHub):
    def setUp(self):
        super().setUp()
        self.make_notes()
        self.bob = self.device("bob")
        self.bob.ok("account", "register", "--hub", self.hub.url, "--email",
                    "bob@example.org")
        self.bob.ok("sync", "hub")

    def share(self, role):
        invited = self.laptop.json("share", "invite", "main", "bob@example.org",
                                   "--role", role)
        [waiting] = self.bob.json("share", "list")
        self.assertEqual("waits for you", waiting["status"])
        self.assertEqual(invited["safety_number"], waiting["safety_number"])
        self.assertRegex(invited["safety_number"], r"^\d{5}( \d{5}){11}$")
        self.assert_fails(
            self.laptop.run("share", "confirm", invited["id"], "--yes"), 1,
            "was not accepted")
        self.bob.ok("share", "accept", waiting["id"], "--name", "ours")
        self.bob.ok("sync", "hub")  # nothing is there before it is confirmed
        self.assertNotIn("ours", [v["name"]
                                  for v in self.bob.json("vault", "list")])
        self.laptop.ok("share", "confirm", invited["id"], "--yes")
        self.bob.ok("sync", "hub")
        return invited["id"]

    def bobs(self):
        return {row["id"]: row["body"] for row in
                self.bob.json("--vault", "ours", "sql", "SELECT * FROM notes")}

    def test_a_vault_is_shared_and_taken_back(self):
        share = self.share("write")
        self.assertEqual({"a": "one"}, self.bobs())
        self.bob.ok("--vault", "ours", "sql",
                    "INSERT INTO notes VALUES('b', 'from bob')")
        self.bob.ok("sync", "hub")
        self.laptop.ok("sync", "hub")
        self.assertEqual({"a": "one", "b": "from bob"}, self.notes(self.laptop))
        self.laptop.ok("share", "revoke", share)
        self.laptop.ok("sql", "INSERT INTO notes VALUES('c', 'without bob')")
        self.laptop.ok("sync", "hub")
        self.bob.ok("--vault", "ours", "sql",
                    "INSERT INTO notes VALUES('d', 'too late')")
        self.bob.run("sync", "hub")
        self.laptop.ok("sync", "hub")
        self.assertEqual({"a": "one", "b": "from bob", "d": "too late"},
                         self.bobs())
        self.assertEqual({"a": "one", "b": "from bob", "c": "without bob"},
                         self.notes(self.laptop))
        phone = self.login("phone")
        self.assertEqual(self.notes(self.laptop), self.notes(phone))

    def test_a_reader_only_reads(self):
        share = self.share("read")
        self.assertEqual({"a": "one"}, self.bobs())
        self.bob.ok("--vault", "ours", "sql",
                    "INSERT INTO notes VALUES('b', 'from bob')")
        self.bob.ok("sync", "hub")
        self.laptop.ok("sync", "hub")
        self.assertEqual({"a": "one"}, self.notes(self.laptop))
        self.laptop.ok("share", "role", share, "write")
        self.bob.ok("sync", "hub")
        self.laptop.ok("sync", "hub")
        self.assertEqual({"a": "one", "b": "from bob"}, self.notes(self.laptop))

    def test_every_device_of_who_accepted_has_it(self):
        self.share("write")
        tablet = self.device("tablet", init=False)
        key = self.folder / "bobs-key"
        key.write_text(self.bob.ok("account", "show", "--secret-key"))
        tablet.ok("account", "login", "--hub", self.hub.url, "--email",
                  "bob@example.org", "--secret-key-file", key)
        self.assertEqual(
            "one\n", tablet.ok("--vault", "ours", "sql",
                               "SELECT body FROM notes"))

    def test_somebody_unknown_looks_like_anybody(self):
        first = self.laptop.json("share", "invite", "main", "no@example.org")
        self.assertEqual("invited", first["status"])


class Items(Case):
    def test_items_have_versions(self):
        laptop = self.device("laptop")
        laptop.ok("item", "put", "a", '{"n": 1}')
        laptop.ok("item", "put", "a", stdin='{"n": 2}')
        laptop.ok("item", "put", "b", "[1]")
        self.assertEqual({"n": 2}, laptop.json("item", "get", "a"))
        self.assertEqual(["a", "b"],
                         [row["id"] for row in laptop.json("item", "list")])
        first, second = laptop.json("item", "history", "a")
        self.assertLess(first["version"], second["version"])
        laptop.ok("item", "restore", "a", str(first["version"]))
        self.assertEqual({"n": 1}, laptop.json("item", "get", "a"))
        laptop.ok("item", "delete", "b")
        self.assert_fails(laptop.run("item", "get", "b"), 1, "no item 'b'")
        self.assert_fails(laptop.run("item", "put", "c", "{"), 2, "not JSON")


if __name__ == "__main__":
    unittest.main()
