// The page where there is a hub: vaults and sharing between two people, and everything to a new
// device by a code.

import assert from "node:assert/strict";
import {join} from "node:path";
import {after, before, beforeEach, test} from "node:test";
import {World, go, serious, shot, until} from "./browser.mjs";

let world, hub, ada, bob, page, other;

before(async () => {
  world = await World.make();
  hub = await world.hub();
  ada = world.device("ada");
  bob = world.device("bob");
  ada.ok("account", "register", "--hub", hub.url, "--email", "ada@example.org");
  bob.ok("account", "register", "--hub", hub.url, "--email", "bob@example.org");
  ada.ok("vault", "create", "plans");
  ada.ok("sync", "hub");
  await ada.agent();
  await bob.agent();
  page = await world.open(ada);
  other = await world.open(bob);
});

after(() => world?.close());

beforeEach(() => page.evaluate(() => document.querySelectorAll("dialog").forEach((d) => d.close())));

const dialogButton = (window, name) => window.getByRole("dialog").getByRole("button", {name}).click();

test("vaults are made, renamed and deleted", async () => {
  await go(page, "Vaults");
  for (const name of ["notes", "scratch"]) {
    await page.getByLabel("A new vault").fill(name);
    await page.getByRole("button", {name: "Create"}).click();
    await page.getByRole("region", {name, exact: true}).waitFor();
  }
  await page.getByRole("button", {name: "Rename scratch"}).click();
  await page.getByLabel("Its name on this device").fill("drafts");
  await dialogButton(page, "Rename");
  await page.getByRole("region", {name: "drafts"}).waitFor();
  await page.getByRole("button", {name: "Delete drafts"}).click();
  await dialogButton(page, "Delete");
  await page.getByRole("region", {name: "drafts"}).waitFor({state: "detached"});
  assert.deepEqual(ada.json("vault", "list").map((v) => v.name), ["account", "main", "notes", "plans"]);
});

test("items are written, edited, seen through time and deleted", async () => {
  await go(page, "Vaults");
  await page.getByRole("button", {name: "Items of plans"}).click();
  const items = page.getByRole("region", {name: "Items", exact: true});
  const write = async (button, id, value) => {
    await items.getByRole("button", {name: button}).click();
    const box = page.getByRole("dialog");
    if (id) await box.getByLabel("Id").fill(id);
    await box.getByLabel("Value, as JSON").fill(value);
    await box.getByRole("button", {name: "Write"}).click();
  };
  await write("New item", "trip", "not json");
  await page.locator("#said").getByText("not JSON").waitFor();
  await page.keyboard.press("Escape");
  await write("New item", "trip", '{"to":"Brno"}');
  await items.getByText('{"to":"Brno"}').waitFor();
  await write("Edit trip", null, '{"to":"Praha"}');
  await items.getByText('{"to":"Praha"}').waitFor();
  assert.deepEqual(ada.json("--vault", "plans", "item", "get", "trip"), {to: "Praha"});
  await items.getByRole("button", {name: "History of trip"}).click();
  await page.getByRole("dialog").getByRole("button", {name: "Revert to this"}).click();
  await items.getByText('{"to":"Brno"}').waitFor();
  await shot(page, "vaults");
  assert.deepEqual(await serious(page), []);
  await write("New item", "gone", "1");
  await items.getByRole("button", {name: "Delete gone"}).click();
  await dialogButton(page, "Delete");
  await items.getByText("gone").waitFor({state: "detached"});
});

test("a vault is shared after both have compared the safety number, and taken back", async () => {
  await go(page, "Vaults");
  const shares = page.getByRole("region", {name: "Sharing", exact: true});
  await shares.getByLabel("Vault").selectOption("plans");
  await shares.getByLabel("E-mail of their account").fill("bob@example.org");
  await shares.getByRole("button", {name: "Invite"}).click();
  await shares.getByRole("cell", {name: "invited"}).waitFor();
  await go(other, "Vaults");
  const theirs = other.getByRole("region", {name: "Sharing", exact: true});
  await until("the invitation comes", async () => {
    await go(other, "Overview");
    await go(other, "Vaults");
    return theirs.getByRole("button", {name: "Accept"}).waitFor({timeout: 1500}).then(() => true, () => false);
  }, 30000);
  await theirs.getByRole("button", {name: "Accept"}).click();
  const shown = await other.getByRole("dialog").locator(".mono").textContent();
  await other.getByLabel("What it is called here").fill("adas");
  await shot(other, "share-accept");
  await dialogButton(other, "Accept");
  await until("the acceptance comes", async () => {
    await go(page, "Overview");
    await go(page, "Vaults");
    return shares.getByRole("button", {name: "Confirm"}).waitFor({timeout: 1500}).then(() => true, () => false);
  }, 30000);
  await shares.getByRole("button", {name: "Confirm"}).click();
  const box = page.getByRole("dialog");
  assert.equal(await box.locator(".mono").textContent(), shown);
  await shot(page, "share-confirm");
  assert.deepEqual(await serious(page), []);
  await box.getByRole("button", {name: "It is the same"}).click();
  await until("bob has it", () => {
    bob.ok("sync", "hub");
    return bob.json("vault", "list").some((v) => v.name === "adas")
      && JSON.stringify(bob.json("--vault", "adas", "item", "get", "trip")) === '{"to":"Brno"}';
  }, 30000);
  const may = page.getByLabel("What bob@example.org may do in plans");
  await may.selectOption("read");
  await page.locator("#said").getByText("Changed.").waitFor();
  await until("the role is another", () => ada.json("share", "list")[0].role === "read");
  await shares.getByRole("button", {name: "Revoke"}).click();
  await dialogButton(page, "Revoke");
  await until("it is taken back", () => ada.json("share", "list").length === 0);
});

test("a code is shown, read from its picture at a new device, and everything is there", async () => {
  const phone = world.device("phone", false);
  const fresh = await world.window(await phone.welcome(), {viewport: {width: 390, height: 800}});
  await fresh.getByRole("heading", {name: "Welcome to Satchel"}).waitFor();
  await fresh.getByRole("button", {name: "Receive"}).waitFor();
  assert.deepEqual(await serious(fresh), []);
  await shot(fresh, "welcome");
  await go(page, "Transfer");
  await page.getByRole("button", {name: "Show the code"}).click();
  const code = page.getByRole("img", {name: "QR code of the transfer"});
  await code.waitFor({timeout: 60000});
  await page.getByText(/A fresh code in (10|9):/).waitFor();
  await shot(page, "transfer-code");
  assert.deepEqual(await serious(page), []);
  const picture = join(world.folder, "code.png");
  await code.screenshot({path: picture});
  await fresh.getByLabel("or an image of it").setInputFiles(picture);
  await until("the picture is read", async () => (await fresh.getByLabel("or the code as text").inputValue()).startsWith("SATCHEL:"));
  await fresh.getByLabel("Name of this device").fill("phone");
  await fresh.getByLabel("A password for this device").fill("correct horse battery");
  await fresh.getByLabel("The same password again").fill("something else");
  await fresh.getByRole("button", {name: "Receive"}).click();
  await fresh.locator("#said").getByText("differ").waitFor();
  await fresh.getByLabel("The same password again").fill("correct horse battery");
  await fresh.getByRole("button", {name: "Receive"}).click();
  const big = fresh.locator(".big");
  await big.waitFor({timeout: 60000});
  await shot(fresh, "welcome-digits");
  const digits = page.getByLabel("Six digits that phone shows");
  await digits.waitFor();
  await shot(page, "transfer-digits");
  assert.deepEqual(await serious(page), []);
  await digits.fill(await big.textContent());
  await page.getByRole("button", {name: "Release"}).click();
  await fresh.getByRole("heading", {name: "Overview"}).waitFor({timeout: 60000});
  await fresh.locator("#device", {hasText: "phone"}).waitFor();
  await page.locator(".good", {hasText: "Everything is on the new device."}).first().waitFor({timeout: 60000});
  await shot(page, "transfer-done");
  assert.deepEqual(phone.json("--vault", "plans", "item", "get", "trip"), {to: "Brno"});
  await fresh.context().close();
});

test("other digits release nothing, and the page says so", async () => {
  const thief = world.device("thief", false);
  const fresh = await world.window(await thief.welcome());
  await page.getByRole("button", {name: "Show the code"}).click();
  await page.getByText("The same as text").click({timeout: 60000});
  const code = await page.locator("details .mono").textContent();
  await fresh.getByLabel("or the code as text").fill(code);
  await fresh.getByLabel("A password for this device").fill("correct horse battery");
  await fresh.getByLabel("The same password again").fill("correct horse battery");
  await fresh.getByRole("button", {name: "Receive"}).click();
  const shown = (await fresh.locator(".big").textContent({timeout: 60000})).replace(" ", "");
  await page.getByLabel(/Six digits that/).fill(String((Number(shown) + 1) % 1000000).padStart(6, "0"));
  await page.getByRole("button", {name: "Release"}).click();
  await page.getByText(/nothing was released/).waitFor();
  await fresh.getByText(/used, replaced by a fresh one, cancelled/).waitFor({timeout: 30000});
  await shot(page, "transfer-wrong-digits");
  await shot(fresh, "welcome-refused");
  await fresh.context().close();
});

test("a transfer is cancelled on the page", async () => {
  await page.getByRole("button", {name: "Show the code"}).click();
  await page.getByRole("img", {name: "QR code of the transfer"}).waitFor({timeout: 60000});
  await page.getByRole("button", {name: "Cancel the transfer"}).click();
  await dialogButton(page, "End it");
  await page.getByRole("button", {name: "Show the code"}).waitFor({timeout: 30000});
  assert.equal(ada.json("transfer", "status").state, "LocalOnly");
});

test("nothing was complained of", () => {
  assert.deepEqual([...page.complaints, ...other.complaints].filter((c) => !/40[0349]|503/.test(c)), []);
});
