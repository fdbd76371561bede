import * as api from "./api.js";
import {attempt, button, h, keyed, table, update} from "./dom.js";

export function settings(place, _, changed) {
  const path = h("input", {id: "path", placeholder: "ui.theme", required: true});
  const value = h("input", {id: "value", placeholder: '"dark"', required: true});
  const local = h("input", {type: "checkbox", id: "local"});
  const form = h("form", {class: "card row"}, h("label", {}, "Path", path), h("label", {}, "Value, as JSON", value),
    h("label", {class: "inline"}, local, "this device only"), h("button", {class: "main"}, "Set"));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    attempt(form.querySelector("button"), async () => {
      await api.post("/api/settings", {path: path.value, json: value.value, local: local.checked});
      form.reset();
      changed();
    });
  });
  const body = h("div", {class: "card"});
  place.append(form, body);
  return {async refresh() {
    const list = await api.get("/api/settings");
    update(body, table("Settings", ["Path", "Value", "Where", ""], list.map((s) => keyed(`${s.local} ${s.path}`, [
      h("span", {class: "mono"}, s.path), editor(s, changed), s.local ? "this device" : "every device",
      button("Unset", () => api.post("/api/settings", {path: s.path}).then(changed), {"aria-label": `Unset ${s.path}`})])),
    "No settings yet."));
  }};
}

function editor(setting, changed) {
  const onchange = ({currentTarget: input}) => attempt(input, async () => {
    await api.post("/api/settings", {path: setting.path, json: input.value, local: setting.local});
    changed();
  }, "Set.");
  return h("input", {class: "mono", value: setting.json, "aria-label": `Value of ${setting.path}`, onchange});
}
