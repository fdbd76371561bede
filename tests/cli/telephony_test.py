"""The telephone of docs/examples/telephony.md, run as it stands there."""
import os
import re
import unittest

from devices_test import Server
from program import DATA, Case

PAGE = (DATA.parent / "docs/examples/telephony.md").read_text()


def blocks(kind):
    return re.findall(rf"```{kind}\n(.*?)```", PAGE, re.S)


class Telephone(Case):
    def meet(self):
        server = Server(self.phone)
        self.tablet.ok("join", server.address, "--yes")
        self.phone.ok("device", "authorize", self.tablet.genesis["device_id"])
        return lambda: self.tablet.json("sync", server.address)

    def shell(self, line, **options):
        """A line of the page, at the phone."""
        words = line.split()
        self.assertEqual("satchel", words[0])
        return self.phone.ok("--json", *words[1:], **options)

    def both(self, query):
        phone, tablet = self.phone.sql(query), self.tablet.sql(query)
        self.assertEqual(phone, tablet, query)
        return phone

    def test_a_day(self):
        self.phone = self.device("phone").unlock()
        self.tablet = self.device("tablet").unlock()
        hello = self.folder / "hello.ogg"
        hello.write_bytes(os.urandom(200000))
        schema, day, on_tablet, on_phone = blocks("sql")
        add, track, strategy = blocks("sh")
        self.shell(add, cwd=self.folder)
        added = self.phone.json("files")[0]["id"]
        self.phone.ok("sql", schema)
        self.shell(track)
        self.phone.ok("sql", day.replace(":hello", f"'{added}'"))
        sync = self.meet()
        self.assertGreater(sync()["bytes_received"], 200000)
        self.tablet.ok("files", "get", added, self.folder / "copy.ogg")
        self.assertEqual(hello.read_bytes(),
                         (self.folder / "copy.ogg").read_bytes())

        self.tablet.ok("sql", on_tablet)
        self.phone.ok("sql", on_phone)
        self.assertEqual(1, sync()["conflicts"])
        for table in ("contact", "number", "call", "message", "attachment",
                      "voicemail", "setting", "satchel_file"):
            self.both(f"SELECT * FROM {table} ORDER BY 1, 2")
        self.assertEqual(
            [{"body": "look at this difference engine", "is_read": 1}],
            self.both("SELECT body, is_read FROM message"))
        self.assertEqual([{"company": "Royal Society"}],
                         self.both("SELECT company FROM contact"))
        self.assertEqual([{"is_heard": 1, "transcript": "call me back"}],
                         self.both("SELECT is_heard, transcript "
                                   "FROM voicemail"))
        self.assertEqual(2, len(self.both("SELECT e164 FROM number")))
        found = "SELECT id FROM message_text WHERE message_text MATCH '{}'"
        self.assertEqual([{"id": "m1"}], self.both(found.format("difference")))
        listed = self.tablet.json("conflicts")
        self.assertEqual([("setting", "ringtone", "value")],
                         [(c["table_name"], c["record_id"], c["column"])
                          for c in listed])

        self.shell(strategy)
        self.phone.ok("sql", "DELETE FROM call")
        self.tablet.ok("sql", "UPDATE call SET ended = ended + 1")
        sync()
        sync()
        self.assertEqual([], self.both("SELECT * FROM call"))
        self.tablet.ok("sql", "DELETE FROM message")
        sync()
        self.assertEqual([], self.both(found.format("engine")))
        self.assertEqual([], self.both("SELECT * FROM attachment"))


if __name__ == "__main__":
    unittest.main()
