// Conflicts, however many: the list draws what is in sight, and a decision is taken with both sides
// next to each other.

import * as api from "./api.js";
import {attempt, button, dialog, h, show, sure, update} from "./dom.js";

const HEIGHT = 72;
const SPARE = 6;

export function conflicts(place, state, changed) {
  let all = [];
  let items = new Map(); // what is drawn, by id
  const vault = h("select", {id: "vault"});
  const count = h("p", {"aria-live": "polite"});
  const list = h("div", {class: "list", role: "group", "aria-label": "Conflicts", tabindex: "0"});
  const room = h("div");
  const query = () => `vault=${state.vault}`;
  const everything = (how, text) => button(text, async () => {
    if (await sure(`Decide all ${all.length} so?`, text)) {
      await api.post(`/api/conflicts?${query()}`, {how});
      changed();
    }
  });
  const many = h("p", {class: "row"}, everything("local", "Keep local everywhere"),
    everything("remote", "Take remote everywhere"));
  vault.addEventListener("change", () => {
    state.vault = vault.value;
    changed();
  });
  list.append(room);
  list.addEventListener("scroll", () => drawSlice(), {passive: true});
  place.append(h("p", {class: "row"}, h("label", {class: "inline", for: "vault"}, "Vault"), vault), count, many, list);

  function drawSlice() {
    const first = Math.max(0, Math.floor(list.scrollTop / HEIGHT) - SPARE);
    const last = Math.min(all.length, Math.ceil((list.scrollTop + list.clientHeight) / HEIGHT) + SPARE);
    room.style.height = `${all.length * HEIGHT}px`;
    const before = items;
    items = new Map();
    for (const [i, c] of all.slice(first, last).entries()) {
      const item = before.get(c.id) ?? draw(c);
      item.style.top = `${(first + i) * HEIGHT}px`;
      items.set(c.id, item);
    }
    update(room, ...items.values());
  }

  const draw = (c) => h("button", {type: "button", class: "item", key: c.id,
    onclick: () => attempt(null, () => decide(c, query(), state.status, changed))},
  h("span", {}, `${c.table} ${show(c.key)}`, h("small", {}, `${c.column ?? "whole row"} · ${c.kind}`)),
  h("span", {}, show(c.local), h("small", {}, "local")),
  h("span", {}, show(c.remote), h("small", {}, "remote")));

  return {async refresh({status}) {
    update(vault, status.vaults.map((v) => h("option", {value: v.name}, `${v.name} (${v.conflicts})`)));
    vault.value = state.vault;
    const found = [];
    for (let page; page === undefined || page.length === 1000;) {
      const after = found.length > 0 ? `&after=${found.at(-1).id}` : "";
      page = await api.get(`/api/conflicts?${query()}${after}`);
      found.push(...page);
    }
    const was = new Map(all.map((c) => [c.id, JSON.stringify(c)]));
    all = found.filter((c) => c.status === "open");
    items = new Map([...items].filter(([id]) => all.some((c) => c.id === id && was.get(id) === JSON.stringify(c))));
    count.textContent = all.length === 0 ? "Nothing to decide."
      : `${all.length} to decide. Both values are kept until then.`;
    many.hidden = list.hidden = all.length === 0;
    drawSlice();
  }};
}

function nameOf(device, status, others) {
  if (!device) return "unknown";
  if (device === status.device_id) return "this device";
  return others.find((d) => d.device_id === device)?.device_name ?? `device ${device.slice(0, 8)}`;
}

async function decide(c, query, status, changed) {
  const others = await api.get("/api/devices");
  const own = h("textarea", {id: "own", spellcheck: "false"});
  own.value = JSON.stringify(c.local, null, 1);
  const act = (how, data) => async () => {
    await api.post(`/api/conflicts/${c.id}?${query}`, {how, data});
    box.close();
    changed();
  };
  const side = (name, value, device) => h("section", {class: name, "aria-label": name},
    h("h2", {}, name[0].toUpperCase() + name.slice(1)), h("p", {class: "soft"}, nameOf(device, status, others)),
    h("pre", {class: "mono", tabindex: "0"}, show(value)),
    h("p", {}, button(`Keep ${name}`, act(name), {class: "main"}, "Decided, for every device.")));
  const box = dialog(`${c.table} ${show(c.key)}${c.column ? ` · ${c.column}` : ""}`,
    h("p", {class: "soft"}, `Both wrote at the same time (${c.kind}).`),
    h("div", {class: "sides"}, side("local", c.local, c.local_device), side("remote", c.remote, c.remote_device)),
    h("label", {for: "own"}, "Or a value of your own, as JSON", own),
    h("p", {class: "row"}, button("Write own value", () => act("data", own.value)(), {}, "Decided, for every device."),
      ["unique", "insert"].includes(c.kind) ? button("Give it a new key", act("rekey"), {}, "Decided.") : null,
      button("Ignore here", act("ignore"), {}, "Left as it is, on this device.")));
}
