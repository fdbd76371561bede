"""A program without the library, under a device key of its own."""
import unittest

from devices_test import Server
from plain import Client, Key
from program import Case


def change(operation, key, table="notes", version=None, **data):
    made = {"table_name": table, "record_id": key, "operation": operation,
            "data": data, "hash": "", "timestamp": 1}
    return made if version is None else {**made, "version": version}


class PlainProgram(Case):
    def setUp(self):
        super().setUp()
        self.laptop = self.device("laptop").unlock()
        self.laptop.ok("sql", "CREATE TABLE notes(id TEXT PRIMARY KEY, body, "
                              "n INTEGER NOT NULL DEFAULT 7 CHECK(n < 100)); "
                              "INSERT INTO notes VALUES('a', 'one', 1)")
        self.laptop.ok("track", "notes")
        self.client = Client(Server(self.laptop).address)
        self.addCleanup(self.client.close)
        self.assertEqual(200, self.client.register("script")[0])
        self.laptop.ok("device", "authorize", self.client.key.device_id)

    def push(self, *changes):
        status, answer = self.client.push(*changes)
        self.assertEqual(200, status, answer)
        return answer

    def notes(self):
        return {row["id"]: (row["body"], row["n"])
                for row in self.laptop.sql("SELECT * FROM notes")}

    def test_the_client_signs_as_rfc_8032_says(self):
        key = Key(bytes.fromhex("4ccd089b28ff96da9db6c346ec114e0f"
                                "5b8a319f35aba624da8cf6ed4fb8a6fb"))
        self.assertEqual("92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb376"
                         "2223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eae"
                         "b4302aeeb00d291612bb0c00", key.sign(b"\x72").hex())

    def test_its_changes_are_its_devices_writes(self):
        answer = self.push(change("INSERT", "b", body="new"),
                           change("UPDATE", "a", body="two"))
        self.assertEqual((2, 0), (answer["applied"], answer["conflicts"]))
        self.assertEqual({"a": ("two", 1), "b": ("new", 7)}, self.notes())
        log = [e for e in self.laptop.json("log")
               if e["device"] == self.client.key.device_id]
        self.assertEqual({"INSERT", "UPDATE"}, {e["operation"] for e in log})
        self.push(change("DELETE", "b"))
        self.assertEqual({"a"}, set(self.notes()))

    def test_they_reach_another_device(self):
        self.push(change("INSERT", "b", body="new"))
        phone = self.device("phone").unlock()
        server = Server(self.laptop)
        phone.ok("join", server.address, "--yes")
        self.laptop.ok("device", "authorize", phone.genesis["device_id"])
        phone.ok("sync", server.address)
        self.assertEqual([{"body": "new", "n": 7}], phone.sql(
            "SELECT body, n FROM notes WHERE id = 'b'"))

    def test_what_it_had_not_seen_is_a_conflict(self):
        seen = self.client.pull()[1]["version"]
        self.laptop.ok("sql", "UPDATE notes SET body = 'laptop'")
        answer = self.push(change("UPDATE", "a", version=seen + 1, body="one"))
        self.assertEqual(0, answer["conflicts"])
        seen = self.client.pull()[1]["version"]
        self.laptop.ok("sql", "UPDATE notes SET body = 'laptop'")
        answer = self.push(change("UPDATE", "a", version=seen, body="script"))
        self.assertEqual(1, answer["conflicts"])
        self.assertEqual(("script", 1), self.notes()["a"])
        listed = self.laptop.json("conflicts")
        self.assertEqual({"laptop", "script"},
                         {listed[0]["local"], listed[0]["remote"]})
        self.push(change("UPDATE", "a", version=seen, body="again"))
        self.assertEqual(1, len(self.laptop.json("conflicts")))

    def test_deleting_what_it_had_not_seen_changed_leaves_it(self):
        self.push(change("UPDATE", "a", body="seen"))
        seen = self.client.pull()[1]["version"]
        self.laptop.ok("sql", "UPDATE notes SET body = 'later'")
        self.assertEqual(1, self.push(
            change("DELETE", "a", version=seen))["conflicts"])
        self.assertEqual({"a": ("later", 1)}, self.notes())
        self.assertEqual(["delete"],
                         [c["kind"] for c in self.laptop.json("conflicts")])

    def test_all_or_nothing(self):
        before = self.notes()
        for status, bad in (
                (409, change("INSERT", "a", body="taken")),
                (409, change("UPDATE", "gone", body="x")),
                (409, change("UPDATE", "a", n=1000)),
                (409, change("UPDATE", "a", n=None)),
                (400, change("UPDATE", "a", colour="x")),
                (400, change("UPDATE", "a")),
                (400, change("UPDATE", ["a", "b"])),
                (400, change("MERGE", "a")),
                (400, {"operation": "DELETE"}),
                (404, change("UPDATE", "a", table="other", body="x")),
                (404, change("DELETE", "main", table="sync_state"))):
            with self.subTest(bad=bad):
                got, answer = self.client.push(
                    change("INSERT", "z", body="z"), bad)
                self.assertEqual(status, got, answer)
                self.assertEqual(before, self.notes())
        self.assertEqual(400, self.client.push(
            *[change("DELETE", "a")] * 1001)[0])
        self.assertEqual(413, self.client.push(
            change("UPDATE", "a", body="x" * 1100000))[0])
        self.assertEqual(before, self.notes())
        self.push(change("INSERT", "z", body="z"))

    def test_asking_twice_does_nothing_more(self):
        both = (change("INSERT", "b", body="new"), change("DELETE", "a"))
        version = self.push(*both)["version"]
        self.assertEqual(version, self.push(*both)["version"])

    def test_triggers_and_foreign_keys_of_the_app_hold(self):
        self.laptop.ok("sql", """
            CREATE TABLE part(id INTEGER PRIMARY KEY,
                note REFERENCES notes(id) ON DELETE CASCADE, blob);
            CREATE TABLE audit(id INTEGER PRIMARY KEY, what);
            CREATE TRIGGER noted AFTER INSERT ON part BEGIN
                INSERT INTO audit(what) VALUES(new.note); END""")
        self.laptop.ok("track", "part", "audit")
        self.push(change("INSERT", 5, "part", note="a",
                         blob={"$blob": "00ff"}))
        self.assertEqual([{"what": "a"}],
                         self.laptop.sql("SELECT what FROM audit"))
        self.assertEqual([{"h": "00FF", "id": 5}], self.laptop.sql(
            "SELECT hex(blob) AS h, id FROM part"))
        self.assertEqual(409, self.client.push(
            change("INSERT", 6, "part", note="nowhere"))[0])
        self.push(change("DELETE", "a"))
        self.assertEqual([], self.laptop.sql("SELECT * FROM part"))

    def test_strangers_are_refused(self):
        stranger = Client(f"https://{self.client.host}#{self.client.peer}")
        self.addCleanup(stranger.close)
        self.assertEqual(403, stranger.push(change("DELETE", "a"))[0])
        self.laptop.ok("device", "revoke", self.client.key.device_id)
        self.assertEqual(403, self.client.push(change("DELETE", "a"))[0])
        self.assertEqual({"a"}, set(self.notes()))


if __name__ == "__main__":
    unittest.main()
