"""Media files of a vault, over the real hub."""
import os
import shutil
import signal
import subprocess
import time
import unittest

from hub_test import EMAIL, WithAHub
from program import SATCHEL, clean_environment


class Media(WithAHub):
    def setUp(self):
        super().setUp()
        self.make_notes()

    def add(self, size, name="clip.bin"):
        path = self.folder / name
        with open(path, "wb") as out:
            for at in range(0, size, 1 << 20):
                out.write(os.urandom(min(1 << 20, size - at)))
        return path, self.laptop.json("files", "add", path)[0]["id"]

    def blobs(self):
        return [path for path in (self.hub.folder / "blobs").iterdir()
                if "." not in path.name]

    def same(self, device, number, path):
        got = self.folder / ("got-" + number)
        got.unlink(missing_ok=True)
        device.ok("files", "get", number, got)
        self.assertEqual(path.read_bytes(), got.read_bytes())

    def test_they_come_when_the_sender_is_gone(self):
        small, first = self.add(1000, "small.bin")
        large, second = self.add(9_500_000, "large.bin")
        again, third = self.add(10, "again.bin")
        again.write_bytes(small.read_bytes())
        third = self.laptop.json("files", "add", again)[0]["id"]
        self.laptop.ok("sync", "hub")
        self.assertEqual(5, len(self.blobs()))  # 1 + 3 + 1, the copy is none
        self.assertLess(self.laptop.json("sync", "hub")["bytes_sent"], 20000)
        shutil.move(self.laptop.home, self.folder / "away")
        phone = self.device("phone", init=False)
        key = self.folder / "key"
        shutil.move(self.folder / "away", self.laptop.home)
        key.write_text(self.laptop.ok("account", "show", "--secret-key"))
        shutil.move(self.laptop.home, self.folder / "away")
        phone.ok("account", "login", "--hub", self.hub.url, "--email", EMAIL,
                 "--name", "phone", "--secret-key-file", key)
        for number, path in ((first, small), (second, large), (third, again)):
            self.same(phone, number, path)

    def test_a_cut_costs_the_part_under_way(self):
        path, number = self.add(40_000_000)
        sync = subprocess.Popen([SATCHEL, *self.laptop.who(), "sync", "hub"],
                                env=clean_environment(),
                                stdout=subprocess.DEVNULL,
                                stderr=subprocess.DEVNULL)
        until = time.monotonic() + 60
        while len(self.blobs()) < 3 and time.monotonic() < until:
            time.sleep(0.005)
        sync.kill()
        sync.wait()
        before = len(self.blobs())
        self.assertTrue(3 <= before <= 10, before)
        self.hub.stop(signal.SIGKILL)
        self.hub.start()
        sent = self.laptop.json("sync", "hub")["bytes_sent"]
        self.assertLess(sent, 40_100_000 - (before - 1) * (4 << 20))
        phone = self.login("phone")
        self.same(phone, number, path)
        [stored] = [v for v in phone.json("status")["vaults"]
                    if v["name"] == "main"]
        self.assertEqual(0, stored["unsynced"])

    def test_row_14_what_the_hub_did_to_a_file_is_seen(self):
        path, number = self.add(13_000_000)
        self.laptop.ok("sync", "hub")
        parts = sorted(self.blobs(), key=lambda path: path.stat().st_size)
        full = [p for p in parts if p.stat().st_size == 4 << 20]
        self.assertEqual(3, len(full))
        kept = {p: p.read_bytes() for p in parts}
        one, two, three = (kept[p] for p in full)
        chunk = 65552
        phone = self.device("phone", init=False)
        key = self.folder / "key"
        key.write_text(self.laptop.ok("account", "show", "--secret-key"))
        for what, lies in {
                "cut": (one[:-chunk], two, three),
                "one bit": (one[:99] + bytes([one[99] ^ 1]) + one[100:], two,
                            three),
                "reordered": (two, three, one),
                "repeated": (one, one, one),
                "spliced": (one[:chunk * 9] + two[chunk * 9:],
                            two[:chunk * 9] + three[chunk * 9:],
                            three[:chunk * 9] + one[chunk * 9:])}.items():
            for blob, content in zip(full, lies):
                blob.write_bytes(content)
            for part in phone.home.glob("vaults/main.files/*.part"):
                part.unlink()
            if not phone.home.exists():
                phone.run("account", "login", "--hub", self.hub.url, "--email",
                          EMAIL, "--name", "phone", "--secret-key-file", key)
            with self.subTest(what):
                self.assert_fails(phone.run("sync", "hub"), 7, "media file")
                self.assertEqual({"a": "one"}, self.notes(phone))
                self.assertNotEqual(0, phone.run(
                    "files", "get", number, self.folder / "none").code)
        for blob, content in kept.items():
            blob.write_bytes(content)
        phone.ok("sync", "hub")
        self.same(phone, number, path)


if __name__ == "__main__":
    unittest.main()
