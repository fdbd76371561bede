// Which view is shown, and when it looks again.

import * as api from "./api.js";
import {bytes, h, span, update} from "./dom.js";
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
const links = Object.fromEntries(Object.keys(views).map((name) =>
  [name, h("a", {href: `#${name}`}, titleOf(name))]));
let shown = {name: null, refresh: null};
let waiting = null;
let stopListening = () => {};
let patience = 0; // before it is tried again, in ms

function titleOf(name) {
  return name[0].toUpperCase() + name.slice(1);
}

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
  for (const [name, link] of Object.entries(links))
    if (name === shown.name) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  update(links.conflicts, titleOf("conflicts"),
    count > 0 ? h("span", {class: "badge", "aria-label": `${count} open`}, String(count)) : null);
}

/** The token of this page died with the agent that knew it; a new one is had from `satchel ui` alone. */
function giveUp(failure) {
  shown.leave?.();
  shown = {name: null, refresh: null, is_over: true};
  stopListening();
  document.querySelectorAll("dialog").forEach((d) => d.close());
  nav.parentElement.hidden = true;
  tell("Closed", "bad");
  main.replaceChildren(h("h1", {}, "This page is closed"), h("div", {class: "card"},
    h("p", {}, failure.message),
    h("p", {}, "The agent was started again, or stopped, since this page was opened. Nothing is lost. ",
      h("span", {class: "mono"}, "satchel ui"), " opens it anew.")));
}

async function look(view) {
  const status = await api.get("/api/status");
  if (view !== shown) return;
  if (status.rest) return rest(status.rest);
  if (status.fresh) return await greet();
  state.status = status;
  state.vault ??= state.status.vault;
  document.getElementById("device").textContent = state.status.device_name;
  tellHowItGoes(state.status);
  tellTheClock(state.status);
  drawNav();
  await view.refresh?.(state);
}

/** Looks once at a time, so that no older answer comes after a newer one, and once more where something changed meanwhile. */
async function refresh() {
  const view = shown;
  if (view.is_over) return;
  view.again = view.is_looking;
  if (view.is_looking) return;
  view.is_looking = true;
  try {
    do {
      view.again = false;
      await look(view);
    } while (view.again && view === shown);
    patience = 0;
  } catch (failure) {
    if (failure instanceof api.Gone) giveUp(failure);
    else if (view === shown) {
      tell(failure.message, "bad");
      patience = Math.min(Math.max(2 * patience, 500), 10000);
      refreshSoon(patience);
    }
  } finally {
    view.is_looking = false;
  }
}

/** A backup takes the profile's place; what comes after has another address. */
function rest({over, done, total, error, next}) {
  if (shown.name !== "rest") {
    shown.leave?.();
    shown = {name: "rest", refresh: null};
    document.title = "Restoring · Satchel";
    nav.parentElement.hidden = true;
    document.body.classList.add("alone");
  }
  tell(over ? error ? "Not restored" : "Restored" : "Restoring…", error ? "bad" : over ? "good" : "busy");
  update(main, h("h1", {}, "Restoring a backup"), h("section", {class: "card"},
    h("p", {role: "status"}, error ? `${error}. Nothing was changed.` : over ? "The backup is in its place."
      : total > 0 ? `${bytes(done)} of ${bytes(total)}` : "Making room for it."),
    over ? null : h("progress", {max: String(Math.max(1, total)), value: done, "aria-label": "How far the restoring is"}),
    next ? h("p", {}, h("a", {class: "main button", href: next, onclick: () => sessionStorage.clear()}, "Go on")) : null));
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
    shown = {name: "welcome", ...welcome(place, state, changed)};
    tell("Nothing is here yet", "busy");
  }
  await shown.refresh();
}

/** Changes come in bursts; a look a little later sees them all. */
function refreshSoon(wait = 60) {
  if (waiting !== null && waiting.at <= Date.now() + wait) return;
  clearTimeout(waiting?.timer);
  waiting = {at: Date.now() + wait, timer: setTimeout(() => {
    waiting = null;
    refresh();
  }, wait)};
}

const changed = () => refreshSoon();

function show() {
  if (["welcome", "rest"].includes(shown.name) || shown.is_over) return;
  const name = location.hash.slice(1);
  const view = views[name] ?? overview;
  shown.leave?.();
  shown = {name: views[name] ? name : "overview", refresh: null};
  const title = h("h1", {}, titleOf(shown.name));
  document.title = `${title.textContent} · Satchel`;
  const place = h("div");
  main.replaceChildren(title, place);
  Object.assign(shown, view(place, state, changed));
  drawNav();
  refresh();
}

addEventListener("hashchange", () => {
  show();
  main.focus();
});

try {
  nav.append(...Object.values(links).map((link) => h("li", {}, link)));
  await api.enter();
  show();
  stopListening = api.listen(changed, () => {
    tell("The agent can not be heard; trying again", "bad");
    changed();
  });
} catch (failure) {
  giveUp(failure);
}
