"""cases/backup.md, row 25: a file above 4 GiB, and very many files.

SAT_TEST_LARGE=1 makes them as large and as many as the row says, in some ten
minutes and 14 GB of disk; without it they are smaller.
"""
import os
import unittest

from program import Case

IS_LARGE = "SAT_TEST_LARGE" in os.environ
SIZE = (4 << 30) + 12345 if IS_LARGE else (20 << 20) + 12345
COUNT = 100000 if IS_LARGE else 600


class Large(Case):
    def setUp(self):
        super().setUp()
        self.laptop = self.device("laptop").unlock()
        self.phrase = self.folder / "phrase"
        self.phrase.write_text(self.laptop.genesis["recovery_phrase"])
        self.place = self.folder / "place"

    def come_back(self):
        """Backed up, verified to the last byte, restored; the new device."""
        self.laptop.ok("backup", "now", "--to", self.place)
        self.laptop.ok("backup", "verify", "--full")
        phone = self.device("phone", init=False)
        phone.ok("backup", "restore", "--from", self.place, "--phrase-file",
                 self.phrase)
        return phone

    def test_a_file_above_4_gib(self):
        film = self.folder / "film.bin"
        with open(film, "wb") as file:
            file.truncate(SIZE)  # sparse
            for at in (0, SIZE // 2, SIZE - 1000):
                file.seek(at)
                file.write(os.urandom(1000))
        self.laptop.ok("files", "add", film)
        phone = self.come_back()
        [file] = phone.json("files", "list")
        self.assertEqual(SIZE, file["size"])
        self.assertEqual(1, phone.json("files", "verify")["verified"])

    def test_very_many_files(self):
        folder = self.folder / "many"
        folder.mkdir()
        for i in range(COUNT):
            (folder / f"{i:06}.txt").write_text(f"note {i}")
        names = sorted(folder.iterdir())
        for i in range(0, COUNT, 500):
            self.laptop.ok("files", "add", *names[i:i + 500])
        phone = self.come_back()
        self.assertEqual(COUNT, phone.json("files", "verify")["verified"])


if __name__ == "__main__":
    unittest.main()
