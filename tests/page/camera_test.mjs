// The camera, where it sees a QR code, and where a person refuses it.

import assert from "node:assert/strict";
import {spawnSync} from "node:child_process";
import {mkdtempSync, rmSync, writeFileSync} from "node:fs";
import {tmpdir} from "node:os";
import {join} from "node:path";
import {after, before, test} from "node:test";
import {World, go, serious, shot} from "./browser.mjs";

const WIDTH = 640, HEIGHT = 480, SCALE = 7;
let world, device, folder;

/** A film of one picture: the QR code of `text`, black on white, on grey. */
function film(text) {
  const drawn = spawnSync("qrencode", ["-t", "ASCII", "-m", "4", "-o", "-", text], {encoding: "utf8"});
  assert.equal(drawn.status, 0);
  const rows = drawn.stdout.split("\n").filter((row) => row !== "");
  const light = Buffer.alloc(WIDTH * HEIGHT, 128);
  const left = (WIDTH - rows.length * SCALE) >> 1, top = (HEIGHT - rows.length * SCALE) >> 1;
  for (let y = 0; y < rows.length * SCALE; y++)
    for (let x = 0; x < rows.length * SCALE; x++)
      light[(top + y) * WIDTH + left + x] = rows[Math.floor(y / SCALE)][2 * Math.floor(x / SCALE)] === "#" ? 16 : 235;
  const frame = Buffer.concat([Buffer.from("FRAME\n"), light, Buffer.alloc(WIDTH * HEIGHT / 2, 128)]);
  const path = join(folder, "camera.y4m");
  writeFileSync(path, Buffer.concat([Buffer.from(`YUV4MPEG2 W${WIDTH} H${HEIGHT} F10:1 Ip A1:1 C420jpeg\n`), frame, frame]));
  return path;
}

before(async () => {
  folder = mkdtempSync(join(tmpdir(), "satchel-camera-"));
  world = await World.make({video: film("otpauth://totp/ACME:me?secret=JBSWY3DPEHPK3PXP&issuer=ACME")});
  device = world.device("laptop");
  await device.agent();
});

after(async () => {
  await world?.close();
  rmSync(folder, {recursive: true, force: true});
});

test("a code that the camera sees is set up, and the camera is let go", async () => {
  const page = await world.open(device, {permissions: ["camera"]});
  await go(page, "Codes");
  await page.getByRole("button", {name: "Use the camera"}).click();
  const box = page.getByRole("dialog");
  await box.getByLabel("What the camera sees").waitFor();
  await shot(page, "camera");
  assert.deepEqual(await serious(page), []);
  await page.getByRole("region", {name: "ACME"}).waitFor();
  await box.waitFor({state: "detached"});
  await page.getByText("Set up, on every device").waitFor();
  assert.equal(device.json("mfa", "list").length, 1);
  await page.context().close();
});

test("a camera that is refused is said to be, and what does as well", async () => {
  const page = await world.open(device);
  await go(page, "Codes");
  await page.getByRole("button", {name: "Use the camera"}).click();
  await page.locator("#said").getByText("The camera was refused; an image of the code, or the text below it, does as well.").waitFor();
  assert.equal(await page.getByRole("dialog").count(), 0);
  await shot(page, "camera-refused");
  await page.context().close();
});
