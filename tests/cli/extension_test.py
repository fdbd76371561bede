"""The loadable extension, in shells that know nothing of satchel."""
import json
import os
import pathlib
import re
import subprocess
import unittest

from program import Case

EXTENSION = pathlib.Path(os.environ["SAT_BUILD_DIR"]) / "satchel"


class Extension(Case):
    shells = ("sqlcipher", "sqlite3")

    def shell(self, name, database, *statements, before=""):
        """Runs the statements; returns the rows of those that return any."""
        done = subprocess.run(
            [name, "-json", str(database)], text=True, capture_output=True,
            input="\n".join([before, f".load {EXTENSION}", *statements, ""]))
        self.assertEqual("", done.stderr)
        return [json.loads(array)
                for array in re.findall(r"^\[.*?\]$", done.stdout, re.M | re.S)]

    def test_it_links_no_sqlite(self):
        linked = subprocess.run(["ldd", f"{EXTENSION}.so"], text=True,
                                capture_output=True).stdout
        self.assertNotIn("sqlite", linked)
        self.assertNotIn("sqlcipher", linked)

    def test_it_tracks_in_any_shell(self):
        for shell in self.shells:
            with self.subTest(shell=shell):
                database = self.folder / f"{shell}.db"
                rows = self.shell(
                    shell, database,
                    "CREATE TABLE t(id TEXT PRIMARY KEY, v);",
                    "SELECT satchel_track('t') AS done;",
                    "INSERT INTO t VALUES('a', 1);",
                    "UPDATE t SET v = 2;",
                    "SELECT operation FROM sync_log WHERE table_name = 't';",
                    "SELECT is_self FROM sync_devices;")
                self.assertEqual([{"done": None}], rows[0])
                self.assertIn({"operation": "INSERT"}, rows[1])
                self.assertEqual([{"is_self": 1}], rows[2])

    def test_a_later_session_is_the_same_device(self):
        database = self.folder / "t.db"
        first = self.shell("sqlite3", database, "CREATE TABLE t(a PRIMARY KEY, b);",
                           "SELECT satchel_track('t') AS done;",
                           "SELECT device_id FROM sync_devices;")
        again = self.shell("sqlite3", database,
                           "SELECT device_id FROM sync_devices;")
        self.assertEqual(first[-1], again[-1])

    def test_the_hosts_triggers_and_foreign_keys_stay_on(self):
        rows = self.shell(
            "sqlite3", self.folder / "t.db", "PRAGMA foreign_keys = ON;",
            "CREATE TABLE t(id INTEGER PRIMARY KEY, v);",
            "CREATE TABLE seen(v);",
            "CREATE TRIGGER see AFTER INSERT ON t BEGIN "
            "INSERT INTO seen VALUES(new.v); END;",
            "SELECT satchel_track('t') AS done;",
            "INSERT INTO t VALUES(1, 'x');", "SELECT v FROM seen;",
            "PRAGMA foreign_keys;")
        self.assertEqual([{"v": "x"}], rows[1])
        self.assertEqual([{"foreign_keys": 1}], rows[2])

    def test_what_it_did_can_be_undone_in_a_transaction(self):
        rows = self.shell(
            "sqlite3", self.folder / "t.db", "CREATE TABLE t(a PRIMARY KEY, b);",
            "BEGIN;", "SELECT satchel_track('t') AS done;", "ROLLBACK;",
            "SELECT count(*) AS n FROM sqlite_schema WHERE type = 'trigger';")
        self.assertEqual([{"n": 0}], rows[-1])

    def test_mistakes_are_sentences(self):
        done = subprocess.run(
            ["sqlite3", str(self.folder / "t.db")], text=True,
            capture_output=True,
            input=f".load {EXTENSION}\nSELECT satchel_track('nowhere');\n"
                  "SELECT satchel_track(NULL);\n"
                  "SELECT satchel_resolve('x', 'loudest');\n")
        self.assertIn("nowhere", done.stderr)
        self.assertIn("NULL", done.stderr)
        self.assertIn("'local'", done.stderr)

    def test_a_schema_can_not_call_it(self):
        done = subprocess.run(
            ["sqlite3", str(self.folder / "t.db")], text=True,
            capture_output=True,
            input=f".load {EXTENSION}\n"
                  "CREATE VIEW v AS SELECT satchel_track('x');\n"
                  "SELECT * FROM v;\n")
        self.assertIn("unsafe use", done.stderr)

    def test_a_vault_is_written_with_it_in_the_sqlcipher_shell(self):
        laptop = self.device("laptop")
        laptop.ok("sql", "CREATE TABLE t(id TEXT PRIMARY KEY, v)")
        laptop.ok("track", "t")
        key = laptop.ok("vault", "key", "main").strip()
        rows = self.shell("sqlcipher", laptop.home / "vaults/main.db",
                          "INSERT INTO t VALUES('a', 1);",
                          "SELECT device FROM sync_log;",
                          before=f"PRAGMA key = \"x'{key}'\";")
        self.assertEqual([{"device": laptop.genesis["device_id"]}], rows[-1])
        self.assertEqual(1, len(laptop.json("log")))


if __name__ == "__main__":
    unittest.main()
