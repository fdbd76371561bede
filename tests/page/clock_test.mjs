// A clock that is wrong by an hour is said to be, wherever one looks.

import assert from "node:assert/strict";
import {after, before, test} from "node:test";
import {World, go, serious, shot} from "./browser.mjs";

let world, page;

before(async () => {
  world = await World.make();
  const hub = await world.hub(3600);
  const device = world.device("laptop");
  device.ok("account", "register", "--hub", hub.url, "--email", "ada@example.org");
  await device.agent();
  page = await world.open(device);
});

after(() => world?.close());

test("a clock that is an hour behind the hub's is said to be", async () => {
  const word = page.getByText(/clock is 1 hour behind the hub's/);
  await word.waitFor({timeout: 30000});
  await go(page, "Codes");
  await word.waitFor();
  await shot(page, "clock");
  assert.deepEqual(await serious(page), []);
});
