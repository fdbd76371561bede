// Which view is shown, and when it looks again.

import * as api from "./api.js";
import {h, span} from "./dom.js";
import {overview} from "./overview.js";
import {devices} from "./devices.js";
import {conflicts} from "./conflicts.js";
import {log} from "./log.js";
import {files} from "./files.js";
import {settings} from "./settings.js";
import {codes} from "./codes.js";
import {backups} from "./backups.js";
import {audit} from "./audit.js";
import {transfer} from "./transfer.js";
import {vaults} from "./vaults.js";
import {welcome} from "./welcome.js";

const views = {overview, devices, vaults, conflicts, history: log, files, settings, codes, backups, transfer, audit};
const main = document.getElementById("main");
const nav = document.getElementById("nav");
const clock = document.getElementById("clock");
const network = document.getElementById("network");
const state = {status: null, vault: null};
let shown = {name: null, refresh: null};
let waiting = null;

function tell(text, mood) {
  if (network.textContent !== text) network.textContent = text;
  network.dataset.state = mood;
}

function tellHowItGoes({agent}) {
  const away = agent.peers.filter((p) => p.error !== null);
  if (agent.syncing) tell("Syncing…", "busy");
  else if (away.length > 0) tell(`${away.map((p) => p.device_name).join(", ")} can not be reached`, "bad");
  else if (agent.hub !== null && agent.hub.error !== null) tell("Not in step with the hub", "bad");
  else tell(agent.peers.length > 0 || agent.hub !== null ? "In step" : "Ready", "good");
}

/** Codes are wrong, and edits look newer or older than they are, where the clock is. */
function tellTheClock({agent}) {
  const ahead = agent.hub?.clock_ahead_s ?? 0;
  const text = Math.abs(ahead) < 30 ? "" : `This device's clock is ${span(Math.abs(ahead))} ${ahead > 0 ? "behind" : "ahead of"} the hub's. `
    + "One-time codes are right only where the clock is: set it.";
  if (clock.textContent !== text) clock.textContent = text;
  clock.hidden = text === "";
}

function openConflicts() {
  return state.status === null ? 0 : state.status.vaults.reduce((sum, v) => sum + v.conflicts, 0);
}

function drawNav() {
  const count = openConflicts();
  nav.replaceChildren(...Object.keys(views).map((name) => h("li", {},
    h("a", {href: `#${name}`, "aria-current": name === shown.name ? "page" : null},
      name[0].toUpperCase() + name.slice(1),
      name === "conflicts" && count > 0
        ? h("span", {class: "badge", "aria-label": `${count} open`}, String(count)) : null))));
}

function giveUp(failure) {
  shown.refresh = null;
  tell("Closed", "bad");
  main.replaceChildren(h("h1", {}, "This page is closed"), h("div", {class: "card"},
    h("p", {}, failure.message),
    h("p", {}, "The agent was started again, or stopped, since this page was opened. Nothing is lost. ",
      h("span", {class: "mono"}, "satchel ui"), " opens it anew.")));
}

async function refresh() {
  try {
    const status = await api.get("/api/status");
    if (status.fresh) return await greet();
    state.status = status;
    state.vault ??= state.status.vault;
    document.getElementById("device").textContent = state.status.device_name;
    tellHowItGoes(state.status);
    tellTheClock(state.status);
    drawNav();
    await shown.refresh?.(state);
  } catch (failure) {
    if (failure instanceof api.Gone) giveUp(failure);
    else tell(failure.message, "bad");
  }
}

/** There is no profile yet: one view, which makes it. */
async function greet() {
  if (shown.name !== "welcome") {
    const place = h("div");
    document.title = "Welcome · Satchel";
    nav.parentElement.hidden = true;
    document.body.classList.add("alone");
    main.replaceChildren(h("h1", {}, "Welcome to Satchel"), place);
    shown.leave?.();
    shown = {name: "welcome", ...welcome(place, state, refreshSoon)};
    tell("Nothing is here yet", "busy");
  }
  await shown.refresh();
}

/** Changes come in bursts; a look a little later sees them all. */
function refreshSoon() {
  waiting ??= setTimeout(() => {
    waiting = null;
    refresh();
  }, 60);
}

function show() {
  if (shown.name === "welcome") return;
  const name = location.hash.slice(1);
  const view = views[name] ?? overview;
  shown.leave?.();
  shown = {name: views[name] ? name : "overview", refresh: null};
  const title = h("h1", {}, shown.name[0].toUpperCase() + shown.name.slice(1));
  document.title = `${title.textContent} · Satchel`;
  const place = h("div");
  main.replaceChildren(title, place);
  Object.assign(shown, view(place, state, refreshSoon));
  drawNav();
  refresh();
}

addEventListener("hashchange", () => {
  show();
  main.focus();
});

try {
  await api.enter();
  show();
  api.listen(refreshSoon, () => tell("The agent can not be heard; trying again", "bad"));
} catch (failure) {
  giveUp(failure);
}
