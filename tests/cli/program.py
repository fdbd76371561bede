"""Runs the real program, as a person or a script would.

SATCHEL names the program; ctest sets it.
"""
import json
import os
import pathlib
import pty
import select
import subprocess
import tempfile
import unittest

SATCHEL = os.environ["SATCHEL"]
DATA = pathlib.Path(__file__).parent.parent
PASSWORD = "correct horse battery"


class Result:
    """What one run left behind."""

    def __init__(self, code, out, err):
        self.code, self.out, self.err = code, out, err

    def json(self):
        return json.loads(self.out)

    def error(self):
        return json.loads(self.err)["error"]


def run(*args, stdin=b"", env=None, cwd=None, setup=None):
    """Runs the program without a terminal, in a session of its own."""
    if isinstance(stdin, str):
        stdin = stdin.encode()
    done = subprocess.run(
        [SATCHEL, *map(str, args)], input=stdin, capture_output=True,
        start_new_session=True, env=clean_environment(env), cwd=cwd,
        preexec_fn=setup, timeout=120)
    return Result(done.returncode, done.stdout.decode("utf-8", "replace"),
                  done.stderr.decode("utf-8", "replace"))


def clean_environment(more=None):
    """Nothing of the developer's own profile reaches a test."""
    kept = {k: v for k, v in os.environ.items()
            if not k.startswith(("SATCHEL_", "XDG_"))}
    return {**kept, "HOME": "/nonexistent", **(more or {})}


def run_on_terminal(args, typed, env=None):
    """Runs the program on a terminal of its own, and types each of `typed`
    when its prompt, the first of the pair, appears. Returns code and screen."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.execve(SATCHEL, [SATCHEL, *map(str, args)], clean_environment(env))
    screen = b""
    typed = list(typed)
    while True:
        ready, _, _ = select.select([terminal], [], [], 60)
        if not ready:
            break
        try:
            got = os.read(terminal, 4096)
        except OSError:
            break
        if not got:
            break
        screen += got
        if typed and screen.endswith(typed[0][0].encode()):
            os.write(terminal, typed.pop(0)[1].encode())
    os.close(terminal)
    status = os.waitpid(pid, 0)[1]
    return os.waitstatus_to_exitcode(status), screen.decode()


class Case(unittest.TestCase):
    """A test with a temporary folder."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="satchel-test-")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def device(self, name, **options):
        return Device(self, name, **options)

    def assert_fails(self, result, code, *words):
        """The exit code, and one sentence that says why."""
        self.assertEqual(code, result.code, result.err)
        self.assertRegex(result.err, r"^satchel: [^\n]+\n")
        for word in words:
            self.assertIn(word, result.err)


class Device:
    """A profile in a folder of the test, with its password in a file."""

    def __init__(self, case, name, init=True):
        self.case = case
        self.name = name
        self.home = case.folder / name
        self.password_file = case.folder / (name + ".password")
        self.password_file.write_text(PASSWORD + "\n")
        self.is_unlocked = False
        if init:
            self.genesis = self.json("init", "--name", name)

    def unlock(self):
        """Lets the keychain, where there is one, open the profile from now on:
        a password costs its check every time."""
        if self.run("unlock").code == 0:
            self.is_unlocked = True
            self.case.addCleanup(self.run, "lock")
        return self

    def run(self, *args, **options):
        return run(*self.who(), *args, **options)

    def who(self):
        password = ["--password-file", self.password_file]
        return ["--profile", self.home, *([] if self.is_unlocked else password)]

    def ok(self, *args, **options):
        """Runs what must succeed; returns what it printed."""
        result = self.run(*args, **options)
        self.case.assertEqual(0, result.code, f"{args}: {result.err}")
        return result.out

    def json(self, *args, **options):
        return json.loads(self.ok("--json", *args, **options))

    def sql(self, statement, **options):
        """The rows of one query, as a list of objects."""
        return self.json("sql", statement, **options)
