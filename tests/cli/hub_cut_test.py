"""A hub that is stopped in the middle, and one that is away."""
import signal
import subprocess
import time
import unittest

from hub_test import WithAHub
from program import SATCHEL, clean_environment

MANY = ("WITH RECURSIVE i(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM i "
        "WHERE n < 8000) INSERT INTO notes SELECT '{0}-' || n, "
        "hex(randomblob(40)) FROM i")


class Cut(WithAHub):
    def cut(self, device, after):
        """A sync, of which the hub sees the beginning."""
        sync = subprocess.Popen([SATCHEL, *device.who(), "sync", "hub"],
                                stdout=subprocess.DEVNULL,
                                stderr=subprocess.PIPE, text=True,
                                env=clean_environment())
        time.sleep(after)
        self.hub.stop(signal.SIGKILL)
        _, said = sync.communicate(timeout=120)
        self.assertIn(sync.returncode, (0, 5), said)
        self.hub.start()
        return sync.returncode

    def test_pushes_and_pulls_that_were_cut_leave_nothing_half(self):
        self.make_notes()
        phone = self.login("phone").unlock()
        laptop = self.laptop.unlock()
        cuts = 0
        for i, after in enumerate((0.2, 0.4, 0.8)):
            laptop.ok("sql", MANY.format(i))
            cuts += self.cut(laptop, after) == 5
            count = phone.sql("SELECT count(*) AS n FROM notes")
            cuts += self.cut(phone, after) == 5
            # All of a push, or nothing of it.
            after = phone.sql("SELECT count(*) AS n FROM notes")
            self.assertEqual(1, after[0]["n"] % 8000)
            self.assertGreaterEqual(after[0]["n"], count[0]["n"])
        self.assertGreater(cuts, 0)
        for device in (laptop, phone, laptop):
            device.ok("sync", "hub")
        everything = "SELECT count(*), group_concat(body) FROM " \
                     "(SELECT body FROM notes ORDER BY id)"
        self.assertEqual(laptop.sql(everything), phone.sql(everything))
        self.assertEqual([{"n": 24001}],
                         phone.sql("SELECT count(*) AS n FROM notes"))

    def test_while_it_is_away_the_queue_is_on_disk_and_flows_by_itself(self):
        self.make_notes()
        phone = self.login("phone").unlock()
        laptop = self.laptop.unlock()
        follow = subprocess.Popen(
            [SATCHEL, *laptop.who(), "--quiet", "sync", "hub", "--every", "1s"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            env=clean_environment())
        try:
            self.until(lambda: laptop.json("status")["hub"]["state"], "in step")
            self.hub.stop(signal.SIGKILL)
            laptop.ok("sql", "INSERT INTO notes VALUES('b', 'meanwhile')")
            self.until(lambda: laptop.json("status")["hub"]["state"], "offline")
            [main] = [v for v in laptop.json("status")["vaults"]
                      if v["name"] == "main"]
            self.assertEqual(1, main["unsynced"])
            follow.kill()  # what waits is not in a process
            follow.wait()
            follow = subprocess.Popen(
                [SATCHEL, *laptop.who(), "--quiet", "sync", "hub", "--every",
                 "1s"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                env=clean_environment())
            self.hub.start()
            self.until(lambda: laptop.json("status")["hub"]["state"], "in step")
        finally:
            follow.send_signal(signal.SIGINT)
            follow.wait(20)
        phone.ok("sync", "hub")
        self.assertEqual("meanwhile", self.notes(phone)["b"])

    def until(self, ask, wanted):
        end = time.monotonic() + 60
        while (found := ask()) != wanted:
            self.assertLess(time.monotonic(), end, found)
            time.sleep(0.1)


if __name__ == "__main__":
    unittest.main()
