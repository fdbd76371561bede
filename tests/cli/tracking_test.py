"""Tracking, the log, the history of a row, and going back in it."""
import json
import shutil
import subprocess
import unittest

from program import DATA, Case

CHINOOK = DATA / "data" / "chinook.sqlite"


class Tracking(Case):
    def setUp(self):
        super().setUp()
        self.laptop = self.device("laptop").unlock()
        self.laptop.ok("sql", "CREATE TABLE notes(id TEXT PRIMARY KEY, body, n)")
        self.laptop.ok("track", "notes")

    def operations(self, *args):
        return [(entry["operation"], entry["record_id"])
                for entry in self.laptop.json("log", *args)]

    def test_every_write_is_logged(self):
        self.laptop.ok("sql", "INSERT INTO notes VALUES('a', 'one', 1)")
        self.laptop.ok("sql", "UPDATE notes SET body = 'two' WHERE id = 'a'")
        self.laptop.ok("sql", "DELETE FROM notes WHERE id = 'a'")
        entries = self.laptop.json("log")
        self.assertEqual(["INSERT", "UPDATE", "DELETE"],
                         [entry["operation"] for entry in entries])
        for entry in entries:
            self.assertEqual("notes", entry["table_name"])
            self.assertEqual("a", entry["record_id"])
            self.assertEqual(self.laptop.genesis["device_id"], entry["device"])
            self.assertRegex(entry["hash"], r"^[0-9a-f]{64}$")
            self.assertIs(False, entry["is_synced"])
        self.assertEqual("two", entries[1]["data"]["body"])
        self.assertEqual(sorted(e["version"] for e in entries),
                         [e["version"] for e in entries])

    def test_the_sqlcipher_shell_is_logged_too(self):
        key = self.laptop.ok("vault", "key", "main").strip()
        subprocess.run(["sqlcipher", self.laptop.home / "vaults/main.db"],
                       input=f"PRAGMA key = \"x'{key}'\";"
                             "INSERT INTO notes VALUES('b', 'shell', 2);",
                       text=True, check=True, capture_output=True)
        self.assertEqual([("INSERT", "b")], self.operations())

    def test_a_copy_that_is_written_to_first_reuses_no_number(self):
        self.laptop.ok("sql", "INSERT INTO notes VALUES('a', 'one', 1)")
        dots = ("SELECT hex(id) || ' ' || n AS dot FROM sync_groups "
                "JOIN sync_incarnations USING(i)")
        before = {row["dot"] for row in self.laptop.sql(dots)}
        copy = self.folder / "copy"
        shutil.copytree(self.laptop.home, copy)
        self.laptop.ok("sql", "INSERT INTO notes VALUES('b', 'here', 2)")
        there = self.device("copied", init=False)
        there.home = copy
        there.password_file = self.laptop.password_file
        there.ok("sql", "INSERT INTO notes VALUES('c', 'there', 3)")
        ours = {row["dot"] for row in self.laptop.sql(dots)} - before
        theirs = {row["dot"] for row in there.sql(dots)} - before
        self.assertEqual((1, 1), (len(ours), len(theirs)))
        self.assertEqual(set(), ours & theirs)

    def test_an_update_that_changes_nothing_is_not_logged(self):
        self.laptop.ok("sql", "INSERT INTO notes VALUES('a', 'one', 1)")
        self.laptop.json("log")
        self.laptop.ok("sql", "UPDATE notes SET body = body")
        self.assertEqual([("INSERT", "a")], self.operations())

    def test_the_log_can_be_narrowed(self):
        self.laptop.ok("sql", "CREATE TABLE other(id INTEGER PRIMARY KEY, v)")
        self.laptop.ok("track", "other")
        self.laptop.ok("sql", "INSERT INTO notes VALUES('a', 1, 1)")
        self.laptop.ok("sql", "INSERT INTO notes VALUES('b', 1, 1)")
        self.laptop.ok("sql", "INSERT INTO other VALUES(7, 1)")
        self.assertEqual([("INSERT", 7)], self.operations("other"))
        self.assertEqual([("INSERT", "b")], self.operations("notes", "b"))
        self.assertEqual(1, len(self.operations("--limit", "1")))
        self.assertEqual(3, len(self.operations("--since", "1h")))
        self.assertEqual(0, len(self.operations("--since", "2999-01-01")))

    def test_times_that_are_none_are_misuse(self):
        for time in ("yesterday", "5 apples", "-3h", "2026-13-45"):
            self.assert_fails(self.laptop.run("log", "--since", time), 2, time)

    def test_a_row_is_seen_through_time_and_reverted(self):
        for body in ("one", "two", "three"):
            self.laptop.ok("sql", "INSERT INTO notes VALUES('a', "
                           f"'{body}', 1) ON CONFLICT DO UPDATE SET body = "
                           "excluded.body")
            self.laptop.json("log")
        history = self.laptop.json("history", "notes", "a")
        self.assertEqual(["one", "two", "three"],
                         [entry["data"]["body"] for entry in history])
        self.laptop.ok("revert", "notes", "a", history[0]["version"])
        self.assertEqual([{"body": "one"}],
                         self.laptop.sql("SELECT body FROM notes"))
        self.assertEqual(4, len(self.laptop.json("history", "notes", "a")))

    def test_a_row_that_never_was_has_no_history(self):
        self.assert_fails(self.laptop.run("history", "notes", "zzz"), 1, "zzz")

    def test_untracked_tables_are_not_logged(self):
        self.laptop.ok("untrack", "notes")
        self.laptop.ok("sql", "INSERT INTO notes VALUES('c', 1, 1)")
        self.assertNotIn(("INSERT", "c"), self.operations())

    def test_an_unknown_table_is_told(self):
        self.assert_fails(self.laptop.run("track", "nowhere"), 1, "nowhere")
        self.assert_fails(self.laptop.run("untrack", "nowhere"), 1, "nowhere")
        self.assert_fails(self.laptop.run("log", "nowhere"), 1, "nowhere")

    def test_a_counter_is_declared(self):
        self.laptop.ok("sql", "CREATE TABLE stock(id TEXT PRIMARY KEY, "
                       "n INTEGER, v TEXT)")
        self.assertIn("Changes of n add up.",
                      self.laptop.ok("track", "stock", "--counter", "n"))
        self.laptop.ok("sql", "INSERT INTO stock VALUES('a', 1, 'x')")
        self.laptop.ok("log")
        self.laptop.ok("sql", "UPDATE stock SET n = n + 1")
        data = [entry["data"] for entry in self.laptop.json("log", "stock")]
        self.assertIn({"n": 2}, data)
        for refused in (["stock", "--counter", "v"],
                        ["stock", "--counter", "id"],
                        ["stock", "notes", "--counter", "n"]):
            self.assert_fails(self.laptop.run("track", *refused), 2)
        self.assert_fails(self.laptop.run("track", "stock", "--counter",
                                          "none"), 1, "none")

    def test_track_needs_tables_or_all(self):
        self.assert_fails(self.laptop.run("track"), 2, "--all")
        self.assert_fails(self.laptop.run("track", "notes", "--all"), 2)

    def test_a_real_database_is_tracked_whole(self):
        phone = self.device("phone", init=False)
        phone.json("init", "--import", CHINOOK)
        report = phone.json("track", "--all")
        self.assertEqual(11, len(report["tracked"]))
        self.assertEqual([], report["refused"])
        phone.ok("sql", "UPDATE Artist SET Name = 'Accept!' WHERE ArtistId = 2")
        self.assertEqual("Accept!",
                         phone.json("log", "Artist", "2")[-1]["data"]["Name"])

    def test_strategies_are_checked(self):
        for strategy in ("latest", "local", "remote", "manual"):
            self.laptop.ok("strategy", strategy)
            self.laptop.ok("strategy", "notes", strategy)
        self.assert_fails(self.laptop.run("strategy", "random"), 2, "random")
        self.assert_fails(self.laptop.run("strategy", "nowhere", "latest"), 1,
                          "nowhere")

    def test_without_conflicts_there_are_none(self):
        self.assertEqual([], self.laptop.json("conflicts"))
        self.assertIn("No conflicts", self.laptop.ok("conflicts", "list"))
        self.assert_fails(self.laptop.run("conflicts", "show", "12ab"), 1,
                          "12ab")

    def test_sql_has_the_functions_and_tables_of_the_extension(self):
        self.laptop.ok("sql", "CREATE TABLE more(id INTEGER PRIMARY KEY, v); "
                              "SELECT satchel_track('more'); "
                              "INSERT INTO more VALUES(1, 'x')")
        self.assertEqual(
            [{"operation": "INSERT", "record_id": "1"}],
            self.laptop.sql("SELECT operation, record_id FROM sync_log "
                            "WHERE table_name = 'more'"))
        self.assertEqual([], self.laptop.sql("SELECT * FROM sync_conflicts"))
        self.assertEqual([{"device_id": self.laptop.genesis["device_id"],
                           "is_self": 1}],
                         self.laptop.sql("SELECT device_id, is_self "
                                         "FROM sync_devices"))


class LongLog(Case):
    """Printed as it is read: whatever its length, it is one JSON value."""

    def test_ten_thousand_changes(self):
        laptop = self.device("laptop").unlock()
        laptop.ok("sql", "CREATE TABLE n(id INTEGER PRIMARY KEY, x)")
        laptop.ok("track", "n")
        laptop.ok("sql", "WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT "
                         "i + 1 FROM c WHERE i < 10000) INSERT INTO n SELECT "
                         "i, 'text ' || i FROM c")
        self.assertEqual(10000, len(laptop.json("log")))
        lines = laptop.ok("log").splitlines()
        self.assertEqual(10001, len(lines))
        self.assertEqual(1, sum(line.startswith("TABLE") for line in lines))
        vaults = laptop.json("status")["vaults"]
        self.assertIn(10000, [v["unsynced"] for v in vaults])


if __name__ == "__main__":
    unittest.main()
