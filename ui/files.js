import * as api from "./api.js";
import {bytes, h, table, time, update} from "./dom.js";

export function files(place, state) {
  const body = h("div", {class: "card"});
  place.append(body);
  return {async refresh() {
    const list = await api.get(`/api/files?vault=${state.vault}`);
    update(body, table("Files", ["Name", "Size", "Added", "Here"], list.map((f) => [
      f.name, bytes(f.size), time(f.created), f.present ? "yes" : h("span", {class: "warn"}, "on its way")]),
    "No files. satchel files add takes one into the vault."));
  }};
}
