"""Nothing that is secret can be read in any file of a profile."""
import base64
import subprocess
import unittest

from program import PASSWORD, Case

NAME = "Zaphod-Beeblebrox-of-Betelgeuse"
NUMBER = 42424242424242


def disguises(secret):
    """The secret as it might appear in a file."""
    raw = secret if isinstance(secret, bytes) else secret.encode()
    yield raw
    yield raw.hex().encode()
    yield raw.hex().upper().encode()
    for shift in range(3):
        # base64 of it at each alignment, without the parts that vary
        encoded = base64.b64encode(b"\0" * shift + raw)
        yield encoded[4 if shift else 0:len(encoded) - 4]
    if not isinstance(secret, bytes):
        yield secret.encode("utf-16-le")
        yield secret.encode("utf-16-be")


class Secrecy(Case):
    def assert_nowhere(self, folder, **secrets):
        files = [path for path in folder.rglob("*") if path.is_file()]
        self.assertGreater(len(files), 2)
        for path in files:
            content = path.read_bytes()
            for what, secret in secrets.items():
                for disguise in disguises(secret):
                    self.assertNotIn(disguise, content, f"{what} in {path}")

    def test_data_password_phrase_and_keys_are_in_no_file(self):
        laptop = self.device("laptop")
        laptop.ok("sql", "CREATE TABLE people(id TEXT PRIMARY KEY, nr INTEGER)")
        laptop.ok("track", "--all")
        laptop.ok("sql", f"INSERT INTO people VALUES('{NAME}', {NUMBER}); "
                         f"UPDATE people SET nr = nr + 1")
        laptop.json("log")
        key = bytes.fromhex(laptop.ok("vault", "key", "main").strip())
        words = laptop.genesis["recovery_phrase"].split()
        self.assert_nowhere(
            laptop.home, data=NAME, password=PASSWORD, key=key,
            number=NUMBER.to_bytes(6, "big"),
            phrase=laptop.genesis["recovery_phrase"],
            half_a_phrase=" ".join(words[:6]))

    def test_it_is_so_while_the_vault_is_open(self):
        laptop = self.device("laptop")
        laptop.ok("sql", "CREATE TABLE people(id TEXT PRIMARY KEY)")
        key = laptop.ok("vault", "key", "main").strip()
        shell = subprocess.Popen(
            ["sqlcipher", laptop.home / "vaults/main.db"], text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        shell.stdin.write(f"PRAGMA key = \"x'{key}'\";\n"
                          f"INSERT INTO people VALUES('{NAME}');\n"
                          "SELECT 'written';\n")
        shell.stdin.flush()
        while "written" not in shell.stdout.readline():
            pass
        self.assertTrue((laptop.home / "vaults/main.db-wal").exists())
        self.assert_nowhere(laptop.home, data=NAME)
        shell.communicate()

    def test_errors_do_not_repeat_secrets(self):
        laptop = self.device("laptop")
        laptop.password_file.write_text("a-wrong-password\n")
        result = laptop.run("vault", "list")
        self.assertNotIn("a-wrong-password", result.out + result.err)
        phrase = self.folder / "phrase"
        phrase.write_text("zebra zebra zebra\n")
        result = laptop.run("phrase", "check", "--phrase-file", phrase)
        self.assertNotIn("zebra", result.out + result.err)

    def test_files_are_for_their_owner_only(self):
        laptop = self.device("laptop")
        for path in [laptop.home, *laptop.home.rglob("*")]:
            self.assertEqual(0, path.stat().st_mode & 0o077, path)


if __name__ == "__main__":
    unittest.main()
