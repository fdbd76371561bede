// One-time codes that count down. What is shown is of the agent's clock; this page only counts.

import * as api from "./api.js";
import {ago, attempt, button, dialog, h, say, sure, update} from "./dom.js";
import {camera} from "./camera.js";

export function codes(place, _, changed) {
  const list = h("div", {class: "grid"});
  place.append(adder(changed), list);
  let ends = [];
  const tick = () => {
    let over = false;
    for (const e of ends) {
      const left = Math.max(0, e.at - performance.now());
      e.bar.value = left;
      e.text.textContent = `${Math.ceil(left / 1000)} s left`;
      over ||= left === 0;
    }
    if (over) changed();
  };
  const clock = setInterval(tick, 1000);
  return {
    leave: () => clearInterval(clock),
    async refresh() {
      const entries = await api.get("/api/mfa");
      const now = performance.now();
      update(list, entries.length > 0 ? entries.map((e) => draw(e, changed))
        : h("p", {class: "soft"}, "No one-time codes are set up."));
      ends = entries.filter((e) => e.status !== "disabled").map((e) => {
        const card = list.querySelector(`[data-id="${e.id}"]`);
        return {at: now + e.left_ms, bar: card.querySelector("progress"), text: card.querySelector(".left")};
      });
      tick();
    },
  };
}

function adder(changed) {
  const name = h("input", {id: "mfa-name"});
  const secret = h("input", {id: "mfa-secret", required: true, autocomplete: "off", spellcheck: "false"});
  const file = h("input", {type: "file", accept: "image/png", id: "mfa-file"});
  const form = h("form", {class: "card row"}, h("label", {}, "Name", name),
    h("label", {}, "Address or secret", secret), h("button", {class: "main"}, "Set up"),
    h("label", {}, "Or an image of the QR code", file),
    button("Use the camera", () => camera((blob) => api.postImage("/api/mfa-image", blob), changed, "Set up, on every device once it has synced.")));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    attempt(form.querySelector("button"), async () => {
      await api.post("/api/mfa", {name: name.value, secret: secret.value.trim()});
      form.reset();
      changed();
    }, "Set up, on every device once it has synced.");
  });
  file.addEventListener("change", () => attempt(null, async () => {
    await api.postImage("/api/mfa-image", file.files[0]);
    form.reset();
    changed();
  }, "Set up, on every device once it has synced."));
  return form;
}

function draw(entry, changed) {
  const act = (body) => api.post(`/api/mfa/${entry.id}`, body).then(changed);
  const is = entry.status !== "disabled";
  const half = Math.ceil(entry.code.length / 2);
  const shown = `${entry.code.slice(0, half)} ${entry.code.slice(half)}`;
  return h("section", {class: "card", "data-id": entry.id, key: entry.id, "aria-label": entry.name},
    h("h2", {}, entry.name), h("p", {class: "soft"}, [entry.issuer, entry.account].filter(Boolean).join(" · ")),
    is ? [h("p", {class: "row between"},
      h("button", {type: "button", class: "code", "aria-label": `${shown}, copy this code`, onclick: () => copy(entry.code)}, shown), h("span", {class: "soft left"})),
      h("progress", {max: String(entry.period * 1000), "aria-label": "Time left"})]
      : h("p", {class: "warn"}, entry.disabled_until ? `Disabled until ${new Date(entry.disabled_until).toLocaleString()}` : "Disabled"),
    h("p", {class: "soft"}, `Last used: ${ago(entry.last_used)} · ${entry.devices.length} device${entry.devices.length === 1 ? "" : "s"} · ${entry.backup_codes} backup codes`),
    h("p", {class: "row"},
      is ? button("Verify", () => verify(entry, changed)) : null,
      button("Backup codes", () => backup(entry)),
      is ? button("Disable", () => disable(entry, act)) : button("Enable", () => act({do: "enable"})),
      button("Remove", async () => {
        if (await sure(`Forget the secret of ${entry.name} on every device?`, "Remove")) await act({do: "remove"});
      }, {class: "danger"})));
}

const copy = (code) => navigator.clipboard.writeText(code).then(() => say("Copied."), () => say(`The browser does not let it be copied: ${code}`));

function verify(entry, changed) {
  const code = h("input", {id: "code", inputmode: "numeric", autocomplete: "one-time-code", required: true});
  const form = h("form", {class: "row"}, h("label", {}, "Code, or backup code", code), h("button", {class: "main"}, "Verify"));
  const box = dialog(`Verify a code of ${entry.name}`, form);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    attempt(form.querySelector("button"), () => api.post(`/api/mfa/${entry.id}`, {do: "verify", code: code.value}), "The code is right.")
      .then((right) => right && box.close()).then(changed);
  });
  code.focus();
}

async function backup(entry) {
  if (!await sure(`Make ten new backup codes for ${entry.name}? Those before are good no more.`, "Make them")) return;
  const made = await api.post(`/api/mfa/${entry.id}`, {do: "backup-codes"});
  dialog(`Backup codes of ${entry.name}`, h("p", {}, "Each is good once. They are shown this once: write them down."),
    h("ul", {class: "mono"}, made.map((c) => h("li", {}, c))));
}

function disable(entry, act) {
  const hour = 3600000;
  const choice = (text, for_ms) => button(text, async () => {
    await act({do: "disable", for_ms});
    box.close();
  });
  const box = dialog(`Give and take no codes of ${entry.name}`, h("p", {class: "row"},
    choice("For an hour", hour), choice("For a day", 24 * hour), choice("Until it is enabled", 0)));
}
