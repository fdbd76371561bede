"""Backups: made, listed, verified, restored by the phrase alone."""
import contextlib
import hashlib
import json
import os
import pathlib
import shutil
import sqlite3
import subprocess
import unittest

from program import Case, DATA


class Backups(Case):
    def setUp(self):
        super().setUp()
        self.laptop = self.device("laptop", init=False)
        made = self.laptop.json("init", "--name", "laptop", "--import",
                                DATA / "data/chinook.sqlite")
        self.laptop.unlock()
        self.phrase = self.folder / "phrase"
        self.phrase.write_text(made["recovery_phrase"] + "\n")
        for size in (0, 1, 65536, 300000):
            picture = self.folder / f"{size}.jpg"
            picture.write_bytes(os.urandom(size))
            self.laptop.ok("files", "add", picture)

    def export(self, device, name):
        out = self.folder / name
        device.ok("vault", "export", "main", out)
        return out.read_bytes()

    def restore(self, device, place, *args):
        return device.run("backup", "restore", *args, "--from", place,
                          "--phrase-file", self.phrase, "--json")

    def rename(self, name):
        self.laptop.ok("sql", f"UPDATE Artist SET Name = '{name}' "
                              "WHERE ArtistId = 1")

    def test_each_of_two_is_restored_by_the_phrase_alone(self):
        for place in ("backups.satchel", "folder/"):
            at = f"{self.folder}/{place}"
            exports = {}
            for version in (1, 2, 3):
                self.rename(f"{place} {version}")
                made = self.laptop.json("backup", "now", "--to", at)
                self.assertEqual(version, made["version"])
                self.assertEqual(4, made["files"])
                exports[version] = self.export(self.laptop, f"{version}.db")
            self.assertLess(made["size_uploaded"], 20000)
            listed = self.laptop.json("backup", "list")
            self.assertEqual([3, 2], [b["version"] for b in listed])
            self.assertEqual(2, self.laptop.json(
                "backup", "verify", "--full")["verified"])
            for version in (3, 2):
                name = f"{place.strip('/')}-{version}"
                phone = self.device(name, init=False)
                result = self.restore(phone, at, version, "--name", name)
                self.assertEqual(0, result.code, result.err)
                self.assertEqual(exports[version],
                                 self.export(phone, name + ".db"))
                self.assertEqual(4, phone.json("files", "verify")["verified"])
                self.assertNotEqual(
                    self.laptop.json("device", "show")["device_id"],
                    phone.json("device", "show")["device_id"])
            for left in self.folder.glob("?.db"):
                left.unlink()

    def read_elsewhere(self, at, number):
        """What a program says and writes that knows docs/formats alone."""
        out = self.folder / f"read-{number}"
        out.mkdir()
        told = subprocess.run(
            ["node", pathlib.Path(__file__).parent / "read_backup.js", at,
             self.phrase, out, str(number)], capture_output=True, text=True)
        self.assertEqual("", told.stderr)
        return json.loads(told.stdout), out

    def test_another_program_reads_it_by_the_document_alone(self):
        for place in ("file", "folder/"):
            at = f"{self.folder}/{place}"
            for name in ("one", "two"):
                self.rename(name)
                self.laptop.ok("backup", "now", "--to", at)
            for number, name in ((1, "one"), (2, "two")):
                told, out = self.read_elsewhere(at, number)
                self.assertEqual((number, "laptop", 4, 0), (
                    told["number"], told["device_name"], told["files"],
                    told["missing"]))
                self.assertIn("name = laptop",
                              told["settings"]["satchel.conf"])
                with contextlib.closing(
                        sqlite3.connect(out / "main.sqlite")) as db:
                    self.assertEqual([("ok",)], db.execute(
                        "PRAGMA integrity_check").fetchall())
                    self.assertEqual([(name,)], db.execute(
                        "SELECT Name FROM Artist WHERE ArtistId = 1")
                        .fetchall())
                self.assertEqual([0, 1, 65536, 300000], sorted(
                    p.stat().st_size for p in (out / "main.files").iterdir()))
                shutil.rmtree(out)

    def test_the_vector_is_read_by_either_program(self):
        """The bytes that docs/formats/backup.md is about, kept as they are."""
        vector = DATA / "vectors/backup"
        at = self.folder / "two.satchel"
        shutil.copy(vector / "two.satchel", at)
        self.phrase = vector / "phrase"
        expected = json.loads((vector / "expected.json").read_text())

        def plain(value):
            return {"blob": value.hex()} if isinstance(value, bytes) else value

        for number, rows in expected["backups"].items():
            told, out = self.read_elsewhere(at, int(number))
            self.assertEqual(expected["device_name"], told["device_name"])
            self.assertEqual(sorted(expected["files"].values()), sorted(
                p.name for p in (out / "main.files").iterdir()))
            phone = self.device(f"phone{number}", init=False)
            self.assertEqual(0, self.restore(phone, at, number).code)
            phone.ok("vault", "export", "main", self.folder / f"{number}.db")
            for file, content in expected["files"].items():
                [one] = [f for f in phone.json("files", "list")
                         if f["name"] == file]
                got = self.folder / f"{number}-{file}"
                phone.ok("files", "get", one["id"], got)
                self.assertEqual(content, hashlib.sha256(
                    got.read_bytes()).hexdigest())
            for path in (out / "main.sqlite", self.folder / f"{number}.db"):
                with contextlib.closing(sqlite3.connect(path)) as db:
                    self.assertEqual(rows, [
                        [plain(v) for v in row] for row in
                        db.execute("SELECT * FROM t ORDER BY id")])

    def test_over_a_profile_it_keeps_device_and_password(self):
        at = self.folder / "b"
        self.rename("before")
        before = self.laptop.json("device", "show")
        self.laptop.ok("backup", "now", "--to", at)
        self.rename("after")
        self.assertEqual(0, self.restore(self.laptop, at).code)
        self.assertEqual(before, self.laptop.json("device", "show"))
        self.assertEqual("before", self.laptop.json(
            "sql", "SELECT Name FROM Artist WHERE ArtistId = 1")[0]["Name"])
        self.assertFalse((self.folder / "laptop.restoring").exists())

    def test_wrong_phrase_damage_and_no_backup_are_three_sentences(self):
        at = self.folder / "b"
        phone = self.device("phone", init=False)
        other = self.folder / "other"
        other.write_text("abandon " * 11 + "about\n")
        self.laptop.ok("backup", "now", "--to", at)

        wrong = phone.run("backup", "restore", "--from", at, "--phrase-file",
                          other)
        self.assert_fails(wrong, 3, "phrase")
        other.write_text("abandon " * 12 + "\n")
        self.assert_fails(phone.run("backup", "restore", "--from", at,
                                    "--phrase-file", other), 3, "checksum")
        nothing = self.restore(phone, self.folder / "nothing")
        self.assertEqual((1, "not_found"),
                         (nothing.code, nothing.error()["code"]))
        content = bytearray(at.read_bytes())
        content[len(content) // 2] ^= 4
        at.write_bytes(content)
        damaged = self.restore(phone, at)
        self.assertEqual((7, "corrupt"), (damaged.code,
                                          damaged.error()["code"]))
        self.assertFalse(phone.home.exists())
        self.assert_fails(self.laptop.run("backup", "verify"), 7, "damaged")

    def test_another_persons_profile_is_replaced_only_when_that_is_said(self):
        at = self.folder / "b"
        self.laptop.ok("backup", "now", "--to", at)
        other = self.device("other")
        other.ok("sql", "CREATE TABLE mine (a)")
        refused = self.restore(other, at)
        self.assertEqual((1, "conflict"), (refused.code,
                                           refused.error()["code"]))
        other.ok("sql", "SELECT a FROM mine")
        self.assertEqual(0, self.restore(other, at, "--yes").code)
        self.assertEqual(1, other.run("sql", "SELECT a FROM mine").code)

    def test_a_backup_is_deleted_and_the_other_stays(self):
        at = self.folder / "b"
        for name in ("one", "two"):
            self.rename(name)
            self.laptop.ok("backup", "now", "--to", at)
        self.laptop.ok("backup", "delete", 1)
        self.assertEqual([2], [b["version"] for b in
                               self.laptop.json("backup", "list")])
        self.laptop.ok("backup", "verify", "--full")
        self.assert_fails(self.laptop.run("backup", "delete", 1), 1, "backup")

    def test_nothing_of_it_can_be_read(self):
        folder = self.folder / "places"
        folder.mkdir()
        self.rename("Nobody Reads This")
        self.laptop.ok("backup", "now", "--to", folder)
        words = self.phrase.read_text().split()
        for path in folder.rglob("*"):
            if path.is_file():
                content = path.read_bytes()
                for secret in (b"Nobody Reads", b"Artist", b"laptop",
                               " ".join(words[:3]).encode()):
                    self.assertNotIn(secret, content)

    def test_a_limit_is_kept(self):
        result = self.laptop.run("backup", "now", "--to", self.folder / "b",
                                 "--limit", "100kB")
        self.assert_fails(result, 1, "limit")
        self.assert_fails(self.laptop.run("backup", "now", "--limit", "much"),
                          2, "50MB")

    def test_mistakes_are_told(self):
        self.assert_fails(self.laptop.run("backup", "now"), 2, "--to")
        self.assert_fails(self.laptop.run("backup", "restore"), 2, "--from")
        self.assert_fails(self.laptop.run("backup", "verify", "x", "--to",
                                          self.folder), 2)


if __name__ == "__main__":
    unittest.main()
