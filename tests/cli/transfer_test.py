"""Everything moves to a new device, by a code and six digits."""
import json
import select
import subprocess
import time
import unittest

from hub_test import CHINOOK, EMAIL, WithAHub
from program import SATCHEL, clean_environment


class Side:
    """One side of a transfer, as it goes on: its states, line by line."""

    def __init__(self, case, device, *words):
        self.case, self.states = case, []
        self.process = subprocess.Popen(
            [SATCHEL, "--profile", device.home, "--password-file",
             device.password_file, "--json", "transfer", *map(str, words)],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            env=clean_environment())
        case.addCleanup(self.end)

    def end(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()
        self.process.stderr.close()

    def until(self, state):
        """What was said with `state`, once it comes."""
        while True:
            ready, _, _ = select.select([self.process.stdout], [], [], 60)
            line = self.process.stdout.readline() if ready else ""
            if not line:
                raise AssertionError(f"no {state} after {self.states}: "
                                     + self.process.stderr.read())
            news = json.loads(line)
            self.states.append(news["state"])
            if news["state"] == state:
                return news

    def finish(self):
        """Exit code and complaint."""
        for line in self.process.stdout:
            self.states.append(json.loads(line)["state"])
        complaint = self.process.stderr.read()
        return self.process.wait(60), complaint


class Transfers(WithAHub):
    def setUp(self):
        super().setUp()
        self.laptop.ok("vault", "import", "work", CHINOOK)
        self.laptop.ok("--vault", "work", "track", "--all")
        self.picture = self.folder / "picture.bin"
        self.picture.write_bytes(bytes(range(256)) * 700)
        self.make_notes()
        self.laptop.ok("files", "add", self.picture)
        self.laptop.ok("settings", "set", "theme", '"dark"')
        self.png = self.folder / "code.png"
        self.digits = self.folder / "digits"
        self.phone = self.device("phone", init=False)

    def send(self):
        return Side(self, self.laptop, "send", "--qr-png", self.png,
                    "--digits-file", self.digits)

    def blobs(self):
        return list((self.folder / "hub" / "blobs").iterdir())

    def move(self):
        sender = self.send()
        sender.until("QRDisplayed")
        receiver = Side(self, self.phone, "receive", "--qr", self.png,
                        "--name", "phone")
        self.digits.write_text(receiver.until("Transferring")["digits"])
        self.assertEqual((0, ""), receiver.finish())
        self.assertEqual((0, ""), sender.finish())
        return sender, receiver

    def test_everything_is_on_the_new_device(self):
        sender, receiver = self.move()
        self.assertEqual(["CreatingBackup", "Uploading", "BackupStored",
                          "QRDisplayed", "Transferring", "Done"],
                         sender.states)
        self.assertEqual(["Transferring", "Downloading", "Decrypting",
                          "Importing", "Done"], receiver.states)
        self.assertEqual({"a": "one"}, self.notes(self.phone))
        self.assertEqual([{"n": 3503}], self.phone.json(
            "--vault", "work", "sql", "SELECT count(*) AS n FROM Track"))
        self.assertEqual("dark", self.phone.json("settings", "get", "theme"))
        [file] = self.phone.json("files", "list")
        out = self.folder / "out.bin"
        self.phone.ok("files", "get", file["id"], out)
        self.assertEqual(self.picture.read_bytes(), out.read_bytes())

    def test_nothing_of_it_stays_behind(self):
        self.move()
        self.assertEqual([], self.blobs())
        for device in (self.laptop, self.phone):
            self.assertEqual([], [p.name for p in device.home.iterdir()
                                  if "transfer" in p.name])
            self.assertEqual([], list(device.home.parent.glob("*.received")))
        self.assertEqual([], list((self.laptop.home / "backup").glob("*.db")))

    def test_both_are_devices_of_the_account(self):
        self.move()
        self.assertNotEqual(self.laptop.json("device", "show")["device_id"],
                            self.phone.json("device", "show")["device_id"])
        self.assertEqual(2, self.phone.json("account", "show")["devices"])
        self.phone.ok("sql", "INSERT INTO notes VALUES('b', 'from the phone')")
        self.phone.ok("sync", "hub")
        self.laptop.ok("sql", "UPDATE notes SET body = 'more' WHERE id = 'a'")
        self.laptop.ok("sync", "hub")
        self.phone.ok("sync", "hub")
        for device in (self.laptop, self.phone):
            self.assertEqual({"a": "more", "b": "from the phone"},
                             self.notes(device))
            self.assertEqual([], device.json("conflicts", "list"))

    def test_wrong_digits_release_nothing(self):
        sender = self.send()
        code = sender.until("QRDisplayed")["code"]
        receiver = Side(self, self.phone, "receive", code)
        digits = receiver.until("Transferring")["digits"]
        self.digits.write_text("%06d" % ((int(digits) + 1) % 1000000))
        status, complaint = sender.finish()
        self.assertNotEqual(0, status)
        self.assertIn("nothing was released", complaint)
        status, complaint = receiver.finish()
        self.assertNotEqual(0, status)
        self.assertIn("used, cancelled", complaint)
        self.assertFalse(self.phone.home.exists())
        self.assertEqual([], self.blobs())
        self.assertEqual(1, self.laptop.json("account", "show")["devices"])

    def test_a_code_works_once(self):
        sender = self.send()
        code = sender.until("QRDisplayed")["code"]
        first = Side(self, self.phone, "receive", code)
        digits = first.until("Transferring")["digits"]
        second = self.device("thief", init=False)
        result = second.run("transfer", "receive", code)
        self.assert_fails(result, 1, "used, cancelled")
        self.digits.write_text(digits)
        self.assertEqual((0, ""), first.finish())
        self.assertEqual((0, ""), sender.finish())
        self.assert_fails(second.run("transfer", "receive", code), 1, "used")

    def test_a_sender_that_is_stopped_takes_its_code_back(self):
        sender = self.send()
        code = sender.until("QRDisplayed")["code"]
        sender.process.terminate()
        self.assertNotEqual(0, sender.finish()[0])
        self.assertEqual([], self.blobs())
        self.assert_fails(self.phone.run("transfer", "receive", code), 1,
                          "cancelled")

    def test_a_profile_that_is_there_stays_unless_it_may_go(self):
        other = self.device("other")
        result = other.run("transfer", "receive", "SATCHEL:GM0Q")
        self.assert_fails(result, 1, "there is a profile")

    def test_what_is_no_code_is_said_to_be_none(self):
        result = self.phone.run("transfer", "receive", "hello")
        self.assert_fails(result, 2, "not a transfer code")
        self.assertFalse(self.phone.home.exists())

    def test_a_device_without_an_account_is_told_so(self):
        lonely = self.device("lonely")
        self.assert_fails(lonely.run("transfer", "send"), 1, "account register")


if __name__ == "__main__":
    unittest.main()
