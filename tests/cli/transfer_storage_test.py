"""A transfer through a hub at scale, and on disks that are full."""
import os
import resource
import signal
import unittest

import backup_storage_test
from at_scale import AtScale
from hub_test import CHINOOK
from transfer_test import RECEIVED, SENT, WithATransfer


class OverS3(AtScale, WithATransfer):
    def test_everything_moves_and_the_blob_goes(self):
        self.laptop.ok("vault", "import", "work", CHINOOK)
        self.laptop.ok("sync", "hub")
        before = self.objects()
        sender = self.send()
        sender.until("QRDisplayed")
        self.assertEqual(before + 1, self.objects())
        receiver = self.receive("--qr", self.png)
        self.digits.write_text(receiver.until("Transferring")["digits"])
        self.assertEqual((0, ""), receiver.finish())
        self.assertEqual((0, ""), sender.finish())
        self.assertEqual((SENT, RECEIVED), (sender.states, receiver.states))
        self.assertEqual(before, self.objects())
        self.assertEqual([{"n": 3503}], self.phone.json(
            "--vault", "work", "sql", "SELECT count(*) AS n FROM Track"))
        self.assertEqual({"a": "one"}, self.notes(self.phone))


class InTrouble(WithATransfer):
    start_hub = backup_storage_test.Storage.start_hub

    def test_an_address_that_runs_out_midway_is_asked_for_again(self):
        """cases/backup.md, rows 7 and 24, for a transfer"""
        self.trouble.plan = {"PUT": ["tear", 403, "unheard"],
                             "GET": ["cut", 403, 503]}
        self.move()
        self.assertEqual({"PUT": [], "GET": []}, self.trouble.plan)
        self.assertEqual({"a": "one"}, self.notes(self.phone))
        self.nothing_stays()


class FullDisks(WithATransfer):
    """cases/backup.md, row 4: no file grows beyond so many bytes."""

    def setUp(self):
        super().setUp()
        picture = self.folder / "picture.bin"
        picture.write_bytes(os.urandom(700000))
        self.laptop.ok("files", "add", picture)
        self.laptop.ok("sync", "hub")
        self.media = self.blobs()  # of the vault: they stay

    @staticmethod
    def full(room):
        def limit():
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (room, room))
        return limit

    def assert_full(self, side):
        status, complaint = side.finish()
        self.assertEqual(1, status, complaint)
        self.assertRegex(complaint, r"^[^\n]*(full|no space|too large)[^\n]*")

    def test_on_either_side_it_is_said_and_the_next_try_works(self):
        self.assert_full(self.send(setup=self.full(500000)))
        self.assertEqual("CreatingBackup", self.status(self.laptop))
        self.assertEqual({"a": "one"}, self.notes(self.laptop))
        sender = self.send()
        code = sender.until("QRDisplayed")["code"]
        receiver = self.receive(code, setup=self.full(500000))
        self.digits.write_text(receiver.until("Transferring")["digits"])
        self.assert_full(receiver)
        self.assertFalse(self.phone.home.exists())
        self.assertEqual("Downloading", self.status(self.phone))
        # The blob, and the backup in it, fit; what is restored does not.
        for room in (710000, 790000):
            receiver = self.receive(setup=self.full(room))
            status, complaint = receiver.finish()
            if status != 0:
                self.assertRegex(complaint, "full|no space|too large")
                self.assertFalse(self.phone.home.exists())
        if not self.phone.home.exists():
            self.assertEqual((0, ""), self.receive().finish())
        self.assertEqual((0, ""), sender.finish())
        self.assertEqual({"a": "one"}, self.notes(self.phone))
        self.assertEqual(1, self.phone.json("files", "verify")["verified"])
        self.nothing_stays(self.media)


if __name__ == "__main__":
    unittest.main()
