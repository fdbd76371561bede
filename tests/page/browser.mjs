// A browser on the page of a device, driven as a person would; used by page_test.mjs.
//
//   SATCHEL     the program              PAGE_MODULES  where npm put its packages
//   SHOTS       where screenshots go     CHROMIUM      the browser

import {spawn, spawnSync} from "node:child_process";
import {mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync} from "node:fs";
import {createRequire} from "node:module";
import {tmpdir} from "node:os";
import {dirname, join} from "node:path";

const modules = createRequire(join(process.env.PAGE_MODULES, "package.json"));
const {chromium} = modules("playwright-core");
const axe = readFileSync(modules.resolve("axe-core/axe.min.js"), "utf8");
const {SATCHEL, SHOTS} = process.env;

/** The first line that `process` prints, once it does. */
const firstLine = (process, what) => new Promise((resolve, reject) => {
  process.stdout.once("data", (line) => resolve(String(line).trim()));
  process.once("exit", () => reject(new Error(`${what} ended`)));
});

async function end(process) {
  if (!process || process.exitCode !== null || process.signalCode !== null) return;
  const ended = new Promise((resolve) => process.once("exit", resolve));
  process.kill("SIGTERM");
  await ended;
}

/** A library that shifts the clock of whatever is started with it. */
function shifted(folder, seconds) {
  const source = join(folder, "shift.c");
  const library = join(folder, "shift.so");
  writeFileSync(source, `#define _GNU_SOURCE
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
int clock_gettime(clockid_t id, struct timespec *out) {
  const int done = (int)syscall(SYS_clock_gettime, id, out);
  if (id == CLOCK_REALTIME) out->tv_sec += ${seconds};
  return done;
}
`);
  if (spawnSync("cc", ["-shared", "-fPIC", "-o", library, source]).status !== 0) throw new Error("no shifted clock");
  return library;
}

/** `satchel-hub serve`, on a port that the system chose. */
export class Hub {
  /** `ahead_s`: by how much its clock is wrong. */
  constructor(folder, ahead_s = 0) {
    const env = {...process.env};
    if (ahead_s !== 0) env.LD_PRELOAD = shifted(folder, ahead_s);
    this.process = spawn(join(dirname(SATCHEL), "satchel-hub"), ["serve", "--listen", "127.0.0.1:0", "--data", join(folder, "hub")], {env});
  }

  async start() {
    this.url = /http:\/\/\S+/.exec(await firstLine(this.process, "the hub"))[0];
    return this;
  }

  stop() {
    return end(this.process);
  }
}

export class Device {
  constructor(folder, name, is_new = true) {
    this.home = join(folder, name);
    this.password = join(folder, `${name}.password`);
    writeFileSync(this.password, "correct horse battery\n", {mode: 0o600});
    if (is_new) this.genesis = this.json("init", "--name", name);
  }

  /** The address of the page that a device without a profile shows. */
  async welcome() {
    this.process = spawn(SATCHEL, [...this.who(), "ui", "--no-open", "--listen", "127.0.0.1:0"]);
    return firstLine(this.process, "satchel ui");
  }

  who() {
    return ["--profile", this.home, "--password-file", this.password];
  }

  ok(...args) {
    const done = spawnSync(SATCHEL, [...this.who(), ...args.map(String)], {encoding: "utf8"});
    if (done.status !== 0) throw new Error(`${args.join(" ")}: ${done.stderr}`);
    return done.stdout;
  }

  json(...args) {
    return JSON.parse(this.ok("--json", ...args));
  }

  async agent() {
    this.process = spawn(SATCHEL, [...this.who(), "agent", "--listen", "127.0.0.1:0"]);
    this.address = await firstLine(this.process, "the agent");
    return this;
  }

  stop() {
    return end(this.process);
  }

  url() {
    return this.ok("ui", "--no-open").trim();
  }
}

export class World {
  /** `video`: a y4m file, what the camera sees. */
  static async make({video} = {}) {
    const world = new World();
    world.folder = mkdtempSync(join(tmpdir(), "satchel-page-"));
    world.devices = [];
    world.browser = await chromium.launch({
      executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
      args: ["--no-sandbox", "--use-fake-device-for-media-stream", "--disable-dev-shm-usage",
        ...video ? [`--use-file-for-fake-video-capture=${video}`] : []]});
    mkdirSync(SHOTS, {recursive: true});
    return world;
  }

  device(name, is_new = true) {
    const device = new Device(this.folder, name, is_new);
    this.devices.push(device);
    return device;
  }

  async hub(ahead_s = 0) {
    const hub = new Hub(this.folder, ahead_s);
    this.devices.push(hub);
    return hub.start();
  }

  /** A window on the device's page. Whatever it asks of anybody else, or complains of, is kept. */
  async open(device, options = {}) {
    const page = await this.window(device.url(), options);
    await page.getByRole("heading", {name: "Overview"}).waitFor();
    return page;
  }

  async window(url, options = {}) {
    const context = await this.browser.newContext({viewport: {width: 1200, height: 800}, ...options});
    context.setDefaultTimeout(10000);
    const page = await context.newPage();
    page.complaints = [];
    page.requests = [];
    page.on("console", (m) => m.type() === "error" && page.complaints.push(m.text()));
    page.on("pageerror", (e) => page.complaints.push(String(e)));
    page.on("request", (r) => page.requests.push(r));
    await page.goto(url);
    return page;
  }

  async close() {
    await this.browser.close();
    for (const device of this.devices) await device.stop();
    rmSync(this.folder, {recursive: true, force: true});
  }
}

export const go = async (page, name) => {
  await page.getByRole("link", {name: new RegExp(`^${name}`)}).click();
  await page.getByRole("heading", {level: 1, name}).waitFor();
};

export const shot = (page, name) => page.screenshot({path: join(SHOTS, `${name}.png`)});

/** What axe-core finds that is serious, or worse. */
export async function serious(page) {
  // As a content script would: the page's own policy lets nothing else in.
  const session = await page.context().newCDPSession(page);
  const run = `${axe}; axe.run(document).then((r) => JSON.stringify(r.violations
      .filter((v) => ["serious", "critical"].includes(v.impact))
      .map((v) => v.id + ": " + v.nodes.map((n) => n.target.join(" ")).join(", "))))`;
  const {result} = await session.send("Runtime.evaluate", {expression: run, awaitPromise: true});
  return JSON.parse(result.value);
}

export async function until(what, holds, patience = 15000) {
  for (const end = Date.now() + patience; Date.now() < end;) {
    if (await holds()) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`it never came to be that ${what}`);
}
