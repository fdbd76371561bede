// The page, in a real browser, on two devices.

import assert from "node:assert/strict";
import {spawnSync} from "node:child_process";
import {join} from "node:path";
import {after, before, beforeEach, test} from "node:test";
import {World, go, serious, shot, until} from "./browser.mjs";

const SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP";
let world, laptop, phone, page;

before(async () => {
  world = await World.make();
  laptop = world.device("laptop");
  phone = world.device("phone");
  laptop.ok("sql", "CREATE TABLE notes(id TEXT PRIMARY KEY, body); "
    + "INSERT INTO notes VALUES('a','one'),('b','two'),('c','three')");
  laptop.ok("track", "notes");
  await laptop.agent();
  page = await world.open(laptop);
});

after(() => world?.close());

// What one test left open is not in the way of the next.
beforeEach(() => page.evaluate(() => document.querySelectorAll("dialog").forEach((d) => d.close())));

test("the token leaves the address, and is good once", async () => {
  assert.equal(new URL(page.url()).hash, "#overview");
  const used = laptop.url();
  await (await world.open(laptop)).close();
  const late = await (await world.browser.newContext()).newPage();
  await late.goto(used);
  await late.getByRole("heading", {name: "This page is closed"}).waitFor();
  await late.close();
});

test("the overview says who this is, first paints soon, and asks nobody else", async () => {
  await page.getByRole("status").getByText("Ready").waitFor();
  await page.getByText("Syncs every 30 s").waitFor();
  await shot(page, "overview");
  await page.reload();
  await page.getByText("Syncs every 30 s").waitFor();
  const paint = await page.evaluate(() => performance.getEntriesByName("first-contentful-paint")[0].startTime);
  assert.ok(paint < 1000, `first paint after ${paint} ms`);
  console.log(`# first paint ${Math.round(paint)} ms`);
  const size = await page.evaluate(() => performance.getEntriesByType("resource")
    .filter((r) => !r.name.includes("/api/")).reduce((sum, r) => sum + r.decodedBodySize, 0));
  console.log(`# page ${size} bytes`);
  assert.ok(size < 150000);
  const origin = new URL(page.url()).origin;
  for (const r of page.requests) assert.equal(new URL(r.url()).origin, origin);
});

test("a device is authorised on the page, and what follows is shown by itself", async () => {
  await go(page, "Devices");
  await page.getByText("No other device is known yet.").waitFor();
  phone.ok("join", laptop.address, "--yes");
  const card = page.getByRole("region", {name: "phone"});
  await card.getByText("Waits to be authorised").waitFor();
  const shown = phone.json("device", "show").fingerprint;
  await card.getByText(shown).waitFor();
  await shot(page, "devices");
  await card.getByRole("button", {name: "Authorise"}).click();
  await card.getByText("Authorised").waitFor();
  assert.equal(phone.json("sync").pulled, 3);
});

test("a device gets another name", async () => {
  await go(page, "Devices");
  await page.getByLabel("Name of this device").fill("big laptop");
  await page.getByRole("button", {name: "Rename"}).click();
  await until("it is renamed", () => laptop.json("status").device_name === "big laptop");
  await page.locator("#device", {hasText: "big laptop"}).waitFor();
});

function collide(laptops, phones) {
  for (const [device, word] of [[laptop, laptops], [phone, phones]])
    device.ok("sql", `UPDATE notes SET body = '${word} ' || id`);
  phone.ok("sync");
}

test("conflicts are decided side by side: local, remote, a value of one's own", async () => {
  await go(page, "Conflicts");
  await page.getByText("Nothing to decide.").waitFor();
  collide("by laptop", "by phone");
  await page.getByText("3 to decide").waitFor();
  await shot(page, "conflicts");
  const decide = async (id, how) => {
    await page.getByRole("button", {name: new RegExp(`notes ${id}`)}).click();
    const box = page.getByRole("dialog");
    await box.getByRole("region", {name: "local"}).getByText(`by laptop ${id}`).waitFor();
    await box.getByRole("region", {name: "remote"}).getByText(`by phone ${id}`).waitFor();
    await box.getByRole("region", {name: "remote"}).getByText("phone", {exact: true}).waitFor();
    await how(box);
    await box.waitFor({state: "detached"});
  };
  await decide("a", async (box) => {
    await shot(page, "conflict");
    assert.deepEqual(await serious(page), []);
    await box.getByRole("button", {name: "Keep local"}).click();
  });
  await decide("b", (box) => box.getByRole("button", {name: "Keep remote"}).click());
  await decide("c", async (box) => {
    await box.getByLabel("Or a value of your own").fill('"both"');
    await box.getByRole("button", {name: "Write own value"}).click();
  });
  await page.getByText("Nothing to decide.").waitFor();
  phone.ok("sync");
  for (const device of [laptop, phone]) {
    assert.deepEqual(device.json("sql", "SELECT body FROM notes ORDER BY id").map((r) => r.body),
      ["by laptop a", "by phone b", "both"]);
    assert.equal(device.json("conflicts", "list").length, 0);
  }
});

test("many conflicts are decided at once", async () => {
  await go(page, "Conflicts");
  collide("laptop again", "phone again");
  await page.getByText("3 to decide").waitFor();
  await page.getByRole("button", {name: "Take remote everywhere"}).click();
  await page.getByRole("dialog").getByRole("button", {name: "Take remote everywhere"}).click();
  await page.getByText("Nothing to decide.").waitFor();
  assert.equal(laptop.json("sql", "SELECT body FROM notes WHERE id = 'a'")[0].body, "phone again a");
});

test("a row goes through time, and back", async () => {
  await go(page, "History");
  await page.getByRole("button", {name: "notes a"}).first().click();
  await shot(page, "history");
  await page.getByRole("dialog").getByRole("button", {name: "Revert to this"}).last().click();
  await until("the row is as it was",
    () => laptop.json("sql", "SELECT body FROM notes WHERE id = 'a'")[0].body === "one");
});

test("a setting is set, changed, seen from elsewhere, and unset", async () => {
  await go(page, "Settings");
  await page.getByLabel("Path", {exact: true}).fill("ui.theme");
  await page.getByLabel("Value, as JSON").fill("dark");
  await page.getByRole("button", {name: "Set", exact: true}).click();
  await page.getByText("not JSON").waitFor();
  await page.getByLabel("Value, as JSON").fill('"dark"');
  await page.getByRole("button", {name: "Set", exact: true}).click();
  const value = page.getByLabel("Value of ui.theme");
  await value.waitFor();
  assert.equal(laptop.json("settings", "get", "ui.theme"), "dark");
  await page.getByRole("heading", {level: 1}).click();
  laptop.ok("settings", "set", "ui.theme", '"light"');
  await until("the page shows it", async () => await value.inputValue() === '"light"');
  await shot(page, "settings");
  await page.getByRole("button", {name: "Unset ui.theme"}).click();
  await value.waitFor({state: "detached"});
});

test("what is news to the page takes neither the focus, nor what is typed, nor a click under way", async () => {
  await go(page, "Settings");
  laptop.ok("settings", "set", "ui.size", "3");
  const value = page.getByLabel("Value of ui.size");
  await value.fill("47");
  laptop.ok("settings", "set", "ui.font", '"serif"');
  await page.getByLabel("Value of ui.font").waitFor();
  assert.equal(await value.inputValue(), "47");
  assert.ok(await value.evaluate((input) => input === document.activeElement));
  await page.keyboard.press("Enter");
  await until("it is set", () => laptop.json("settings", "get", "ui.size") === 47);
  const press = async (locator, news) => {
    await locator.hover();
    await page.mouse.down();
    await news();
    await page.mouse.up();
  };
  await press(page.getByRole("button", {name: "Unset ui.size"}), async () => {
    laptop.ok("settings", "set", "a.first", "1");
    await page.getByLabel("Value of a.first").waitFor();
    await page.getByRole("button", {name: "Unset ui.size"}).hover();
  });
  await value.waitFor({state: "detached"});
  await press(page.getByRole("link", {name: "Codes"}), async () => {
    laptop.ok("settings", "unset", "a.first");
    await page.getByLabel("Value of a.first").waitFor({state: "detached"});
  });
  await page.getByRole("heading", {level: 1, name: "Codes"}).waitFor();
});

test("what could not be had is asked for again", async () => {
  let refusing = true;
  await page.route("**/api/settings", (route) => refusing ? route.fulfill({status: 503, json: {detail: "the vault is busy"}}) : route.continue());
  await go(page, "Settings");
  await page.getByText("The vault is busy.").waitFor();
  refusing = false;
  await page.getByLabel("Value of ui.font").waitFor();
  await page.getByRole("status").getByText("Ready").or(page.getByRole("status").getByText("In step")).waitFor();
  await page.unroute("**/api/settings");
  page.complaints.splice(0); // of what was refused
});

test("codes count down, are verified once, disabled and enabled", async () => {
  await go(page, "Codes");
  await page.getByLabel("Name", {exact: true}).fill("bank");
  await page.getByLabel("Address or secret").fill(SECRET);
  await page.getByRole("button", {name: "Set up"}).click();
  const card = page.getByRole("region", {name: "bank"});
  const code = card.getByRole("button", {name: /copy this code/});
  await code.waitFor();
  const oath = () => spawnSync("oathtool", ["--totp", "-b", SECRET], {encoding: "utf8"}).stdout.trim();
  await until("oathtool agrees", async () => {
    const before = oath();
    return [before, oath()].includes((await code.textContent()).replace(" ", ""));
  });
  await card.getByText(/\d+ s left/).waitFor();
  await shot(page, "codes");
  const verify = async (text, expected) => {
    await card.getByRole("button", {name: "Verify"}).click();
    const box = page.getByRole("dialog");
    await box.getByLabel("Code, or backup code").fill(text);
    await box.getByRole("button", {name: "Verify"}).click();
    await page.locator("#said").getByText(expected).waitFor();
    if (await box.isVisible()) await page.keyboard.press("Escape");
  };
  const right = oath();
  await verify(right, "The code is right.");
  await verify(right, /used already/);
  await card.getByRole("button", {name: "Disable"}).click();
  await page.getByRole("button", {name: "For an hour"}).click();
  await card.getByText("Disabled until").waitFor();
  await card.getByRole("button", {name: "Enable"}).click();
  await code.waitFor();
  await card.getByRole("button", {name: "Backup codes"}).click();
  await page.getByRole("button", {name: "Make them"}).click();
  await page.getByText("Each is good once.").waitFor();
  assert.equal(await page.getByRole("dialog").getByRole("listitem").count(), 10);
  await page.keyboard.press("Escape");
});

test("an image of a QR code sets up codes, and another image says why not", async () => {
  await go(page, "Codes");
  const draw = (name, text) => {
    const image = join(world.folder, name);
    assert.equal(spawnSync("qrencode", ["-o", image, text]).status, 0);
    return image;
  };
  const file = page.getByLabel("Or an image of the QR code");
  await file.setInputFiles(draw("wrong.png", "https://example.org"));
  await page.locator("#said").getByText(/otpauth/).waitFor();
  await file.setInputFiles(draw("right.png", `otpauth://totp/ACME:me?secret=${SECRET}&issuer=ACME`));
  await page.getByRole("region", {name: "ACME"}).waitFor();
});

/** The newest backup, over a row that was written after it. */
async function restore() {
  const rows = () => laptop.json("sql", "SELECT count(*) AS n FROM notes")[0].n;
  const before = rows();
  laptop.ok("sql", "INSERT INTO notes VALUES('late', 'after the backup')");
  const ask = async (phrase) => {
    await page.getByRole("button", {name: "Restore"}).first().click();
    await page.getByRole("dialog").getByLabel("Recovery phrase").fill(phrase);
    await page.getByRole("dialog").getByRole("button", {name: "Restore"}).click();
  };
  await ask(phone.genesis.recovery_phrase);
  await page.locator("#said").getByText(/not the recovery phrase of this profile/).waitFor();
  await shot(page, "restore");
  assert.deepEqual(await serious(page), []);
  await page.keyboard.press("Escape");
  assert.equal(rows(), before + 1);
  await ask(laptop.genesis.recovery_phrase);
  await page.getByText("The backup is in its place.").waitFor();
  assert.deepEqual(await serious(page), []);
  await shot(page, "restored");
  await page.getByRole("link", {name: "Go on"}).click();
  await page.getByRole("heading", {name: "Overview"}).waitFor();
  assert.equal(rows(), before);
  assert.equal(laptop.json("status").agent.address, laptop.address);
  await go(page, "Backups");
  await page.getByRole("button", {name: "Delete"}).first().waitFor();
}

test("a backup is made, verified, restored and deleted, and made every day", async () => {
  await go(page, "Backups");
  const where = join(world.folder, "copies/");
  await page.getByLabel("Where to").fill(where);
  await page.getByRole("button", {name: "Back up now"}).click();
  await page.getByText("Backed up, sealed").waitFor({timeout: 30000}).catch(async (failure) => {
    console.log(`# the page says: ${await page.locator("body").innerText()}`);
    throw failure;
  });
  await page.getByRole("button", {name: "Verify"}).click();
  await page.getByText("All of it is there").waitFor();
  await page.getByLabel("at", {exact: true}).fill("04:30");
  await page.getByLabel("Every day").check();
  await until("it is planned", () => {
    const planned = laptop.json("backup", "settings");
    return JSON.stringify(planned).includes("04:30") && planned.enabled === true;
  });
  await shot(page, "backups");
  await page.getByLabel("Every day").uncheck();
  await until("it is not", () => laptop.json("backup", "settings").enabled === false);
  await restore();
  for (let left = await page.getByRole("button", {name: "Delete"}).count(); left > 0; left--) {
    await page.getByRole("button", {name: "Delete"}).first().click();
    await page.getByRole("dialog").getByRole("button", {name: "Delete"}).click();
    await page.getByRole("dialog").waitFor({state: "detached"});
  }
  await page.getByText("No backup yet.").waitFor();
  await page.getByLabel("Where to").fill("/proc/nowhere/");
  await page.getByRole("button", {name: "Back up now"}).click();
  await page.getByRole("status").getByText(/nowhere/).waitFor();
});

test("the audit is searched, and holds no secret", async () => {
  await go(page, "Audit");
  await page.getByRole("cell", {name: "MFA_VERIFICATION_SUCCESS"}).waitFor();
  await page.getByRole("searchbox", {name: "Search"}).fill("settings");
  await page.getByRole("cell", {name: "MFA_VERIFICATION_SUCCESS"}).waitFor({state: "detached"});
  await shot(page, "audit");
  assert.ok(!(await page.content()).includes(SECRET));
});

test("nothing serious in any view, in light and dark, wide and on a phone", async () => {
  const dark = await world.open(laptop, {colorScheme: "dark", viewport: {width: 390, height: 800}});
  for (const name of ["Overview", "Devices", "Conflicts", "History", "Files", "Settings", "Codes", "Vaults", "Backups", "Transfer", "Audit"])
    for (const [window, kind] of [[page, "light"], [dark, "dark"]]) {
      await go(window, name);
      await window.waitForTimeout(150);
      assert.deepEqual(await serious(window), [], `${name}, ${kind}`);
      const overflow = await window.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      assert.ok(overflow <= 0, `${name}, ${kind} is ${overflow} px too wide`);
      if (kind === "dark") await shot(window, `phone-${name.toLowerCase()}`);
    }
  await dark.context().close();
});

test("the keyboard alone gets everywhere", async () => {
  await go(page, "Overview");
  await page.reload();
  await page.getByRole("button", {name: "Sync now"}).waitFor();
  await page.keyboard.press("Tab");
  assert.equal(await page.evaluate(() => document.activeElement.textContent), "Skip to content");
  const reached = new Set();
  for (let i = 0; i < 30; i++) {
    await page.keyboard.press("Tab");
    reached.add(await page.evaluate(() => document.activeElement.textContent));
  }
  for (const name of ["Overview", "Devices", "Settings", "Sync now"]) assert.ok(reached.has(name), name);
});

test("ten thousand conflicts are scrolled without a hitch", async () => {
  for (const device of [laptop, phone]) {
    device.ok("sql", "CREATE TABLE many(id INTEGER PRIMARY KEY, v); WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL "
      + "SELECT i + 1 FROM n WHERE i < 10000) INSERT INTO many SELECT i, 'x' FROM n");
    device.ok("track", "many");
  }
  for (const device of [laptop, phone]) device.ok("sql", `UPDATE many SET v = '${device.genesis.device_id.slice(0, 4)} ' || id`);
  phone.ok("sync");
  await go(page, "Conflicts");
  await page.getByText("10000 to decide").waitFor({timeout: 60000});
  const scroll = () => page.evaluate(async () => {
    const list = document.querySelector(".list");
    const gaps = [];
    let before = performance.now();
    for (let i = 1; i <= 60; i++) {
      list.scrollTop = (list.scrollHeight / 60) * i;
      await new Promise(requestAnimationFrame);
      const now = performance.now();
      gaps.push(now - before);
      before = now;
    }
    return gaps.sort((a, b) => a - b)[Math.floor(gaps.length * 0.9)];
  });
  // The best of some: what else the machine does is no hitch of the page.
  let worst = Infinity;
  for (let i = 0; i < 5; i++) worst = Math.min(worst, await scroll());
  console.log(`# a frame of scrolling 10,000 conflicts: ${worst.toFixed(1)} ms (90th percentile)`);
  assert.ok(worst < 100, `${worst} ms`);
  assert.ok(await page.locator(".item").count() < 60);
});

test("a stranger's request is refused, whatever it knows", async () => {
  const {origin} = new URL(page.url());
  const bearer = await page.evaluate(() => sessionStorage.getItem("satchel"));
  const ask = (headers, path = "/api/status", method = "GET") => fetch(origin + path, {method, headers});
  const good = {Authorization: `Bearer ${bearer}`};
  assert.equal((await ask(good)).status, 200);
  assert.equal((await ask({})).status, 401);
  assert.equal((await ask({Authorization: `Bearer ${"0".repeat(64)}`})).status, 401);
  assert.equal((await ask({...good, Origin: "http://evil.example"})).status, 403);
  assert.equal((await ask({...good, "Sec-Fetch-Site": "cross-site"})).status, 403);
  assert.equal((await ask(good, "/api/sync", "POST")).status, 403);
  const policy = (await ask({}, "/")).headers.get("content-security-policy");
  for (const part of ["default-src 'none'", "script-src 'self'", "frame-ancestors 'none'"]) assert.ok(policy.includes(part), policy);
});

test("a page left open through a restart says so, and nothing was complained of", async () => {
  assert.deepEqual(page.complaints.filter((c) => !/40[039]|404/.test(c)), []);
  await laptop.stop();
  await page.getByRole("heading", {name: "This page is closed"}).waitFor();
  await page.getByText("satchel ui").waitFor();
  await shot(page, "closed");
});
