"""What the administrator of a hub sees, with the real programs."""
import json
import subprocess
import unittest

from hub_test import EMAIL, HUB, WithAHub
from program import PASSWORD, clean_environment


class Admin(WithAHub):
    def admin(self, *args, data=None):
        return subprocess.run(
            [HUB, "admin", *args, "--data", data or self.hub.folder],
            capture_output=True, text=True, env=clean_environment(), timeout=60)

    def json(self, *args):
        done = self.admin(*args, "--json")
        self.assertEqual(0, done.returncode, done.stderr)
        return json.loads(done.stdout)

    def test_the_state_of_the_authenticator_and_no_more(self):
        self.laptop.ok("mfa", "add", "Bank of Betelgeuse", "--secret",
                       "JBSWY3DPEHPK3PXP")
        self.laptop.ok("sync", "hub")
        [entry] = self.json("mfa")
        self.assertEqual("active", entry["state"])
        self.assertEqual("laptop", entry["device_name"])
        self.assertEqual(EMAIL, entry["email"])
        code = self.laptop.json("mfa", "code", "Bank of Betelgeuse")["code"]
        self.laptop.ok("mfa", "verify", "Bank of Betelgeuse", code)
        self.laptop.ok("sync", "hub")
        [entry] = self.json("mfa")
        self.assertEqual("verified", entry["state"])
        self.assertGreaterEqual(entry["verified_at"], entry["created_at"])
        self.laptop.ok("mfa", "disable", "Bank of Betelgeuse")
        self.laptop.ok("sync", "hub")
        self.assertEqual("disabled", self.json("mfa")[0]["state"])
        self.laptop.ok("mfa", "remove", "--yes",
                       "Bank of Betelgeuse")
        self.laptop.ok("sync", "hub")
        self.assertEqual([], self.json("mfa"))
        for what in ("users", "mfa", "audit", "sessions", "stats"):
            said = self.admin(what, "--json").stdout
            self.assertNotIn("Betelgeuse", said)
            self.assertNotIn("JBSWY3DPEHPK3PXP", said)

    def test_lists_while_the_hub_runs_and_after(self):
        self.make_notes()
        [user] = self.json("users")
        self.assertEqual(EMAIL, user["email"])
        self.assertEqual(1, user["devices"])
        self.assertGreater(user["bytes"], 0)
        self.assertEqual(1, len(self.json("sessions")))
        self.assertIn("register", [e["event"] for e in self.json("audit")])
        self.assertEqual(1, len(self.json("audit", "--limit", "1")))
        self.hub.stop()
        self.assertEqual(1, self.json("stats")["accounts"])
        text = self.admin("users").stdout
        self.assertIn(EMAIL, text)
        self.assertNotIn(PASSWORD, text)
        self.assertEqual([], self.json("users", "--email", "no@example.org"))

    def test_mistakes_are_told(self):
        nowhere = self.folder / "nowhere"
        done = self.admin("users", data=nowhere)
        self.assertEqual(1, done.returncode)
        self.assertIn("there is no hub under", done.stderr)
        self.assertFalse(nowhere.exists())
        self.assertEqual(2, self.admin("contents").returncode)
        self.assertEqual(2, self.admin("users", "--limit", "none").returncode)
        self.assertRegex(self.admin("token").stdout, r"^[0-9a-f]{64}\n$")


if __name__ == "__main__":
    unittest.main()
