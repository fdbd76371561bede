#!/usr/bin/env python3
"""Backups of 1 GB of media-like files and 1 GB of SQLite rows, beside restic and
borg on the same content, and beside tar, zstd and age for the first one.

Wall time depends on who else is at work, so processor time is measured as well;
both of each are printed, and wall time is what the aims are about. SIZE=100
makes it 100 MB of each.
"""
import json
import os
import pathlib
import random
import resource
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time

SIZE = int(os.environ.get("SIZE", "1000")) * 10 ** 6
PASSWORD = "correct horse battery"
SATCHEL = pathlib.Path.cwd() / "satchel"
ROW = 640  # bytes, so that a page holds six


class Run:
    """What one command took."""

    def __init__(self, args, env=None, cwd=None, shell=False, stdin=None):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        start = time.monotonic()
        child = subprocess.Popen(args, env={**os.environ, **(env or {})},
                                 cwd=cwd, shell=shell, stdin=stdin,
                                 stdout=subprocess.PIPE,
                                 stderr=subprocess.PIPE)
        out, err = child.stdout.read(), child.stderr.read()
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        self.seconds = time.monotonic() - start
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        self.cpu = (after.ru_utime - before.ru_utime +
                    after.ru_stime - before.ru_stime)
        self.memory = usage.ru_maxrss * 1024
        self.out = out.decode()
        if child.returncode != 0:
            sys.exit(f"{args}: {err.decode()}")


def report(name, value, unit, reference=None, aim=None, at_most=True):
    ratio = value / reference if reference else None
    measure = ratio if reference else value
    met = None if aim is None else (measure <= aim if at_most
                                    else measure >= aim)
    print(json.dumps({"name": name, "value": value, "unit": unit,
                      "reference": reference, "ratio": ratio, "aim": aim,
                      "met": met}), flush=True)


def size_of(folder):
    return sum(p.stat().st_size for p in folder.rglob("*") if p.is_file())


def make_media(folder):
    """Files as cameras and recorders make them: next to random."""
    folder.mkdir()
    chance = random.Random(1)
    left, i = SIZE, 0
    while left > 0:
        size = min(left, chance.randrange(200_000, 4_000_000))
        (folder / f"{i:04}.jpg").write_bytes(chance.randbytes(size))
        left, i = left - size, i + 1


def make_rows(path):
    words = [f"{w}{n}" for n in range(40) for w in (
        "call", "ring", "voice", "mail", "text", "loan", "paid", "note", "due",
        "bank", "home", "work", "left", "late", "told", "will", "back", "when")]
    chance = random.Random(2)
    db = sqlite3.connect(path)
    db.executescript("PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF;"
                     "CREATE TABLE message (id INTEGER PRIMARY KEY,"
                     " sender TEXT, sent INTEGER, body TEXT)")

    def rows():
        for i in range(SIZE // ROW):
            body = " ".join(chance.choices(words, k=90))
            yield (i + 1, chance.randbytes(16).hex(),
                   1700000000 + chance.randrange(10 ** 7), body[:520])
    with db:
        db.executemany("INSERT INTO message VALUES (?, ?, ?, ?)", rows())
    db.close()


CHANGE = ("UPDATE message SET body = substr(body, 1, 500) || id"
          " WHERE (id * 2654435761) % 100000 < 1000")


class Satchel:
    name = "satchel"

    def __init__(self, folder, media, rows):
        self.folder = folder
        self.home, self.place = folder / "profile", folder / "place"
        password = folder / "password"
        password.write_text(PASSWORD + "\n")
        self.env = {"SATCHEL_PASSWORD_FILE": str(password)}
        made = json.loads(self.run("init", "--json", "--import", rows).out)
        (folder / "phrase").write_text(made["recovery_phrase"] + "\n")
        # The password's check takes memory of its own; whoever keeps the
        # profile unlocked, as the daily backup does, has none of it.
        try:
            self.run("unlock")
            self.env = {}
        except SystemExit:
            print("no keychain: memory includes the password's check",
                  file=sys.stderr)
        self.run("files", "add", *sorted(media.iterdir()))

    def run(self, *args):
        return Run([str(SATCHEL), "--profile", str(self.home),
                    *map(str, args)], env=self.env)

    def back_up(self):
        run = self.run("backup", "now", "--to", f"{self.place}/", "--json")
        self.uploaded = json.loads(run.out)["size_uploaded"]
        return run

    def change(self):
        self.run("sql", CHANGE)

    def restore(self):
        return self.run("backup", "restore", "--from", f"{self.place}/",
                        "--phrase-file", self.folder / "phrase")


class Plain:
    """Content as the others are given it, in a folder."""

    def __init__(self, folder, media, rows):
        self.folder, self.content = folder, folder / "content"
        self.content.mkdir()
        os.rename(shutil.copytree(media, folder / "m"), self.content / "media")
        shutil.copy(rows, self.content / "rows.db")
        self.place = folder / "place"
        self.start()

    def change(self):
        db = sqlite3.connect(self.content / "rows.db")
        with db:
            db.execute(CHANGE)
        db.close()

    def back_up(self):
        before = size_of(self.place)
        run = self.make()
        self.uploaded = size_of(self.place) - before
        return run


class Restic(Plain):
    name = "restic"
    env = {"RESTIC_PASSWORD": PASSWORD}

    def start(self):
        self.env = {**self.env, "XDG_CACHE_HOME": str(self.folder / "cache")}
        self.run("init")

    def run(self, *args):
        return Run(["restic", "-q", "-r", str(self.place), *args],
                   env=self.env)

    def make(self):
        return self.run("backup", str(self.content))

    def restore(self):
        return self.run("restore", "latest", "--target",
                        str(self.folder / "out"))


class Borg(Plain):
    name = "borg"

    def start(self):
        self.env = {"BORG_PASSPHRASE": PASSWORD,
                    "BORG_BASE_DIR": str(self.folder / "borg"),
                    "BORG_RELOCATED_REPO_ACCESS_IS_OK": "yes"}
        self.count = 0
        self.run("init", "-e", "repokey-blake2", str(self.place))

    def run(self, *args, cwd=None):
        return Run(["borg", *args], env=self.env, cwd=cwd)

    def make(self):
        self.count += 1
        return self.run("create", "-C", "zstd,3", f"{self.place}::{self.count}",
                        str(self.content))

    def restore(self):
        out = self.folder / "out"
        out.mkdir()
        return self.run("extract", f"{self.place}::{self.count}", cwd=out)


def measure(kind, folder, media, rows):
    folder.mkdir()
    tool = kind(folder, media, rows)
    runs = {"first": tool.back_up()}
    sizes = {"first": size_of(tool.place)}
    runs["unchanged"] = tool.back_up()
    tool.change()
    runs["1 % changed"] = tool.back_up()
    sizes["1 % changed"] = tool.uploaded
    runs["restore"] = tool.restore()
    shutil.rmtree(folder)
    return runs, sizes


def pipe(folder, media, rows):
    key = folder / "age.key"
    subprocess.run(["age-keygen", "-o", key], check=True, capture_output=True)
    recipient = [line for line in key.read_text().splitlines()
                 if "public key" in line][0].split()[-1]
    run = Run(f"tar -cf - '{media}' '{rows}' | zstd -3 -T2 -q |"
              f" age -r {recipient} > '{folder}/pipe.age'", shell=True)
    (folder / "pipe.age").unlink()
    return run


def main():
    there = {kind.name: shutil.which(kind.name) for kind in (Restic, Borg)}
    with tempfile.TemporaryDirectory(prefix="satchel-bench-",
                                     dir=os.environ.get("TMPDIR")) as name:
        folder = pathlib.Path(name)
        media, rows = folder / "media", folder / "rows.db"
        make_media(media)
        make_rows(rows)
        ours, our_sizes = measure(Satchel, folder / "s", media, rows)
        results = {kind.name: measure(kind, folder / kind.name, media, rows)
                   for kind in (Restic, Borg) if there[kind.name]}
        for step, run in ours.items():
            for other, (theirs, _) in results.items():
                report(f"backup, {step}, against {other}", run.seconds, "s",
                       theirs[step].seconds, 1)
                report(f"backup, {step}, processor, against {other}", run.cpu,
                       "s", theirs[step].cpu)
        if shutil.which("age"):
            report("backup, first, against tar, zstd and age",
                   ours["first"].seconds, "s",
                   pipe(folder, media, rows).seconds, 1)
        if "restic" in results:
            sizes = results["restic"][1]
            report("backup, size of the first, against restic",
                   our_sizes["first"] / 1e6, "MB", sizes["first"] / 1e6, 1.03)
            report("backup, sent after 1 % changed, against restic",
                   our_sizes["1 % changed"] / 1e6, "MB",
                   sizes["1 % changed"] / 1e6, 0.2)
        report("backup, memory", max(run.memory for run in ours.values()) / 1e6,
               "MB", aim=32)


if __name__ == "__main__":
    main()
