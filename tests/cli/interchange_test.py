"""Backups that other programs read and write, checked against Node's crypto."""
import io
import json
import sqlite3
import subprocess
import unittest
import zipfile

from program import Case, DATA

# Reads {"phrase", "older", "text" or "plain"} and prints the other of the two.
NODE = """
const c = require('crypto');
const q = JSON.parse(require('fs').readFileSync(0));
const older = c.createHash('sha256').update(q.phrase).digest().slice(0, 16);
const key = salt => c.pbkdf2Sync(q.phrase, salt, q.older ? 10000 : 600000, 32,
                                 'sha256');
if (q.text !== undefined) {
    let b = Buffer.from(q.text, 'base64'), salt = older;
    if (!q.older) {
        if (b[0] !== 1) throw Error('version');
        salt = b.slice(1, 17); b = b.slice(17);
    }
    const d = c.createDecipheriv('aes-256-gcm', key(salt), b.slice(0, 12));
    d.setAuthTag(b.slice(-16));
    const plain = Buffer.concat([d.update(b.slice(12, -16)), d.final()]);
    process.stdout.write(plain.toString('base64'));
} else {
    const salt = q.older ? older : c.randomBytes(16), iv = c.randomBytes(12);
    const e = c.createCipheriv('aes-256-gcm', key(salt), iv);
    const sealed = Buffer.concat([e.update(Buffer.from(q.plain, 'base64')),
                                  e.final(), e.getAuthTag()]);
    const head = q.older ? [] : [Buffer.from([1]), salt];
    process.stdout.write(Buffer.concat([...head, iv, sealed])
        .toString('base64'));
}
"""
PHRASE = "legal winner thank year wave sausage worth useful legal winner " \
         "thank yellow"


def node(**question):
    return subprocess.run(["node", "-e", NODE], check=True, text=True,
                          input=json.dumps(question),
                          capture_output=True).stdout


def from_base64(text):
    import base64
    return base64.b64decode(text)


def to_base64(content):
    import base64
    return base64.b64encode(content).decode()


def zip_of(**entries):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries.items():
            archive.writestr(name.replace("__", "/").replace("_dot_", "."),
                             content)
    return out.getvalue()


class Interchange(Case):
    def setUp(self):
        super().setUp()
        self.laptop = self.device("laptop").unlock()
        self.phrase = self.folder / "phrase"
        self.phrase.write_text(PHRASE + "\n")

    def exchange(self, device, verb, file, *args):
        return device.run("backup", verb, file, "--format", "noah",
                          "--phrase-file", self.phrase, "--json", *args)

    def database(self, name="plain.db"):
        path = self.folder / name
        db = sqlite3.connect(path)
        db.executescript("PRAGMA journal_mode=WAL; CREATE TABLE note (a, b);"
                         "INSERT INTO note VALUES (1, 'one'), (2, x'00ff')")
        db.close()
        content = path.read_bytes()
        path.unlink()
        return content

    def bring(self, device, content, older=False):
        file = self.folder / "brought"
        file.write_text(node(phrase=PHRASE, older=older,
                             plain=to_base64(content)))
        return self.exchange(device, "import", file)

    def test_node_opens_what_is_exported_and_it_comes_back(self):
        self.laptop.ok("vault", "import", "main", DATA / "data/chinook.sqlite")
        picture = self.folder / "picture.jpg"
        picture.write_bytes(bytes(range(256)) * 500)
        added = self.laptop.json("files", "add", picture)[0]["id"]
        for older in (False, True):
            file = self.folder / f"out{older:d}"
            made = self.exchange(self.laptop, "export", file,
                                 *(["--older"] if older else []))
            self.assertEqual(0, made.code, made.err)
            plain = from_base64(node(phrase=PHRASE, older=older,
                                     text=file.read_text()))
            archive = zipfile.ZipFile(io.BytesIO(plain))
            self.assertIsNone(archive.testzip())
            inside = self.folder / "inside.db"
            inside.write_bytes(archive.read("vaults/main.sqlite"))
            self.assertEqual([(275,)], sqlite3.connect(inside).execute(
                "SELECT count(*) FROM Artist").fetchall())
            phone = self.device(f"phone{older:d}")
            taken = self.exchange(phone, "import", file)
            self.assertEqual(0, taken.code, taken.err)
            self.assertEqual(1, taken.json()["files"])
            out = self.folder / f"picture{older:d}"
            phone.ok("files", "get", added, out)
            self.assertEqual(picture.read_bytes(), out.read_bytes())
            again = self.exchange(phone, "import", file)
            self.assertEqual(2, again.code)

    def test_what_node_writes_is_taken_in_either_form(self):
        for older in (False, True):
            content = zip_of(vaults__main_dot_sqlite=self.database(),
                             vaults__work_dot_sqlite=self.database(),
                             readme_dot_txt="of another program")
            phone = self.device(f"phone{older:d}")
            taken = self.bring(phone, content, older)
            self.assertEqual(0, taken.code, taken.err)
            self.assertEqual((2, 4), (taken.json()["vaults"],
                                      taken.json()["rows"]))
            self.assertEqual([{"b": "one"}], phone.json(
                "--vault", "work", "sql", "SELECT b FROM note WHERE a = 1"))

    def test_a_wrong_phrase_and_a_damaged_file_open_nothing(self):
        file = self.folder / "out"
        self.assertEqual(0, self.exchange(self.laptop, "export", file).code)
        text = file.read_text()
        self.assertEqual(0o600, file.stat().st_mode & 0o777)
        self.phrase.write_text("abandon " * 11 + "about\n")
        self.assertEqual(3, self.exchange(self.laptop, "import", file).code)
        self.phrase.write_text(PHRASE)
        for damaged in ("", "AA", text[:-8], text[:100] + "A" + text[101:]):
            if damaged == text:
                continue
            file.write_text(damaged)
            result = self.exchange(self.laptop, "import", file)
            self.assertIn(result.code, (3, 7), result.err)
        file.write_text("!" + text)
        self.assertEqual(7, self.exchange(self.laptop, "import", file).code)

    def test_what_is_hostile_inside_is_refused_and_changes_nothing(self):
        outside = self.folder / "outside"
        good = self.database()
        for content, code in (
                (b"no zip", 7),
                (zip_of(readme="x"), 1),
                (zip_of(**{"vaults__main_dot_sqlite": b"not a database"}), 7),
                (zip_of(**{"vaults/../../outside.sqlite": good}), 1),
                (zip_of(**{"/vaults/main.sqlite": good}), 1),
                (zip_of(**{"vaults/account.sqlite": good}), 1),
                (zip_of(**{"vaults/work.sqlite": good,
                           "vaults/zoo.sqlite": good[:5000]}), 7),
                (zip_of(**{"vaults/main.sqlite": bytes(600 << 20)}), 1)):
            result = self.bring(self.laptop, content)
            self.assertEqual(code, result.code, result.err)
        self.assertFalse(outside.exists())
        self.assertEqual(["account", "main"], [
            v["name"] for v in self.laptop.json("vault", "list")])
        self.assertEqual([], self.laptop.json(
            "sql", "SELECT name FROM sqlite_schema WHERE name = 'note'"))

    def test_mistakes_are_told(self):
        self.assert_fails(self.laptop.run("backup", "export", "x"), 2, "noah")
        self.assert_fails(self.laptop.run("backup", "import", "x", "--format",
                                          "zip"), 2, "noah")
        file = self.folder / "there"
        file.write_text("x")
        self.assertEqual(2, self.exchange(self.laptop, "export", file).code)


if __name__ == "__main__":
    unittest.main()
