"""One account for a device, whether it meets others directly or at a hub."""
import shutil
import unittest

from devices_test import Server
from hub_test import EMAIL, Hub
from program import PASSWORD, Case


class OneAccount(Case):
    def setUp(self):
        super().setUp()
        self.laptop = self.device("laptop")
        self.phone = self.device("phone")
        self.hub = Hub(self, self.folder / "hub")

    def meet(self):
        self.server = Server(self.laptop)
        self.phone.ok("join", self.server.address, "--yes")
        self.laptop.ok("device", "authorize", self.phone.genesis["device_id"])
        self.phone.ok("sync", self.server.address)

    def register(self):
        self.laptop.ok("account", "register", "--hub", self.hub.url,
                       "--email", EMAIL)

    def login(self, device):
        key = self.folder / "secret-key"
        key.write_text(self.laptop.ok("account", "show", "--secret-key"))
        device.genesis = device.json(
            "account", "login", "--hub", self.hub.url, "--email", EMAIL,
            "--name", device.name, "--secret-key-file", key)
        return device

    def shown(self, device):
        account = device.json("account", "show")
        return account["account_id"], account["devices"]

    def test_who_was_revoked_comes_back_by_the_hub(self):
        self.laptop.ok("sql", "CREATE TABLE notes(id TEXT PRIMARY KEY, body); "
                              "INSERT INTO notes VALUES('a', 'one')")
        self.laptop.ok("track", "notes")
        self.register()
        tablet = self.login(self.device("tablet", init=False))
        self.laptop.ok("sync", "hub")
        tablet.ok("sync", "hub")
        former = tablet.json("device", "show")["device_id"]
        self.laptop.ok("device", "revoke", former)
        self.laptop.ok("sync", "hub")
        tablet.ok("sql", "INSERT INTO notes VALUES('b', 'not sent')")
        self.assertNotEqual(0, tablet.run("sync", "hub").code)
        tablet.ok("device", "renew", "--yes")
        self.assertNotEqual(former,
                            tablet.json("device", "show")["device_id"])
        self.login(tablet)
        for device in (tablet, self.laptop, tablet):
            device.ok("sync", "hub")
        for device in (self.laptop, tablet):
            self.assertEqual(["one", "not sent"], [
                row["body"] for row in device.sql(
                    "SELECT body FROM notes ORDER BY id")])

    def test_devices_that_met_are_one_account_at_the_hub(self):
        self.meet()
        self.register()
        self.login(self.phone)
        self.assertEqual(self.shown(self.laptop), self.shown(self.phone))
        self.assertEqual(2, self.shown(self.phone)[1])

    def test_a_device_that_came_by_the_hub_meets_the_others_directly(self):
        self.laptop.ok("sql", "CREATE TABLE notes(id TEXT PRIMARY KEY, body); "
                              "INSERT INTO notes VALUES('a', 'one')")
        self.laptop.ok("track", "notes")
        self.register()
        tablet = self.login(self.device("tablet", init=False))
        self.laptop.ok("sync", "hub")
        self.hub.stop()
        server = Server(self.laptop)
        self.laptop.ok("sql", "UPDATE notes SET body = 'two'")
        tablet.ok("join", server.address, "--yes")
        tablet.ok("sync", server.address)
        self.assertEqual([{"body": "two"}],
                         tablet.sql("SELECT body FROM notes"))

    def test_who_was_revoked_directly_is_so_at_the_hub(self):
        self.meet()
        self.register()
        self.login(self.phone)
        self.laptop.ok("device", "revoke", self.phone.genesis["device_id"])
        self.laptop.ok("sync", "hub")
        self.assertNotEqual(0, self.phone.run("sync", "hub").code)
        self.assertEqual(1, self.shown(self.laptop)[1])

    def test_a_device_restored_by_the_phrase_goes_on_with_the_vaults(self):
        self.meet()
        self.laptop.ok("sql", "CREATE TABLE notes(id TEXT PRIMARY KEY, body); "
                              "INSERT INTO notes VALUES('a', 'one')")
        self.laptop.ok("track", "notes")
        place = self.folder / "backups.satchel"
        self.laptop.ok("backup", "now", "--to", place)
        phrase = self.folder / "phrase"
        phrase.write_text(self.laptop.genesis["recovery_phrase"])
        again = self.device("again", init=False)
        again.ok("backup", "restore", "--from", place, "--phrase-file", phrase,
                 "--name", "again")
        again.ok("account", "register", "--hub", self.hub.url,
                 "--email", EMAIL)
        again.ok("sync", "hub")
        again.ok("device", "revoke", self.laptop.genesis["device_id"])
        again.ok("sync", "hub")
        again.ok("sql", "UPDATE notes SET body = 'two'")
        again.ok("sync", "hub")

    def test_a_revocation_renews_the_master_key_on_every_device(self):
        self.register()
        tablet = self.login(self.device("tablet", init=False))
        lost = self.login(self.device("lost", init=False))
        self.laptop.ok("sync", "hub")
        keys = tablet.home / "keys.cbor"
        before = keys.read_bytes()
        self.laptop.ok("device", "revoke", lost.genesis["device_id"])
        self.laptop.ok("sync", "hub")
        tablet.ok("sync", "hub")
        self.assertNotEqual(before, keys.read_bytes())
        for device in (self.laptop, tablet):
            device.ok("vault", "create", "more")
        phrase = self.folder / "phrase"
        phrase.write_text(self.laptop.genesis["recovery_phrase"])
        self.laptop.ok("phrase", "check", "--phrase-file", phrase)
        self.login(self.device("late", init=False))

    def test_a_chain_that_was_put_back_is_noticed(self):
        self.meet()
        self.server.stop()
        database = self.laptop.home / "vaults" / "account.db"
        shutil.copy(database, self.folder / "earlier.db")
        self.laptop.ok("device", "revoke", self.phone.genesis["device_id"])
        for suffix in ("-wal", "-shm"):
            left = database.with_name(database.name + suffix)
            if left.exists():
                left.unlink()
        shutil.copy(self.folder / "earlier.db", database)
        self.assert_fails(self.laptop.run("device", "list"), 3, "put back")


class OwnVault(Case):
    """What a person's devices share beside the vaults, without a hub."""

    def setUp(self):
        super().setUp()
        self.laptop = self.device("laptop")
        self.phone = self.device("phone")
        self.server = Server(self.laptop)
        self.phone.ok("join", self.server.address, "--yes")

    def sync(self):
        return self.phone.json("sync", self.server.address)

    def test_settings_and_codes_go_from_device_to_device(self):
        self.laptop.ok("settings", "set", "ui.theme", '"dark"')
        self.laptop.ok("mfa", "add", "example", "--secret", "-",
                       stdin="JBSWY3DPEHPK3PXP")
        self.laptop.ok("device", "authorize", self.phone.genesis["device_id"])
        report = self.sync()
        self.assertEqual(0, report["conflicts"])
        self.assertIn("dark", self.phone.ok("settings", "get", "ui.theme"))
        self.assertIn("example", self.phone.ok("mfa", "list"))
        self.phone.ok("settings", "set", "ui.theme", '"light"')
        self.sync()
        self.assertIn("light", self.laptop.ok("settings", "get", "ui.theme"))

    def test_who_was_not_let_in_gets_none_of_it(self):
        self.laptop.ok("settings", "set", "ui.theme", '"dark"')
        self.assertEqual(4, self.phone.run("sync", self.server.address).code)
        self.assertNotIn("dark",
                         self.phone.run("settings", "get", "ui.theme").out)


if __name__ == "__main__":
    unittest.main()
