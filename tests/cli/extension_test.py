"""The loadable extension, in shells that know nothing of satchel."""
import json
import os
import pathlib
import re
import shutil
import subprocess
import unittest

from program import Case

EXTENSION = pathlib.Path(os.environ["SAT_BUILD_DIR"]) / "satchel"

# A shell that was not compiled with a sanitizer has to load its runtime first,
# and is not itself what is looked at.
PRELOAD = os.environ.get("SAT_PRELOAD")
ENVIRONMENT = dict(os.environ, LD_PRELOAD=PRELOAD,
                   ASAN_OPTIONS="detect_leaks=0") if PRELOAD else None


class Extension(Case):
    shells = ("sqlcipher", "sqlite3")

    def shell(self, name, database, *statements, before=""):
        """Runs the statements; returns the rows of those that return any."""
        done = subprocess.run(
            [name, "-json", str(database)], text=True, capture_output=True,
            env=ENVIRONMENT,
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

    def test_a_counter_is_declared(self):
        rows = self.shell(
            "sqlite3", self.folder / "t.db",
            "CREATE TABLE t(id TEXT PRIMARY KEY, n INTEGER);",
            "SELECT satchel_track('t'), satchel_counter('t', 'n');",
            "INSERT INTO t VALUES('a', 1);",
            "SELECT count(*) AS n FROM sync_log;", "UPDATE t SET n = 5;",
            "SELECT data FROM sync_log WHERE operation = 'UPDATE';")
        self.assertEqual({"n": 5}, json.loads(rows[-1][0]["data"]))

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
            ["sqlite3", str(self.folder / "t.db")], text=True, env=ENVIRONMENT,
            capture_output=True,
            input=f".load {EXTENSION}\nSELECT satchel_track('nowhere');\n"
                  "SELECT satchel_track(NULL);\n"
                  "SELECT satchel_resolve('x', 'loudest');\n")
        self.assertIn("nowhere", done.stderr)
        self.assertIn("NULL", done.stderr)
        self.assertIn("'local'", done.stderr)

    def test_a_schema_can_not_call_it(self):
        done = subprocess.run(
            ["sqlite3", str(self.folder / "t.db")], text=True, env=ENVIRONMENT,
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

    def vault(self):
        """A device with a tracked table, and what opens its vault's database."""
        laptop = self.device("laptop")
        laptop.ok("sql", "CREATE TABLE t(id TEXT PRIMARY KEY, v)")
        laptop.ok("track", "t")
        laptop.ok("sql", "INSERT INTO t VALUES('before', 1)")
        laptop.ok("log")
        key = laptop.ok("vault", "key", "main").strip()
        return laptop, f"PRAGMA key = \"x'{key}'\";"

    def write(self, database, key, *statements):
        """Writes in a foreign shell; returns who wrote, and the last dot."""
        return self.shell(
            "sqlcipher", database, *statements,
            "SELECT device_id, incarnation, version FROM sync_devices "
            "WHERE is_self = 1;", before=key)[-1][0]

    def test_a_copied_vault_gives_dots_of_its_own(self):
        laptop, key = self.vault()
        original = laptop.home / "vaults/main.db"
        (self.folder / "elsewhere").mkdir()
        for name in "copy.db", "elsewhere/main.db", "no suffix":
            with self.subTest(name=name):
                copy = self.folder / name
                shutil.copyfile(original, copy)
                there = self.write(copy, key, f"INSERT INTO t VALUES('{name}', 2);")
                here = self.write(original, key, "UPDATE t SET v = v + 1;")
                self.assertEqual(here["device_id"], there["device_id"])
                self.assertNotEqual(here["incarnation"], there["incarnation"])
                self.assertEqual(1, there["version"])
                again = self.write(copy, key, "UPDATE t SET v = v + 1;")
                self.assertEqual(there["incarnation"], again["incarnation"])
                self.assertEqual(2, again["version"])

    def test_the_original_goes_on_as_it_was(self):
        laptop, key = self.vault()
        original = laptop.home / "vaults/main.db"
        first = self.write(original, key, "INSERT INTO t VALUES('a', 1);")
        laptop.ok("sql", "INSERT INTO t VALUES('b', 1)")
        again = self.write(original, key, "INSERT INTO t VALUES('c', 1);")
        self.assertEqual(first["incarnation"], again["incarnation"])

    def test_an_older_state_put_back_gives_dots_of_its_own(self):
        laptop, key = self.vault()
        original = laptop.home / "vaults/main.db"
        kept = self.folder / "kept.db"
        shutil.copyfile(original, kept)
        first = self.write(original, key, "INSERT INTO t VALUES('a', 1);")
        shutil.copyfile(kept, self.folder / "new.db")
        (self.folder / "new.db").rename(original)
        again = self.write(original, key, "INSERT INTO t VALUES('b', 1);")
        self.assertNotEqual(first["incarnation"], again["incarnation"])

    def test_a_copied_profile_gives_dots_of_its_own(self):
        laptop, key = self.vault()
        copied = self.folder / "copied profile"
        shutil.copytree(laptop.home, copied)
        there = self.write(copied / "vaults/main.db", key,
                           "INSERT INTO t VALUES('there', 1);")
        here = self.write(laptop.home / "vaults/main.db", key,
                          "INSERT INTO t VALUES('here', 1);")
        self.assertNotEqual(here["incarnation"], there["incarnation"])

    def test_a_copy_that_can_not_be_marked_is_not_written(self):
        _, key = self.vault()
        copy = self.folder / "copy.db"
        shutil.copyfile(self.folder / "laptop/vaults/main.db", copy)
        (self.folder / "copy.mark.new").mkdir()
        done = subprocess.run(
            ["sqlcipher", str(copy)], text=True, capture_output=True,
            env=ENVIRONMENT,
            input=f"{key}\n.load {EXTENSION}\n"
                  "INSERT INTO t VALUES('a', 1);\nSELECT * FROM sync_log;\n")
        self.assertIn("copy of a vault", done.stderr)

    def test_a_copy_in_memory_is_not_written(self):
        laptop, key = self.vault()
        done = subprocess.run(
            ["sqlcipher", str(laptop.home / "vaults/main.db")], text=True, env=ENVIRONMENT,
            capture_output=True,
            input=f"{key}\nATTACH '{self.folder}/plain.db' AS plain KEY '';\n"
                  "SELECT sqlcipher_export('plain');\n")
        self.assertEqual("", done.stderr)
        done = subprocess.run(
            ["sqlite3", ":memory:"], text=True, capture_output=True,
            env=ENVIRONMENT,
            input=f".load {EXTENSION}\n.restore {self.folder}/plain.db\n"
                  "SELECT count(*) FROM sync_log;\n")
        self.assertIn("copy of a vault", done.stderr)


if __name__ == "__main__":
    unittest.main()
