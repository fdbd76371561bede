"""Settings from the command line."""
import json
import select
import signal
import subprocess
import unittest

from program import SATCHEL, Case, clean_environment


class Settings(Case):
    def setUp(self):
        super().setUp()
        self.laptop = self.device("laptop").unlock()

    def test_what_is_set_can_be_got_listed_and_unset(self):
        self.laptop.ok("settings", "set", "ui.theme", '"dark"')
        self.laptop.ok("settings", "set", "ui.size", "12", "--local")
        self.assertEqual('"dark"\n',
                         self.laptop.ok("settings", "get", "ui.theme"))
        self.assertEqual({"theme": "dark", "size": 12},
                         self.laptop.json("settings", "get", "ui"))
        self.assertEqual(
            [{"path": "ui.size", "value": 12, "origin": "local"},
             {"path": "ui.theme", "value": "dark", "origin": "synced"}],
            self.laptop.json("settings", "list"))
        self.laptop.ok("settings", "unset", "ui")
        self.assertEqual({"theme": "dark"},
                         self.laptop.json("settings", "get", "ui"))

    def test_what_is_not_json_or_not_there_is_told(self):
        result = self.laptop.run("settings", "set", "theme", "dark")
        self.assert_fails(result, 2, "not JSON", "double quotes")
        result = self.laptop.run("settings", "set", "a..b", "1")
        self.assert_fails(result, 2, "dots")
        result = self.laptop.run("settings", "get", "theme")
        self.assert_fails(result, 1, "no setting 'theme'")

    def test_an_import_comes_once(self):
        old = self.folder / "old.json"
        old.write_text(json.dumps({"a": 1, "b": {"c": [1, 2]}}))
        self.laptop.ok("settings", "set", "a", "2")
        self.assertEqual({"imported": 1},
                         self.laptop.json("settings", "import", old))
        self.assertEqual({"imported": 0},
                         self.laptop.json("settings", "import", old))
        self.assertEqual([1, 2], self.laptop.json("settings", "get", "b.c"))

    def test_watch_shows_what_another_process_changes(self):
        watch = subprocess.Popen(
            [SATCHEL, *self.laptop.who(), "--json", "settings", "watch"],
            stdout=subprocess.PIPE, text=True, env=clean_environment())
        self.addCleanup(watch.stdout.close)
        self.addCleanup(watch.wait)
        self.addCleanup(watch.kill)
        # Until it watches it says nothing, so write until it does.
        for size in range(100):
            self.laptop.ok("settings", "set", "ui.size", size)
            if select.select([watch.stdout], [], [], 0.5)[0]:
                break
        change = json.loads(watch.stdout.readline())
        self.assertEqual(("ui.size", "synced"),
                         (change["path"], change["origin"]))
        watch.send_signal(signal.SIGINT)
        self.assertEqual(0, watch.wait(10))


if __name__ == "__main__":
    unittest.main()
