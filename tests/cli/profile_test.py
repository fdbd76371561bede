"""A profile: made, unlocked, its password changed, its vaults."""
import os
import shutil
import subprocess
import unittest

from program import DATA, PASSWORD, Case, run, run_on_terminal

CHINOOK = DATA / "data" / "chinook.sqlite"


class Init(Case):
    def test_it_prints_who_the_device_is_and_the_phrase_once(self):
        laptop = self.device("laptop")
        self.assertRegex(laptop.genesis["device_id"], r"^[0-9a-f]{64}$")
        self.assertEqual("laptop", laptop.genesis["device_name"])
        self.assertEqual(12, len(laptop.genesis["recovery_phrase"].split()))
        self.assertEqual(0, laptop.genesis["tables_imported"])

    def test_a_phrase_may_have_24_words(self):
        laptop = self.device("laptop", init=False)
        made = laptop.json("init", "--words", "24")
        self.assertEqual(24, len(made["recovery_phrase"].split()))

    def test_other_lengths_are_misuse(self):
        laptop = self.device("laptop", init=False)
        self.assert_fails(laptop.run("init", "--words", "13"), 2, "'13'")
        self.assertFalse(laptop.home.exists())

    def test_an_existing_profile_stays(self):
        laptop = self.device("laptop")
        before = (laptop.home / "keys.cbor").read_bytes()
        self.assert_fails(laptop.run("init"), 1, "already")
        self.assertEqual(before, (laptop.home / "keys.cbor").read_bytes())

    def test_a_real_database_is_imported(self):
        laptop = self.device("laptop", init=False)
        made = laptop.json("init", "--import", CHINOOK)
        self.assertEqual(11, made["tables_imported"])
        rows = laptop.sql("SELECT count(*) AS n FROM Track")
        self.assertEqual([{"n": 3503}], rows)

    def test_what_is_no_database_leaves_nothing_behind(self):
        laptop = self.device("laptop", init=False)
        text = self.folder / "notes.txt"
        text.write_text("not a database at all\n" * 100)
        self.assert_fails(laptop.run("init", "--import", text), 7)
        self.assertFalse(laptop.home.exists())
        self.assertEqual([], list(self.folder.glob("laptop*init*")))

    def test_a_missing_database_leaves_nothing_behind(self):
        laptop = self.device("laptop", init=False)
        gone = self.folder / "gone.sqlite"
        self.assert_fails(laptop.run("init", "--import", gone), 1, str(gone))
        self.assertFalse(laptop.home.exists())

    def test_the_profile_may_be_named_by_the_environment(self):
        laptop = self.device("laptop", init=False)
        env = {"SATCHEL_HOME": str(laptop.home),
               "SATCHEL_PASSWORD_FILE": str(laptop.password_file)}
        self.assertEqual(0, run("init", env=env).code)
        self.assertEqual(0, run("vault", "list", env=env).code)
        self.assertTrue((laptop.home / "keys.cbor").exists())

    def test_without_either_it_is_where_data_belongs(self):
        laptop = self.device("laptop", init=False)
        env = {"XDG_DATA_HOME": str(self.folder / "data"),
               "SATCHEL_PASSWORD_FILE": str(laptop.password_file)}
        self.assertEqual(0, run("init", env=env).code)
        self.assertTrue((self.folder / "data/satchel/keys.cbor").exists())


class Password(Case):
    def test_a_wrong_one_is_refused(self):
        laptop = self.device("laptop")
        laptop.password_file.write_text("wrong\n")
        self.assert_fails(laptop.run("vault", "list"), 3)

    def test_an_empty_file_is_no_password(self):
        laptop = self.device("laptop")
        laptop.password_file.write_text("\n")
        self.assert_fails(laptop.run("vault", "list"), 2, "empty")

    def test_without_terminal_and_file_it_says_what_to_do(self):
        laptop = self.device("laptop")
        result = run("--profile", laptop.home, "vault", "list")
        self.assert_fails(result, 3, "no terminal", "--password-file")

    def test_it_is_asked_for_without_being_shown(self):
        laptop = self.device("laptop")
        code, screen = run_on_terminal(
            ["--profile", laptop.home, "vault", "list"],
            [("password: ", PASSWORD + "\n")])
        self.assertEqual(0, code, screen)
        self.assertIn("account", screen)
        self.assertNotIn(PASSWORD, screen)

    def test_a_new_one_is_asked_for_twice(self):
        laptop = self.device("laptop", init=False)
        code, screen = run_on_terminal(
            ["--profile", laptop.home, "init"],
            [("new password: ", "one\n"), ("again: ", "another\n")])
        self.assertEqual(2, code)
        self.assertIn("differ", screen)
        self.assertFalse(laptop.home.exists())

    def test_control_c_at_the_question_changes_nothing(self):
        laptop = self.device("laptop", init=False)
        code, screen = run_on_terminal(["--profile", laptop.home, "init"],
                                       [("new password: ", "\x03")])
        self.assertEqual(1, code)
        self.assertIn("stopped", screen)
        self.assertFalse(laptop.home.exists())

    def test_it_can_be_changed(self):
        for option in ([], ["--compromised"]):
            with self.subTest(option=option):
                laptop = self.device("laptop" + "".join(option))
                new = self.folder / "new"
                new.write_text("a new one\n")
                laptop.ok("sql", "CREATE TABLE t(a); INSERT INTO t VALUES(1)")
                laptop.ok("password", "--new-password-file", new, *option)
                self.assert_fails(laptop.run("vault", "list"), 3)
                laptop.password_file = new
                self.assertEqual([{"a": 1}], laptop.sql("SELECT a FROM t"))

    def test_the_phrase_replaces_a_forgotten_one(self):
        laptop = self.device("laptop")
        phrase = self.folder / "phrase"
        phrase.write_text(laptop.genesis["recovery_phrase"] + "\n")
        laptop.ok("phrase", "check", "--phrase-file", phrase)
        new = self.folder / "new"
        new.write_text("a new one\n")
        laptop.password_file.write_text("forgotten\n")
        laptop.ok("password", "--phrase-file", phrase,
                  "--new-password-file", new)
        laptop.password_file = new
        laptop.ok("vault", "list")

    def test_another_phrase_is_not_this_profiles(self):
        laptop, phone = self.device("laptop"), self.device("phone")
        phrase = self.folder / "phrase"
        phrase.write_text(phone.genesis["recovery_phrase"] + "\n")
        result = laptop.run("phrase", "check", "--phrase-file", phrase)
        self.assert_fails(result, 3)


class NoProfile(Case):
    def test_every_command_says_how_to_make_one(self):
        nowhere = self.device("nowhere", init=False)
        for command in (["vault", "list"], ["sql", "SELECT 1"], ["track", "t"],
                        ["log"], ["conflicts"], ["lock"], ["unlock"]):
            with self.subTest(command=command):
                self.assert_fails(nowhere.run(*command), 1, "satchel init")

    def test_a_folder_of_something_else_is_left_alone(self):
        other = self.device("other", init=False)
        other.home.mkdir()
        (other.home / "notes").write_text("mine")
        self.assertNotEqual(0, other.run("vault", "list").code)
        self.assertNotEqual(0, other.run("init").code)
        self.assertEqual("mine", (other.home / "notes").read_text())


class Vaults(Case):
    def names(self, device):
        return [vault["name"] for vault in device.json("vault", "list")]

    def test_they_are_made_renamed_and_deleted(self):
        laptop = self.device("laptop")
        self.assertEqual(["account", "main"], self.names(laptop))
        laptop.ok("vault", "create", "work")
        laptop.ok("--vault", "work", "sql", "CREATE TABLE t(a)")
        laptop.ok("vault", "rename", "work", "job")
        self.assertEqual(["account", "job", "main"], self.names(laptop))
        laptop.ok("--vault", "job", "sql", "INSERT INTO t VALUES(1)")
        laptop.ok("vault", "delete", "job", "--yes")
        self.assertEqual(["account", "main"], self.names(laptop))

    def test_deleting_asks_first(self):
        laptop = self.device("laptop")
        laptop.ok("vault", "create", "work")
        self.assert_fails(laptop.run("vault", "delete", "work"), 1, "--yes")
        self.assertIn("work", self.names(laptop))

    def test_mistakes_are_told(self):
        laptop = self.device("laptop")
        self.assert_fails(laptop.run("vault", "create", "main"), 1, "main")
        self.assert_fails(laptop.run("vault", "create", "Not a name"), 2)
        self.assert_fails(laptop.run("vault", "rename", "none", "x"), 1, "none")
        self.assert_fails(laptop.run("--vault", "none", "sql", "SELECT 1"), 1,
                          "none")
        self.assert_fails(laptop.run("vault", "frob"), 2, "vault frob")

    def test_what_is_imported_is_exported_alike(self):
        laptop = self.device("laptop")
        out = self.folder / "out.sqlite"
        laptop.ok("vault", "import", "music", CHINOOK)
        laptop.ok("vault", "export", "music", out)
        done = subprocess.run(["sqldiff", CHINOOK, out], capture_output=True)
        self.assertEqual((0, b""), (done.returncode, done.stdout))
        self.assert_fails(laptop.run("vault", "export", "music", out), 2,
                          "exists")

    def test_a_failed_import_leaves_no_vault(self):
        laptop = self.device("laptop")
        damaged = self.folder / "damaged.sqlite"
        damaged.write_bytes(CHINOOK.read_bytes()[:5000] + b"x" * 90000)
        self.assert_fails(laptop.run("vault", "import", "music", damaged), 7)
        self.assertNotIn("music", self.names(laptop))

    def test_a_damaged_vault_is_told_apart_from_a_wrong_password(self):
        laptop = self.device("laptop")
        laptop.ok("sql", "CREATE TABLE t(a)")
        (laptop.home / "vaults/main.db").write_bytes(os.urandom(8192))
        for rest in laptop.home.glob("vaults/main.db-*"):
            rest.unlink()
        result = laptop.run("sql", "SELECT 1")
        self.assertIn(result.code, (3, 7), result.err)
        self.assert_fails(result, result.code)
        shutil.copy(CHINOOK, laptop.home / "vaults/main.db")
        self.assert_fails(laptop.run("sql", "SELECT 1"), 7, "plain SQLite")

    def test_the_sqlcipher_shell_opens_it_with_the_key(self):
        laptop = self.device("laptop")
        laptop.ok("sql", "CREATE TABLE t(a); INSERT INTO t VALUES('hello')")
        key = laptop.ok("vault", "key", "main").strip()
        self.assertRegex(key, r"^[0-9a-f]{64}$")
        done = subprocess.run(
            ["sqlcipher", laptop.home / "vaults/main.db"], text=True,
            input=f"PRAGMA key = \"x'{key}'\"; SELECT a FROM t;",
            capture_output=True)
        self.assertIn("hello", done.stdout)

    def test_an_export_that_runs_out_of_space_leaves_no_file(self):
        import resource
        laptop = self.device("laptop", init=False)
        laptop.json("init", "--import", CHINOOK)
        out = self.folder / "out.sqlite"
        result = laptop.run(
            "vault", "export", "main", out,
            setup=lambda: resource.setrlimit(resource.RLIMIT_FSIZE,
                                             (200000, 200000)))
        self.assert_fails(result, 1)
        self.assertFalse(out.exists())
        laptop.ok("vault", "export", "main", out)


if __name__ == "__main__":
    unittest.main()
