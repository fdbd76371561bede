import * as api from "./api.js";
import {attempt, bytes, button, h, sure, table, time} from "./dom.js";

export function backups(place, _, changed) {
  const to = h("input", {id: "place", required: true, size: "40", placeholder: "/media/stick/satchel/"});
  const form = h("form", {class: "card row"}, h("label", {}, "A file, or a folder that ends in a slash", to),
    h("button", {class: "main"}, "Back up now"));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    attempt(form.querySelector("button"), () => api.post("/api/backups", {do: "make", place: to.value}),
      "Backed up, sealed: the recovery phrase opens it.").then(changed);
  });
  const body = h("div", {class: "card"});
  place.append(form, body);
  return {async refresh() {
    const {place: where, backups: list} = await api.get("/api/backups");
    if (where !== null && to.value === "") to.value = where;
    const act = (what, version) => api.post("/api/backups", {do: what, version});
    body.replaceChildren(table("Backups", ["Version", "Made", "By", "Size", ""], list.map((b) => [
      String(b.version), time(b.created), b.device, bytes(b.size), h("span", {class: "row"},
        button("Verify", () => act("verify", b.version), {}, "All of it is there, and is what it was."),
        button("Delete", async () => {
          if (await sure(`Delete backup ${b.version} of ${time(b.created)}?`, "Delete")) {
            await act("delete", b.version);
            changed();
          }
        }, {class: "danger"}))]), "No backup yet."),
    h("p", {class: "soft"}, "satchel backup restore, with the recovery phrase, puts one back; it asks for the phrase itself, and a page never does."));
  }};
}
