"""How the command line is read, and what help says."""
import json
import re
import subprocess
import unittest

from program import SATCHEL, Case, run


class CommandLine(Case):
    def test_a_version_is_printed(self):
        result = run("--version")
        self.assertEqual(0, result.code)
        self.assertRegex(result.out, r"^satchel \d+\.\d+\.\d+\n$")

    def test_nothing_at_all_is_misuse(self):
        self.assert_fails(run(), 2, "a command is missing", "satchel help")

    def test_a_misspelled_command_is_named_with_its_neighbour(self):
        self.assert_fails(run("hlep"), 2, "'hlep'", "'satchel help'")

    def test_an_option_without_its_value_is_misuse(self):
        self.assert_fails(run("help", "--vault"), 2, "--vault", "value")

    def test_an_unknown_option_is_misuse(self):
        self.assert_fails(run("help", "--loud"), 2, "--loud")

    def test_too_many_operands_are_misuse(self):
        self.assert_fails(run("help", "a", "b", "c"), 2, "'c'")

    def test_options_may_stand_before_and_after_the_command(self):
        before = run("--json", "help", "nonsense")
        after = run("help", "nonsense", "--json")
        self.assertEqual(before.error(), after.error())
        self.assertEqual("invalid", after.error()["code"])

    def test_a_misread_line_still_fails_as_json(self):
        result = run("--json", "nonsense", "--loud")
        self.assertEqual(2, result.code)
        self.assertIn("nonsense", result.error()["message"])

    def test_a_full_disk_is_noticed(self):
        with open("/dev/full", "w") as full:
            done = subprocess.run([SATCHEL, "help"], stdout=full,
                                  stderr=subprocess.PIPE, text=True)
        self.assertEqual(1, done.returncode)
        self.assertIn("No space left", done.stderr)


class Help(Case):
    def commands(self):
        tables = run("help").out.split("Options of every command:")[0]
        return [name.strip() for name in
                re.findall(r"^  ((?:[a-z-]+ ?)+)", tables, re.M)]

    def test_every_command_has_help_of_its_own(self):
        for command in self.commands():
            result = run("help", *command.split())
            self.assertEqual(0, result.code)
            self.assertTrue(result.out.startswith(f"usage: satchel {command}"))
            self.assertEqual(result.out, run(*command.split(), "--help").out)

    def test_help_fits_a_terminal_of_100_columns(self):
        for command in self.commands():
            for line in run("help", *command.split()).out.splitlines():
                self.assertLessEqual(len(line), 100, line)

    def test_the_manual_names_every_command(self):
        manual = run("help", "--man").out.replace("\\-", "-")
        for command in self.commands():
            self.assertIn(f".SS satchel {command}", manual)

    def test_the_completions_are_scripts_of_their_shells(self):
        for shell in ("bash", "zsh", "fish"):
            script = run("help", "--completion", shell).out
            for command in self.commands():
                for word in command.split():
                    self.assertIn(word, script)
        bash = run("help", "--completion", "bash").out
        checked = subprocess.run(["bash", "-n"], input=bash, text=True)
        self.assertEqual(0, checked.returncode)

    def test_bash_completes_commands_and_options(self):
        def complete(*words):
            script = run("help", "--completion", "bash").out + f"""
                COMP_WORDS=({' '.join(json.dumps(w) for w in words)})
                COMP_CWORD={len(words) - 1}
                _satchel
                echo "${{COMPREPLY[@]}}" """
            return subprocess.run(["bash", "-c", script], text=True,
                                  capture_output=True).stdout.split()
        self.assertEqual(["help"], complete("satchel", "hel"))
        self.assertIn("--json", complete("satchel", "help", "--"))
        self.assertIn("--man", complete("satchel", "help", "--"))
        self.assertEqual(["help"],
                         complete("satchel", "--vault", "x", "hel"))


if __name__ == "__main__":
    unittest.main()
