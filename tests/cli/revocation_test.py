"""Devices that are let in and taken out: by two at once, and by detours."""
import unittest

from devices_test import Server
from program import Case


class Revocation(Case):
    def setUp(self):
        super().setUp()
        self.laptop = self.device("laptop")
        self.tablet = self.device("tablet")
        self.lost = self.device("lost")
        self.laptop.ok("sql", "CREATE TABLE notes(id TEXT PRIMARY KEY, body); "
                              "INSERT INTO notes VALUES('a', 'one')")
        self.laptop.ok("track", "notes")
        self.at_laptop = Server(self.laptop).address
        self.at_tablet = Server(self.tablet).address
        self.let_in(self.tablet, "--admin")
        self.let_in(self.lost)
        self.tablet.ok("sync", self.at_laptop)

    def let_in(self, device, *options):
        device.ok("join", self.at_laptop, "--yes")
        self.laptop.ok("device", "authorize", device.genesis["device_id"],
                       *options)
        device.ok("sync", self.at_laptop)

    def revoke(self, by, device):
        by.ok("device", "revoke", device.genesis["device_id"])

    def notes(self, device):
        return {row["id"]: row["body"]
                for row in device.sql("SELECT * FROM notes")}

    def standing(self, device):
        return {d["device_name"]: (d["authorized"], d["revoked"], d["admin"])
                for d in device.json("device", "list")}

    def test_what_comes_late_through_a_third_device_counts_nowhere(self):
        self.lost.ok("sql", "UPDATE notes SET body = 'two'")
        self.lost.ok("sync", self.at_laptop)
        self.revoke(self.laptop, self.lost)
        self.lost.ok("sql", "UPDATE notes SET body = 'late'; "
                            "INSERT INTO notes VALUES('b', 'late')")
        self.lost.ok("sync", self.at_tablet)  # which has not heard of it
        self.assertEqual({"a": "late", "b": "late"}, self.notes(self.tablet))
        self.tablet.ok("sql", "INSERT INTO notes VALUES('c', 'mine')")
        self.tablet.ok("sync", self.at_laptop)
        for device in (self.laptop, self.tablet):
            self.assertEqual({"a": "two", "c": "mine"}, self.notes(device))
            self.assertEqual([], device.json("conflicts", "list"))
        self.assert_fails(self.lost.run("sync", self.at_tablet), 4, "revoked")
        self.assert_fails(self.lost.run("sync", self.at_laptop), 4, "revoked")
        self.assertEqual({"a": "two", "c": "mine"}, self.notes(self.tablet))

    def test_two_administrators_at_once_are_put_in_one_line(self):
        late = self.device("late")
        late.ok("join", self.at_tablet, "--yes")
        self.revoke(self.laptop, self.lost)
        self.tablet.ok("device", "authorize", late.genesis["device_id"])
        self.tablet.ok("sync", self.at_laptop)
        self.tablet.ok("sync", self.at_laptop)
        late.ok("sync", self.at_tablet)
        for device in (self.laptop, self.tablet):
            standing = self.standing(device)
            self.assertEqual((False, True, False), standing["lost"])
            self.assertEqual((True, False, False), standing["late"])
        late.ok("join", self.at_laptop, "--yes")
        late.ok("sync", self.at_laptop)
        self.assertEqual({"a": "one"}, self.notes(late))

    def test_who_joins_later_does_not_undo_it(self):
        self.lost.ok("sync", self.at_tablet)
        self.revoke(self.laptop, self.lost)
        for name in ("first", "second", "third"):
            self.let_in(self.device(name))
        self.lost.ok("sql", "INSERT INTO notes VALUES('b', 'late')")
        self.lost.ok("sync", self.at_tablet)
        self.tablet.ok("sync", self.at_laptop)
        for device in (self.laptop, self.tablet):
            self.assertEqual({"a": "one"}, self.notes(device))

    def test_who_comes_back_brings_what_was_not_sent(self):
        self.lost.ok("sql", "UPDATE notes SET body = 'sent'")
        self.lost.ok("sync", self.at_laptop)
        self.revoke(self.laptop, self.lost)
        self.lost.ok("sql", "INSERT INTO notes VALUES('b', 'not sent')")
        refused = self.lost.run("sync", self.at_laptop)
        self.assert_fails(refused, 4, "revoked", "satchel device renew")
        self.lost.ok("sql", "UPDATE notes SET body = 'mine' WHERE id = 'a'")
        self.laptop.ok("sql", "INSERT INTO notes VALUES('c', 'meanwhile')")
        self.assert_fails(self.lost.run("device", "renew"), 1, "--yes")
        former = self.lost.genesis["device_id"]
        renewed = self.lost.json("device", "renew", "--yes")
        self.assertEqual("lost", renewed["device_name"])
        self.assertNotEqual(former, renewed["device_id"])
        self.lost.genesis = renewed
        self.assertEqual(renewed["device_id"],
                         self.lost.json("device", "show")["device_id"])
        self.let_in(self.lost)
        self.tablet.ok("sync", self.at_laptop)
        everything = {"a": "mine", "b": "not sent", "c": "meanwhile"}
        for device in (self.lost, self.laptop, self.tablet):
            self.assertEqual(everything, self.notes(device))
            self.assertEqual([], device.json("conflicts", "list"))
        listed = {d["device_id"]: (d["authorized"], d["revoked"])
                  for d in self.laptop.json("device", "list")}
        self.assertEqual((False, True), listed[former])
        self.assertEqual((True, False), listed[renewed["device_id"]])
        self.lost.ok("sql", "UPDATE notes SET body = 'on' WHERE id = 'b'")
        self.lost.ok("sync", self.at_tablet)
        self.assertEqual("on", self.notes(self.tablet)["b"])

    def test_who_is_no_administrator_takes_nobody_out(self):
        self.lost.ok("sync", self.at_laptop)
        result = self.lost.run("device", "revoke",
                               self.tablet.genesis["device_id"])
        self.assertEqual(4, result.code, result.err)
        self.lost.ok("sync", self.at_laptop)
        self.assertEqual((True, False, True),
                         self.standing(self.laptop)["tablet"])


if __name__ == "__main__":
    unittest.main()
