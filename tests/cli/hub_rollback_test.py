"""A hub that went back, or tells two stories."""
import shutil
import unittest

from devices_test import Server
from hub_test import WithAHub


class Rollback(WithAHub):
    """A hub that was restored from yesterday's copy, or pretends to be."""

    def setUp(self):
        super().setUp()
        self.make_notes()
        self.phone = self.login("phone")
        self.hub.stop()
        shutil.copytree(self.hub.folder, self.folder / "yesterday")
        self.hub.start()
        self.laptop.ok("sql", "UPDATE notes SET body = 'today'")
        self.laptop.ok("sync", "hub")
        self.become("yesterday", "today")

    def become(self, what, former):
        self.hub.stop()
        shutil.move(self.hub.folder, self.folder / former)
        shutil.move(self.folder / what, self.hub.folder)
        self.hub.start()

    def test_a_device_sees_that_the_hub_went_back(self):
        self.assert_fails(self.laptop.run("sync", "hub"), 7, "older state")
        self.assertEqual({"a": "today"}, self.notes(self.laptop))
        self.become("today", "yesterday")
        self.laptop.ok("sync", "hub")

    def test_row_8_the_newest_head_withheld_is_seen_when_devices_meet(self):
        self.phone.ok("sync", "hub")  # nothing tells it so far
        server = Server(self.laptop)
        self.phone.ok("join", server.address, "--yes")
        self.laptop.ok("device", "authorize", self.phone.json(
            "device", "show")["device_id"])
        self.phone.ok("sync", server.address)
        self.assertEqual({"a": "today"}, self.notes(self.phone))
        self.assert_fails(self.phone.run("sync", "hub"), 7, "withholds the newest")
        self.become("today", "yesterday")
        self.phone.ok("sync", "hub")
        self.laptop.ok("sync", "hub")

    def test_row_7_two_histories_are_seen_when_devices_meet(self):
        self.phone.ok("sql", "UPDATE notes SET body = 'the other story'")
        self.phone.ok("sync", "hub")
        server = Server(self.laptop)
        self.phone.ok("join", server.address, "--yes")
        self.laptop.ok("device", "authorize", self.phone.json(
            "device", "show")["device_id"])
        self.phone.ok("sync", server.address)
        self.assert_fails(self.phone.run("sync", "hub"), 7, "another history")


if __name__ == "__main__":
    unittest.main()
