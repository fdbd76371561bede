// A device that has nothing yet: it becomes one of the person's devices by a code that another one
// shows, and says six digits.

import * as api from "./api.js";
import {attempt, button, h, sure, update} from "./dom.js";
import {camera} from "./camera.js";
import {steps} from "./transfer.js";

const STEPS = [["Transferring", "Making sure of each other"], ["Downloading", "Fetching the sealed copy"],
  ["Decrypting", "Opening it"], ["Importing", "Putting everything in its place"], ["Done", "Ready"]];

export function welcome(place, _, changed) {
  const body = h("div");
  place.append(body);
  let shown = "";
  const act = (path, what) => api.post(path, what).then(changed);

  function begin(now) {
    const is_new = now.role === null;
    const field = (id) => body.querySelector(`#${id}`);
    const take = async (blob) => {
      field("code").value = (await api.postImage("/api/scan", blob)).code;
    };
    const code = h("input", {id: "code", autocomplete: "off", spellcheck: "false", required: is_new});
    const name = h("input", {id: "name", maxlength: "100", placeholder: "phone"});
    const password = h("input", {id: "password", type: "password", autocomplete: "new-password", required: true});
    const again = h("input", {id: "again", type: "password", autocomplete: "new-password", required: is_new});
    const file = h("input", {type: "file", accept: "image/png", id: "image",
      onchange: ({currentTarget: is}) => attempt(null, () => take(is.files[0]), "The code was read.")});
    const onsubmit = (event) => {
      event.preventDefault();
      attempt(event.submitter, async () => {
        if (is_new && field("password").value !== field("again").value) throw new Error("The two passwords differ.");
        await act("/api/receive", {code: is_new ? field("code").value.trim() : null, password: field("password").value,
          name: is_new ? field("name").value.trim() || null : null});
      });
    };
    return h("form", {class: "card stack", key: `begin ${is_new}`, onsubmit},
      h("h2", {}, is_new ? "Make this device one of yours" : "Go on where it was"),
      is_new ? h("p", {}, "On the device that you have, open Transfer and show the code.") : h("p", {}, `It is at: ${now.state}.`),
      now.error ? h("p", {key: "error", class: "bad", role: "alert"}, `${now.error}.`) : null,
      is_new ? [h("div", {class: "row"}, button("Scan with the camera", () => camera(take, () => field("password").focus(), "The code was read."), {class: "main"}),
        h("label", {}, "or an image of it", file)), h("label", {}, "or the code as text", code),
      h("label", {}, "Name of this device", name)] : null,
      h("label", {}, is_new ? "A password for this device" : "The password that was chosen here", password),
      is_new ? h("label", {}, "The same password again", again) : null,
      h("p", {class: "row"}, h("button", {class: "main"}, is_new ? "Receive" : "Go on"),
        is_new ? null : button("Cancel it", async () => {
          if (await sure("End this transfer? What has come is removed.", "End it")) await act("/api/transfer", {do: "cancel"});
        }, {class: "danger"})));
  }

  function running(now) {
    return h("section", {class: "card", key: "running"}, steps(STEPS, now.state),
      now.digits ? [h("p", {key: "type"}, "Type these digits at the other device:"),
        h("p", {key: "digits", class: "big", role: "status"}, `${now.digits.slice(0, 3)} ${now.digits.slice(3)}`)] : null,
      button("Cancel", async () => {
        if (await sure("End this transfer? What has come is removed.", "End it")) await act("/api/transfer", {do: "cancel"});
      }, {class: "danger"}));
  }

  return {
    async refresh() {
      const now = await api.get("/api/transfer");
      if (now.next) {
        sessionStorage.clear();
        location.replace(now.next);
      }
      const key = JSON.stringify(now);
      if (key === shown) return;
      shown = key;
      update(body, now.running || now.state === "Done" ? running(now) : begin(now));
    },
  };
}
