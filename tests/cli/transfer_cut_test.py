"""A transfer that is cut goes on: killed, stopped, cancelled, without a hub."""
import collections
import os
import random
import shutil
import time
import unittest

from transfer_test import RECEIVED, SENT, WithATransfer


class Interruptions(WithATransfer):
    """cases/backup.md, rows 4 and 21, and killed at every step."""

    def finish(self, sender, receiver):
        if not self.digits.exists():
            self.digits.write_text(receiver.until("Transferring")["digits"])
        self.assertEqual((0, ""), receiver.finish())
        self.assertEqual((0, ""), sender.finish())
        self.assertEqual({"a": "one"}, self.notes(self.phone))
        self.assertEqual(2, self.phone.json("account", "show")["devices"])
        self.nothing_stays()

    def test_a_sender_that_is_killed_at_any_step_goes_on(self):
        for state in SENT[:4]:
            sender = self.send()
            sender.until(state)
            sender.kill()
            self.assertEqual(state, self.status(self.laptop))
        sender = self.send()
        sender.until("QRDisplayed")
        self.assertEqual(["QRDisplayed"], sender.states)
        receiver = self.receive("--qr", self.png)
        digits = receiver.until("Transferring")["digits"]
        self.assertEqual("phone" in sender.until("Transferring"), False)
        sender.kill()
        sender = self.send()
        sender.until("Transferring")
        self.digits.write_text(digits)
        self.finish(sender, receiver)

    def test_a_receiver_that_is_killed_at_any_step_goes_on(self):
        sender = self.send()
        code = sender.until("QRDisplayed")["code"]
        receiver = self.receive(code)
        digits = receiver.until("Transferring")["digits"]
        for state in RECEIVED[:4]:
            receiver.kill()
            self.assertEqual(state, self.status(self.phone))
            if state == "Downloading":
                receiver = self.receive(code)  # scanned again, or as below
            else:
                receiver = self.receive()
            if state == "Transferring":
                self.assertEqual(digits,
                                 receiver.until("Transferring")["digits"])
                self.digits.write_text(digits)
            if state != "Importing":
                receiver.until(RECEIVED[RECEIVED.index(state) + 1])
        self.finish(sender, receiver)

    def test_killed_at_any_moment_both_go_on(self):
        """SAT_TEST_KILLS=200 kills as often as that, over several transfers"""
        chance = random.Random(4)
        wanted = int(os.environ.get("SAT_TEST_KILLS", "4"))
        killed = collections.Counter()
        while killed.total() < wanted:
            self.move_under_kills(chance, killed,
                                  min(12, wanted - killed.total()))
            shutil.rmtree(self.phone.home)
            self.png.unlink()
            self.digits.unlink()
        if wanted >= 100:
            self.assertGreaterEqual(len(killed), 8, killed)

    def move_under_kills(self, chance, killed, kills):
        """One transfer, in which either side is killed at random moments, at
        most `kills` times; who was, and in which state, is counted."""
        devices = self.account_devices()
        sender, receiver, ends = self.send(), None, []
        until = time.monotonic() + 60 + 10 * kills
        while not self.has_arrived(receiver):
            if time.monotonic() > until:
                self.fail(f"sender: {self.status(self.laptop)}, receiver: "
                          f"{self.status(self.phone)}, after {killed}; "
                          f"{ends[-4:]}")
            time.sleep(chance.random() * 0.3)
            for line in receiver.heard() if receiver else ():
                if line.get("digits"):
                    self.digits.write_text(line["digits"])
            if kills > 0 and chance.random() < 0.5:
                kills -= self.kill_one(chance, sender, receiver, killed)
            # Where it was killed before it wrote anything, nothing was begun.
            if sender.ended() and (self.status(self.laptop) != "LocalOnly"
                                   or not self.png.exists()):
                ends.append(("sender", sender.finish()))
                sender = self.send()
            if receiver and receiver.ended() and not self.has_arrived(receiver):
                ends.append(("receiver", receiver.finish()))
                receiver = self.receive(*(
                    () if self.status(self.phone) != "LocalOnly"
                    else ("--qr", self.png)))
            elif receiver is None and self.png.exists():
                receiver = self.receive("--qr", self.png)
        if sender.ended() and self.status(self.laptop) != "LocalOnly":
            sender = self.send()
        sender.finish()
        self.assertEqual("LocalOnly", self.status(self.laptop))
        self.assertEqual({"a": "one"}, self.notes(self.phone))
        self.assertEqual(devices + 1, self.account_devices())
        self.nothing_stays()

    def has_arrived(self, receiver):
        return (receiver is not None and receiver.ended()
                and self.phone.home.exists()
                and self.status(self.phone) == "LocalOnly")

    def kill_one(self, chance, sender, receiver, killed):
        """Kills one side, unless it has ended; whether it did."""
        side = chance.choice([s for s in (sender, receiver) if s])
        if side.ended():
            return False
        side.kill()
        if side is sender:
            killed["sender", self.status(self.laptop)] += 1
        else:
            killed["receiver", self.status(self.phone)] += 1
        return True

    def account_devices(self):
        return self.laptop.json("account", "show")["devices"]

    def test_a_sender_that_is_stopped_goes_on_and_one_that_is_cancelled_not(self):
        sender = self.send()
        code = sender.until("QRDisplayed")["code"]
        sender.process.terminate()
        status, complaint = sender.finish()
        self.assertNotEqual(0, status)
        self.assertIn("goes on with it", complaint)
        sender = self.send()
        code = sender.until("QRDisplayed")["code"]
        self.laptop.ok("transfer", "cancel")
        status, complaint = sender.finish()
        self.assertIn("cancelled", complaint)
        self.assert_fails(self.phone.run("transfer", "receive", code), 1,
                          "cancelled")
        self.nothing_stays()

    def test_only_one_sends_and_only_one_receives(self):
        sender = self.send()
        code = sender.until("QRDisplayed")["code"]
        self.assert_fails(self.laptop.run("transfer", "send"), 1, "under way")
        receiver = self.receive(code)
        receiver.until("Transferring")
        self.assert_fails(self.phone.run("transfer", "receive", code), 1,
                          "under way")

    def test_a_receiver_that_is_cancelled_leaves_nothing(self):
        sender = self.send()
        receiver = self.receive(sender.until("QRDisplayed")["code"])
        receiver.until("Transferring")
        self.phone.ok("transfer", "cancel")
        self.assertIn("cancelled", receiver.finish()[1])
        self.assertFalse(self.phone.home.exists())
        self.assertEqual("LocalOnly", self.status(self.phone))

    def test_the_digits_are_tried_once_also_by_who_is_killed(self):
        """cases/backup.md, row 20"""
        sender = self.send()
        receiver = self.receive(sender.until("QRDisplayed")["code"])
        digits = receiver.until("Transferring")["digits"]
        sender.until("Transferring")
        self.digits.write_text("%06d" % ((int(digits) + 1) % 1000000))
        sender.finish()
        self.digits.write_text(digits)
        again = self.send()
        self.assertNotEqual("Transferring",
                            again.until("QRDisplayed")["state"])
        self.assertNotEqual(0, receiver.finish()[0])

    def test_another_password_does_not_go_on(self):
        sender = self.send()
        receiver = self.receive(sender.until("QRDisplayed")["code"])
        receiver.until("Transferring")
        receiver.kill()
        kept = self.phone.password_file.read_text()
        self.phone.password_file.write_text("another one entirely\n")
        self.assert_fails(self.phone.run("transfer", "receive"), 3,
                          "not the password")
        self.phone.password_file.write_text(kept)
        again = self.receive()
        self.digits.write_text(again.until("Transferring")["digits"])
        self.finish(sender, again)

    def test_a_hub_that_is_away_for_a_while_is_waited_for(self):
        sender = self.send()
        receiver = self.receive(sender.until("QRDisplayed")["code"])
        digits = receiver.until("Transferring")["digits"]
        sender.until("Transferring")
        self.hub.stop()
        self.hub.start()
        self.digits.write_text(digits)
        self.finish(sender, receiver)

    def test_a_lost_confirmation_is_repeated(self):
        """cases/backup.md, row 21"""
        sender = self.send()
        receiver = self.receive(sender.until("QRDisplayed")["code"])
        self.digits.write_text(receiver.until("Transferring")["digits"])
        receiver.until("Importing")
        self.hub.stop()
        status, complaint = receiver.finish()
        self.assertEqual(5, status)
        self.assertIn("the same command tells it", complaint)
        self.assertEqual("Importing", self.status(self.phone))
        self.hub.start()
        self.finish(sender, self.receive())

    def test_no_secret_stands_in_what_is_kept(self):
        """cases/backup.md, row 26"""
        sender = self.send()
        receiver = self.receive(sender.until("QRDisplayed")["code"])
        digits = receiver.until("Transferring")["digits"]
        sender.until("Transferring")
        kept = b""
        for folder in (self.laptop.home / "transfer",
                       self.phone.home.parent / "phone.transfer"):
            self.assertEqual(0o700, folder.stat().st_mode & 0o777)
            for file in folder.iterdir():
                self.assertEqual(0o600, file.stat().st_mode & 0o777)
                kept += file.read_bytes()
        self.assertNotIn(digits.encode(), kept)
        self.assertNotIn(self.hub.url.encode(), kept)
        self.digits.write_text(digits)
        self.finish(sender, receiver)


if __name__ == "__main__":
    unittest.main()
