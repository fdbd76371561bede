"""The agent: one process that keeps a profile in step."""
import json
import os
import pathlib
import re
import select
import signal
import socket
import subprocess
import time
import unittest
from concurrent.futures import ThreadPoolExecutor

from hub_test import WithAHub
from program import SATCHEL, Case, clean_environment


class Agent:
    """`satchel agent` of a device, on a port that the system chose."""

    def __init__(self, device):
        self.device = device
        self.process = subprocess.Popen(
            [SATCHEL, *device.who(), "agent", "--listen", "127.0.0.1:0"],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            env=clean_environment())
        device.case.addCleanup(self.stop)
        ready, _, _ = select.select([self.process.stdout], [], [], 30)
        line = self.process.stdout.readline() if ready else ""
        found = re.search(r"https://\S+#[0-9a-f]{64}", line)
        if found is None:
            self.process.kill()
            raise AssertionError(line + self.process.stderr.read())
        self.address = found[0]

    def stop(self, how=signal.SIGTERM):
        if self.process.poll() is None:
            self.process.send_signal(how)
        code = self.process.wait(20)
        self.process.stdout.close()
        self.process.stderr.close()
        return code

    def proc(self, file):
        return pathlib.Path(f"/proc/{self.process.pid}/{file}").read_text()

    def switches(self):
        """How often its threads gave up the processor and came back."""
        total = 0
        for task in pathlib.Path(f"/proc/{self.process.pid}/task").iterdir():
            status = (task / "status").read_text()
            total += int(re.search(r"^voluntary_ctxt_switches:\s+(\d+)",
                                   status, re.M)[1])
        return total


class OneAgent(Case):
    def setUp(self):
        super().setUp()
        self.laptop = self.device("laptop").unlock()

    def test_status_tells_of_it_and_it_ends_when_told(self):
        self.assertIsNone(self.laptop.json("status")["agent"])
        agent = Agent(self.laptop)
        status = self.laptop.json("status")["agent"]
        self.assertEqual((agent.process.pid, agent.address, "main", []),
                         (status["process"], status["address"],
                          status["vault"], status["peers"]))
        self.assertEqual(0, agent.stop())
        self.assertFalse((self.laptop.home / "agent/socket").exists())
        self.assertIsNone(self.laptop.json("status")["agent"])

    def test_there_is_one_for_a_profile(self):
        first = Agent(self.laptop)
        result = self.laptop.run("agent", "--listen", "127.0.0.1:0")
        self.assert_fails(result, 1, "already", str(first.process.pid))

    def test_a_stale_socket_is_no_hindrance(self):
        agent = Agent(self.laptop)
        agent.stop(signal.SIGKILL)
        self.assertTrue((self.laptop.home / "agent/socket").exists())
        self.assertIsNone(self.laptop.json("status")["agent"])
        Agent(self.laptop)
        self.assertIsNotNone(self.laptop.json("status")["agent"])

    def test_locking_ends_it(self):
        agent = Agent(self.laptop)
        self.laptop.ok("lock")
        self.assertEqual(0, agent.process.wait(20))

    def test_a_folder_that_others_may_enter_is_refused(self):
        folder = self.laptop.home / "agent"
        folder.mkdir(mode=0o755)
        folder.chmod(0o755)
        result = self.laptop.run("agent", "--listen", "127.0.0.1:0")
        self.assert_fails(result, 4, "chmod 700")
        self.assert_fails(self.laptop.run("status"), 4, "chmod 700")

    @unittest.skipIf(os.geteuid() != 0, "only root can give folders away")
    def test_a_folder_of_another_user_is_refused(self):
        folder = self.laptop.home / "agent"
        folder.mkdir(mode=0o700)
        os.chown(folder, 65534, 65534)
        self.assert_fails(self.laptop.run("status"), 4, "another user")

    def test_a_locked_profile_has_none(self):
        self.laptop.password_file.write_text("wrong\n")
        self.laptop.is_unlocked = False
        self.assert_fails(self.laptop.run("agent"), 3)

    def ask(self, text):
        """What the socket answers to bytes as they are."""
        with socket.socket(socket.AF_UNIX) as s:
            s.settimeout(20)
            s.connect(str(self.laptop.home / "agent/socket"))
            s.sendall(text)
            s.shutdown(socket.SHUT_WR)
            answer = b""
            while chunk := s.recv(4096):
                answer += chunk
            return answer

    def test_nonsense_on_the_socket_is_answered_or_ended(self):
        agent = Agent(self.laptop)
        for text in (b"{}\n", b"no\n", b'{"ask":7}\n', b'{"ask":"x"}\n',
                     b'{"ask":"sync","vault":[]}\n', b"[" * 5000 + b"\n"):
            self.assertIn("error", json.loads(self.ask(text)))
        self.assertEqual(b"", self.ask(b""))
        self.assertEqual(b"", self.ask(b'{"ask":"status"}'))
        try:
            self.assertEqual(b"", self.ask(b"x" * 200000))
        except (BrokenPipeError, ConnectionResetError):
            pass
        self.assertIsNotNone(self.laptop.json("status")["agent"])
        self.assertEqual(0, agent.stop())

    def test_idle_it_hardly_wakes_and_is_small(self):
        if "asan" in SATCHEL or "tsan" in SATCHEL:
            self.skipTest("what a sanitizer brings wakes, and is large")
        agent = Agent(self.laptop)
        time.sleep(3)
        before = agent.switches()
        time.sleep(10)
        self.assertLess(agent.switches() - before, 10)
        own = re.search(r"^RssAnon:\s+(\d+) kB", agent.proc("status"), re.M)
        self.assertLess(int(own[1]), 20000)


class TwoAgents(Case):
    def setUp(self):
        super().setUp()
        self.laptop = self.device("laptop").unlock()
        self.phone = self.device("phone").unlock()
        self.laptop.ok("sql", "CREATE TABLE notes(id TEXT PRIMARY KEY, body);"
                              "INSERT INTO notes VALUES('a', 'one')")
        self.laptop.ok("track", "notes")
        self.server = Agent(self.laptop)
        self.phone.ok("join", self.server.address, "--yes")
        self.laptop.ok("device", "authorize", self.phone.genesis["device_id"])

    def await_body(self, device, expected):
        body = None
        for _ in range(150):
            result = device.run("--json", "sql",
                                "SELECT body FROM notes WHERE id = 'a'")
            body = result.json()[0]["body"] if result.code == 0 else None
            if body == expected:
                return
            time.sleep(0.1)
        self.fail(f"{body!r} is not {expected!r}")

    def peer(self):
        peers = self.phone.json("status")["agent"]["peers"]
        return peers[0] if peers else None

    def test_what_is_written_travels_by_itself(self):
        Agent(self.phone)
        self.await_body(self.phone, "one")
        self.phone.ok("sql", "UPDATE notes SET body = 'two' WHERE id = 'a'")
        self.await_body(self.laptop, "two")

    def test_sync_is_done_by_the_agent_where_one_runs(self):
        self.phone.ok("settings", "set", "satchel.sync.every", "86400")
        Agent(self.phone)
        self.await_body(self.phone, "one")
        before = self.peer()["synced_at"]
        self.laptop.ok("sql", "UPDATE notes SET body = 'three'")
        self.assertEqual(0, self.phone.json("sync")["conflicts"])
        self.assertGreater(self.peer()["synced_at"], before)
        self.assertEqual("three", self.phone.sql(
            "SELECT body FROM notes")[0]["body"])

    def test_a_setting_is_applied_while_it_runs(self):
        self.phone.ok("settings", "set", "satchel.sync.every", "86400")
        Agent(self.phone)
        self.await_body(self.phone, "one")
        self.assertEqual(86400000,
                         self.phone.json("status")["agent"]["every_ms"])
        self.phone.ok("settings", "set", "satchel.sync.every", "1")
        self.laptop.ok("sql", "UPDATE notes SET body = 'four'")
        self.await_body(self.phone, "four")

    def test_a_device_that_is_away_is_told_and_found_again(self):
        self.phone.ok("settings", "set", "satchel.sync.every", "1")
        Agent(self.phone)
        self.await_body(self.phone, "one")
        self.server.stop()
        for _ in range(100):
            if self.peer()["failures"] > 0:
                break
            time.sleep(0.1)
        self.assertIsNotNone(self.peer()["error"])
        self.assert_fails(self.phone.run("sync"), 5)
        found = self.phone.json("audit", "--search", "sync_error")
        self.assertEqual("CROSS_DEVICE_SYNC_ERROR", found[0]["operation"])
        self.assertIn("laptop", found[0]["detail"])


class OverAHub(WithAHub):
    """What a person notices: it is there before they look."""

    def setUp(self):
        super().setUp()
        self.agents = [self.following(self.laptop)]
        self.phone = self.login("phone")
        self.agents.append(self.following(self.phone))

    def following(self, device):
        agent = Agent(device)
        self.wait_until("it follows the hub",
                        lambda: self.hub_of(device)["synced_at"])
        return agent

    def hub_of(self, device):
        return device.json("status")["agent"]["hub"] or {"synced_at": None}

    def wait_until(self, what, holds):
        for _ in range(200):
            if holds():
                return
            time.sleep(0.05)
        self.fail(f"it never came to be that {what}")

    def theme(self, device):
        return device.run("settings", "get", "ui.theme").out.strip()

    def test_a_setting_and_a_code_are_on_the_other_device_by_themselves(self):
        self.laptop.ok("settings", "set", "ui.theme", '"dark"')
        self.wait_until("the theme is there",
                        lambda: self.theme(self.phone) == '"dark"')
        self.laptop.ok("mfa", "add", "bank")
        self.wait_until("the code is there", lambda: self.phone.run(
            "mfa", "code", "bank").code == 0)
        self.hub.stop()
        code = self.phone.json("mfa", "code", "bank")["code"]
        self.phone.ok("mfa", "verify", "bank", code)

    def test_a_new_vault_is_begun_once_and_followed_like_any(self):
        self.laptop.ok("vault", "create", "plans")
        with ThreadPoolExecutor(3) as at_once:
            list(at_once.map(lambda _: self.laptop.ok("sync", "hub"),
                             range(3)))
        put = ("--vault", "plans", "item", "put", "trip")
        for place in ("Brno", "Praha"):  # the second within the clock's 30 s
            self.laptop.ok(*put, '{"to":"%s"}' % place)
            self.wait_until(f"{place} is there", lambda: place in self.phone.run(
                "--vault", "plans", "item", "get", "trip").out)
        for device in (self.laptop, self.phone):
            self.assertIsNone(self.hub_of(device)["error"])
        self.laptop.ok("vault", "rename", "plans", "trips")

    def test_what_was_changed_offline_follows_once_the_hub_is_back(self):
        self.laptop.ok("settings", "set", "ui.theme", '"dark"')
        self.wait_until("the theme is there",
                        lambda: self.theme(self.phone) == '"dark"')
        self.agents[0].stop()
        self.hub.stop()
        self.laptop.ok("settings", "set", "ui.theme", '"light"')
        self.hub.start()
        Agent(self.laptop)
        self.phone.ok("sync", "hub")
        self.wait_until("the theme followed", lambda: self.theme(
            self.phone) == '"light"' or not self.phone.ok("sync", "hub"))


if __name__ == "__main__":
    unittest.main()
