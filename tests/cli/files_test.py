"""Media files of a vault, and what the device tells about itself."""
import os
import unittest

from program import Case


class Files(Case):
    def setUp(self):
        super().setUp()
        self.laptop = self.device("laptop").unlock()
        self.picture = self.folder / "picture.jpg"
        self.picture.write_bytes(os.urandom(300000))

    def add(self):
        return self.laptop.json("files", "add", self.picture)[0]["id"]

    def test_one_is_taken_in_listed_and_given_back(self):
        added = self.add()
        listed = self.laptop.json("files")
        self.assertEqual([(added, "picture.jpg", 300000, True)],
                         [(f["id"], f["name"], f["size"], f["present"])
                          for f in listed])
        out = self.folder / "out.jpg"
        self.laptop.ok("files", "get", added, out)
        self.assertEqual(self.picture.read_bytes(), out.read_bytes())

    def test_it_is_in_no_file_of_the_profile_as_it_was(self):
        self.add()
        part = self.picture.read_bytes()[1000:1064]
        for path in self.laptop.home.rglob("*"):
            if path.is_file():
                self.assertNotIn(part, path.read_bytes())

    def test_a_removed_one_is_gone(self):
        added = self.add()
        self.laptop.ok("files", "remove", added)
        self.assertEqual([], self.laptop.json("files", "list"))
        self.assert_fails(self.laptop.run("files", "get", added,
                                          self.folder / "out"), 1)

    def test_a_damaged_one_is_found(self):
        added = self.add()
        self.assertEqual(1, self.laptop.json("files", "verify")["verified"])
        sealed = max(self.laptop.home.glob("vaults/main.files/**/*"),
                     key=lambda path: path.stat().st_size)
        content = bytearray(sealed.read_bytes())
        content[len(content) // 2] ^= 1
        sealed.chmod(0o600)
        sealed.write_bytes(content)
        self.assert_fails(self.laptop.run("files", "verify"), 7)
        self.assert_fails(self.laptop.run("files", "get", added,
                                          self.folder / "out"), 7)
        self.assertFalse((self.folder / "out").exists())

    def test_mistakes_are_told(self):
        self.assert_fails(self.laptop.run("files", "add"), 2)
        self.assert_fails(self.laptop.run("files", "add", "/no/such/file"), 1,
                          "/no/such/file")
        self.assert_fails(self.laptop.run("files", "get", "0" * 32,
                                          self.folder / "out"), 1)


class Telling(Case):
    def test_status_counts_what_is_not_synced_and_in_conflict(self):
        laptop = self.device("laptop").unlock()
        laptop.ok("sql", "CREATE TABLE t(id INTEGER PRIMARY KEY)")
        laptop.ok("track", "t")
        laptop.ok("sql", "INSERT INTO t VALUES(1)")
        status = laptop.json("status")
        self.assertEqual(laptop.genesis["device_id"], status["device_id"])
        vaults = {vault["name"]: vault for vault in status["vaults"]}
        self.assertEqual((1, 0), (vaults["main"]["unsynced"],
                                  vaults["main"]["conflicts"]))
        self.assertEqual([], status["peers"])

    def test_audit_says_who_and_when_without_what(self):
        laptop = self.device("laptop").unlock()
        laptop.ok("sql", "CREATE TABLE t(id INTEGER PRIMARY KEY, v)")
        laptop.ok("track", "t")
        laptop.ok("sql", "INSERT INTO t VALUES(1, 'secret-word')")
        out = laptop.ok("--json", "audit")
        self.assertIn('"by_this_device":true', out)
        self.assertNotIn("secret-word", out)

    def test_the_doctor_finds_all_well(self):
        laptop = self.device("laptop").unlock()
        checks = laptop.json("doctor")
        self.assertTrue(all(check["ok"] for check in checks), checks)
        self.assertIn("vault main", [check["check"] for check in checks])

    def test_the_doctor_names_a_damaged_vault(self):
        laptop = self.device("laptop").unlock()
        laptop.ok("sql", "CREATE TABLE t(a)")
        with open(laptop.home / "vaults/main.db", "r+b") as database:
            database.seek(4096)
            database.write(os.urandom(4096))
        result = laptop.run("--json", "doctor")
        self.assertEqual(7, result.code, result.err)
        bad = [check for check in result.json() if not check["ok"]]
        self.assertEqual(["vault main"], [check["check"] for check in bad])

    def test_the_doctor_names_a_folder_that_others_can_read(self):
        laptop = self.device("laptop").unlock()
        laptop.home.chmod(0o755)
        self.assert_fails(laptop.run("doctor"), 1, "chmod")


if __name__ == "__main__":
    unittest.main()
