// Everything to a new device: this one shows a code, and is told six digits.

import * as api from "./api.js";
import {attempt, button, h, say, sure, update} from "./dom.js";
import {qr} from "./qr.js";

const STEPS = [["CreatingBackup", "Making a sealed copy"], ["Uploading", "Handing it to the hub, which can not read it"],
  ["QRDisplayed", "Waiting for the new device to scan the code"], ["Transferring", "Making sure that it is yours"],
  ["Done", "Everything has arrived"]];

export function steps(list, state) {
  const at = list.findIndex(([name]) => name === state);
  return h("ol", {class: "steps", "aria-label": "How far it is"}, list.map(([, text], i) =>
    h("li", {class: i < at || state === "Done" ? "good" : i > at ? "soft" : null, "aria-current": i === at ? "step" : null}, text)));
}

export function transfer(place, _, changed) {
  const body = h("div");
  place.append(body);
  let shown = "", until = 0;
  const act = (what) => api.post("/api/transfer", what).then(changed);
  const clock = setInterval(() => {
    const left = body.querySelector("[data-left]");
    if (left === null) return;
    const seconds = Math.max(0, Math.round((until - Date.now()) / 1000));
    left.textContent = `A fresh code in ${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
  }, 1000);

  function begin(now) {
    return h("section", {class: "card", key: "begin"}, h("h2", {}, "Move everything to a new device"),
      h("p", {}, "Vaults, files, settings and codes go to the new device, sealed, by the hub of your account. Have it at hand: start ",
        h("span", {class: "mono"}, "satchel ui"), " there, and scan the code that is shown here. What is on this device stays."),
      now.state === "Done" ? h("p", {key: "done", class: "good"}, "Everything is on the new device.") : null,
      now.error ? h("p", {key: "error", class: "bad"}, `${now.error}.`) : null,
      h("label", {class: "inline"}, h("input", {type: "checkbox", id: "sign-off"}), "Sign this device off the account afterwards"),
      h("p", {class: "row"}, button("Show the code", () => act({do: "send", sign_off: body.querySelector("#sign-off").checked}), {class: "main"})));
  }

  const cancel = () => button("Cancel the transfer", async () => {
    if (await sure("End this transfer? The code is dead then.", "End it")) await act({do: "cancel"});
  }, {class: "danger"});

  function cut(now) {
    return h("section", {class: "card", key: "cut"}, h("h2", {}, "A transfer was begun"),
      h("p", {}, now.state === "Expired" ? "Nobody came for it within a day." : `It is at: ${now.state}.`),
      now.error ? h("p", {key: "error", class: "bad"}, `${now.error}.`) : null,
      h("p", {class: "row"}, now.state === "Expired" ? null : button("Go on", () => act({do: "send"}), {class: "main"}), cancel()));
  }

  function code(now) {
    until = now.expires_at;
    const text = now.code.replace(/^SATCHEL:/, "").match(/.{1,5}/g).join("-");
    return [h("div", {class: "qr-place"}, qr(now.qr, "QR code of the transfer")),
      h("p", {class: "soft", "data-left": true}, ""),
      h("details", {}, h("summary", {}, "The same as text"), h("p", {class: "mono"}, `SATCHEL:${text}`),
        button("Copy it", () => navigator.clipboard.writeText(now.code), {}, "Copied."))];
  }

  function digits(now) {
    const input = h("input", {id: "digits", class: "digits", inputmode: "numeric", autocomplete: "off", required: true,
      pattern: "[0-9 ]{6,7}", maxlength: "7", "aria-describedby": "digits-why"});
    const onsubmit = (event) => {
      event.preventDefault();
      attempt(event.submitter, () => act({do: "digits", digits: body.querySelector("#digits").value}));
    };
    const form = h("form", {class: "row", onsubmit}, h("label", {}, `Six digits that ${now.device_name} shows`, input),
      h("button", {class: "main"}, "Release"));
    return [h("p", {id: "digits-why"}, "Type them from the device in your hand. There is one try: other digits end the transfer, and nothing is released."), form];
  }

  function running(now) {
    return h("section", {class: "card", key: "running"}, steps(STEPS, now.state === "BackupStored" ? "QRDisplayed" : now.state),
      now.state === "QRDisplayed" && now.qr ? code(now) : null,
      now.wants_digits ? digits(now) : now.state === "Transferring" ? h("p", {role: "status"}, `${now.device_name} takes it over…`) : null,
      h("p", {}, cancel()));
  }

  return {
    leave: () => clearInterval(clock),
    async refresh() {
      const now = await api.get("/api/transfer");
      const key = JSON.stringify(now);
      if (key === shown) return;
      shown = key;
      const had = body.querySelector("#digits");
      update(body, now.running ? running(now) : now.role === null ? begin(now) : cut(now));
      if (now.wants_digits && !had) body.querySelector("#digits").focus();
      if (now.state === "Done") say("Everything is on the new device.");
    },
  };
}
