"""One-time codes from the command line, with oathtool as the judge."""
import json
import pathlib
import subprocess
import unittest

from program import SATCHEL, Case

SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"


def oathtool(algorithm, digits, period, secret):
    done = subprocess.run(
        ["oathtool", f"--totp={algorithm.lower()}", "-d", str(digits), "-s",
         f"{period}s", "-b", secret],
        capture_output=True, text=True, check=True)
    return done.stdout.strip()


class Mfa(Case):
    def setUp(self):
        super().setUp()
        self.laptop = self.device("laptop").unlock()

    def draw(self, name, *args, text):
        """A PNG with the QR code of `text`."""
        image = self.folder / name
        subprocess.run(["qrencode", "-o", image, *args], input=text.encode()
                       if isinstance(text, str) else text, check=True)
        return image

    def assert_oathtool_agrees(self, name, *key):
        """Asks on both sides of our answer: the period may end meanwhile."""
        before = oathtool(*key)
        code = self.laptop.json("mfa", "code", name)["code"]
        self.assertIn(code, (before, oathtool(*key)))

    def test_oathtool_agrees_with_every_code(self):
        for algorithm in ("SHA1", "SHA256", "SHA512"):
            for digits in (6, 7, 8):
                for period in (30, 60, 45):
                    name = f"{algorithm} {digits} {period}"
                    self.laptop.ok(
                        "mfa", "add", name, "--secret", "-", "--algorithm",
                        algorithm, "--digits", digits, "--period", period,
                        stdin=SECRET + "\n")
                    self.assert_oathtool_agrees(name, algorithm, digits,
                                                period, SECRET)

    def test_an_address_an_image_and_a_new_secret_give_the_same_codes(self):
        made = self.laptop.json("mfa", "add", "made")
        self.assertIn("otpauth://totp/made?secret=", made["uri"])
        self.laptop.ok("mfa", "add", "typed", "--uri", made["uri"])
        image = self.draw("code.png", text=made["uri"])
        self.laptop.ok("mfa", "add", "scanned", "--qr", image)
        uris = self.laptop.json("mfa", "export")
        self.assertEqual([made["uri"]] * 3, uris)
        secret = made["uri"].split("secret=")[1].split("&")[0]
        for name in ("made", "typed", "scanned"):
            self.assert_oathtool_agrees(name, "SHA1", 6, 30, secret)

    def test_what_can_not_be_scanned_is_told(self):
        self.laptop.ok("mfa", "add", "bank")
        not_an_image = self.folder / "notes.txt"
        not_an_image.write_text("nothing")
        add = ("mfa", "add", "new", "--qr")
        self.assert_fails(self.laptop.run(*add, not_an_image), 7, "PNG")
        other = self.draw("other.png", text="https://example.org")
        self.assert_fails(self.laptop.run(*add, other), 2, "otpauth")
        image = other.read_bytes()
        not_an_image.write_bytes(image[:len(image) // 2])
        self.assert_fails(self.laptop.run(*add, not_an_image), 7, "PNG")
        self.assert_fails(self.laptop.run(*add, self.folder / "none.png"), 1,
                          "none.png")

    def test_a_code_is_verified_once(self):
        self.laptop.ok("mfa", "add", "bank", "--secret", SECRET)
        code = self.laptop.json("mfa", "code", "bank")["code"]
        self.laptop.ok("mfa", "verify", "bank", code)
        self.assert_fails(self.laptop.run("mfa", "verify", "bank", code), 3,
                          "used already")
        entry, = self.laptop.json("mfa", "list")
        self.assertEqual("verified", entry["status"])
        self.assertEqual([self.laptop.genesis["device_id"]], entry["devices"])
        self.assertGreater(entry["last_used"], 0)

    def test_backup_codes_disabling_and_removing(self):
        self.laptop.ok("mfa", "add", "bank")
        codes = self.laptop.json("mfa", "backup-codes", "bank")
        self.assertEqual(10, len(set(codes)))
        self.laptop.ok("mfa", "verify", "bank", codes[3])
        result = self.laptop.run("mfa", "verify", "bank", codes[3])
        self.assert_fails(result, 3, "used already")
        self.laptop.ok("mfa", "disable", "bank", "--for", "1h")
        self.assert_fails(self.laptop.run("mfa", "code", "bank"), 4, "enable")
        self.laptop.ok("mfa", "enable", "bank")
        self.laptop.ok("mfa", "code", "bank")
        self.laptop.ok("mfa", "remove", "bank", "--yes")
        self.assert_fails(self.laptop.run("mfa", "code", "bank"), 1, "'bank'")

    def test_the_audit_has_it_and_no_secret(self):
        self.laptop.ok("mfa", "add", "bank", "--secret", SECRET)
        self.laptop.run("mfa", "verify", "bank", "000000")
        self.laptop.ok("settings", "set", "ui.theme", '"dark"')
        out = self.laptop.ok("--json", "audit")
        self.assertNotIn("dark", out)
        self.assertNotIn(SECRET, out)
        events = [e["operation"] for e in json.loads(out)
                  if e["detail"] is not None]
        self.assertEqual(["MFA_ADD", "MFA_VERIFICATION_FAILURE",
                          "USER_SETTINGS_UPDATE"], events)
        found = self.laptop.json("audit", "--search", "ui.theme")
        self.assertEqual(["USER_SETTINGS_UPDATE"],
                         [e["operation"] for e in found])


class Scan(Case):
    """satchel-scan itself, as other parts of Satchel use it too."""

    def scan(self, image):
        program = pathlib.Path(SATCHEL).parent / "satchel-scan"
        return subprocess.run([program], input=image, capture_output=True,
                              timeout=60)

    def test_bytes_of_every_value_come_out_as_they_went_in(self):
        data = bytes(range(256)) * 2
        image = self.folder / "code.png"
        subprocess.run(["qrencode", "-8", "-o", image], input=data, check=True)
        result = self.scan(image.read_bytes())
        self.assertEqual((0, data), (result.returncode, result.stdout))

    def test_what_is_no_image_and_an_image_without_a_code(self):
        self.assertEqual(5, self.scan(b"").returncode)
        self.assertEqual(5, self.scan(b"\x89PNG\r\n\x1a\n" * 99).returncode)


if __name__ == "__main__":
    unittest.main()
