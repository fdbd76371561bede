"""satchel sql: values exactly, scripts, a shell."""
import json
import unittest

from program import Case, run_on_terminal


class Sql(Case):
    def setUp(self):
        super().setUp()
        self.laptop = self.device("laptop").unlock()

    def test_values_are_printed_exactly(self):
        values = {
            "NULL": "", "1": "1", "-9223372036854775808": "-9223372036854775808",
            "9223372036854775807": "9223372036854775807", "1.0": "1.0",
            "0.1": "0.1", "0.1 + 0.2": "0.30000000000000004", "-1e-300 * 1e-300": "-0.0",
            "1e300": "1e+300", "9e999": "9e999", "-9e999": "-9e999",
            "'a|b'": "a|b", "'Ärzte ⚡'": "Ärzte ⚡", "x'00ff'": "X'00ff'",
            "x''": "X''", "5e-324": "4.94065645841247e-324"}
        for literal, shown in values.items():
            with self.subTest(literal=literal):
                printed = self.laptop.ok("sql", f"SELECT {literal}")
                self.assertEqual(shown + "\n", printed)

    def test_columns_are_separated_by_bars(self):
        self.assertEqual("1|a||2.5\n",
                         self.laptop.ok("sql", "SELECT 1, 'a', NULL, 2.5"))

    def test_json_is_an_array_of_objects(self):
        rows = self.laptop.sql("SELECT 1 AS one, 'zwei' AS two, NULL AS none, "
                               "9007199254740993 AS big, x'00ff' AS blob "
                               "UNION ALL SELECT 2, 'a\"b', 0.5, 0, 0")
        self.assertEqual(2, len(rows))
        self.assertEqual(9007199254740993, rows[0]["big"])
        self.assertEqual({"$blob": "00ff"}, rows[0]["blob"])
        self.assertEqual({"one": 2, "two": 'a"b', "none": 0.5, "big": 0,
                          "blob": 0}, rows[1])

    def test_json_of_nothing_is_an_empty_array(self):
        self.assertEqual([], self.laptop.sql("SELECT 1 WHERE 0"))
        self.assertEqual([], self.laptop.sql("CREATE TABLE t(a)"))

    def test_json_of_several_statements_is_one_line_each(self):
        out = self.laptop.ok("--json", "sql", "SELECT 1 AS a; SELECT 2 AS a")
        self.assertEqual([[{"a": 1}], [{"a": 2}]],
                         [json.loads(line) for line in out.splitlines()])

    def test_csv_tells_null_from_empty_text(self):
        out = self.laptop.ok("sql", "--csv", "SELECT NULL AS n, '' AS e, "
                             "'a,\"b\"' AS q, 1 AS i")
        self.assertEqual('n,e,q,i\n,"","a,""b""",1\n', out)

    def test_statements_come_from_stdin(self):
        out = self.laptop.ok("sql", stdin="""
            CREATE TABLE t(a TEXT); -- a comment; with a semicolon
            INSERT INTO t VALUES('one;
            two');
            CREATE TRIGGER r AFTER INSERT ON t BEGIN
              UPDATE t SET a = upper(a);
            END;
            INSERT INTO t VALUES('three');
            SELECT group_concat(a, '+') FROM t
            """)
        self.assertIn("THREE", out)

    def test_a_script_stops_at_its_first_mistake_and_names_the_line(self):
        result = self.laptop.run("sql", stdin="CREATE TABLE t(a);\n"
                                 "INSERT INTO nowhere VALUES(1);\n"
                                 "INSERT INTO t VALUES(1);\n")
        self.assert_fails(result, 1, "line 2", "nowhere")
        self.assertEqual([], self.laptop.sql("SELECT * FROM t"))

    def test_an_unknown_table_is_a_failure(self):
        self.assert_fails(self.laptop.run("sql", "SELECT * FROM nowhere"), 1,
                          "nowhere")

    def test_a_constraint_is_a_failure(self):
        self.laptop.ok("sql", "CREATE TABLE p(a PRIMARY KEY); "
                              "INSERT INTO p VALUES(1)")
        self.assert_fails(self.laptop.run("sql", "INSERT INTO p VALUES(1)"), 1,
                          "UNIQUE")

    def test_foreign_keys_are_kept(self):
        self.laptop.ok("sql", "CREATE TABLE p(a PRIMARY KEY); "
                              "CREATE TABLE c(a REFERENCES p)")
        self.assert_fails(self.laptop.run("sql", "INSERT INTO c VALUES(1)"), 1,
                          "FOREIGN KEY")

    def test_a_transaction_left_open_is_undone_and_told(self):
        result = self.laptop.run("sql", "CREATE TABLE u(a); BEGIN; "
                                        "INSERT INTO u VALUES(1)")
        self.assert_fails(result, 1, "not committed")
        self.assertEqual([], self.laptop.sql("SELECT * FROM u"))

    def test_on_a_terminal_it_is_a_shell(self):
        code, screen = run_on_terminal(
            [*self.laptop.who(), "sql"],
            [("main> ", "CREATE TABLE t(name, n);\n"),
             ("main> ", "INSERT INTO t\n"), ("...> ", "VALUES('x', 1);\n"),
             ("main> ", "SELECT * FROM t;\n"), ("main> ", "SELEC;\n"),
             ("main> ", ".tables\n"), ("main> ", ".schema t\n"),
             ("main> ", ".quit\n")], env={"TERM": "dumb"})
        self.assertEqual(0, code, screen)
        self.assertRegex(screen, r"name +n\r\nx +1")
        self.assertIn("syntax error", screen)
        self.assertIn("CREATE TABLE t(name, n);", screen)

    def test_no_history_is_kept(self):
        run_on_terminal(
            [*self.laptop.who(), "sql"],
            [("main> ", "SELECT 'very-secret-word';\n"), ("main> ", "\x04")],
            env={"TERM": "dumb", "HOME": str(self.folder)})
        for path in self.folder.rglob("*"):
            if path.is_file():
                self.assertNotIn(b"very-secret-word", path.read_bytes(), path)


if __name__ == "__main__":
    unittest.main()
