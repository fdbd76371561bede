import * as api from "./api.js";
import {ago, attempt, button, h, sure, update} from "./dom.js";

export function devices(place, _, changed) {
  const name = h("input", {id: "device-name", required: true, maxlength: "100"});
  const form = h("form", {class: "card row"},
    h("label", {}, "Name of this device", name), h("button", {class: "main"}, "Rename"));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    attempt(form.querySelector("button"), () => api.post("/api/name", {name: name.value}), "Renamed.").then(changed);
  });
  const list = h("div", {class: "grid"});
  place.append(form, list);
  return {async refresh({status}) {
    if (document.activeElement !== name) name.value = status.device_name;
    const known = await api.get("/api/devices");
    update(list, known.length > 0 ? known.map((d) => draw(d, changed))
      : h("p", {class: "soft"}, "No other device is known yet."));
  }};
}

function draw(device, changed) {
  const act = (body) => api.post(`/api/devices/${device.device_id}`, body).then(changed);
  return h("section", {class: "card", key: device.device_id, "aria-label": device.device_name},
    h("h2", {}, device.device_name), standing(device),
    h("p", {class: "soft"}, `Last sync: ${ago(device.last_sync_at)}`),
    h("p", {}, "Fingerprint, to compare with what that device shows:"),
    h("p", {class: "mono"}, device.fingerprint),
    h("p", {class: "row"},
      !device.authorized && !device.revoked
        ? button("Authorise", () => act({do: "authorize"}), {class: "main"}, "It may sync now.") : null,
      !device.revoked ? button("Revoke", async () => {
        if (await sure(`Never let ${device.device_name} sync with this device again?`, "Revoke"))
          await act({do: "revoke"});
      }, {class: "danger"}) : null));
}

function standing(device) {
  if (device.revoked) return h("p", {class: "bad"}, "Revoked for good");
  if (!device.authorized) return h("p", {class: "warn"}, "Waits to be authorised");
  return h("p", {class: "good"}, device.admin ? "Authorised, administrator" : "Authorised");
}
