import * as api from "./api.js";
import {h, keyed, table, time, update} from "./dom.js";

export function audit(place, state, changed) {
  const search = h("input", {type: "search", id: "search"});
  const body = h("div", {class: "card"});
  search.addEventListener("input", changed);
  place.append(h("p", {class: "row"}, h("label", {class: "inline", for: "search"}, "Search"), search,
    button()), body);
  let all = [];
  function button() {
    return h("button", {type: "button", onclick: () => {
      const url = URL.createObjectURL(new Blob([JSON.stringify(all, null, 1)], {type: "application/json"}));
      h("a", {href: url, download: "satchel-audit.json"}).click();
      URL.revokeObjectURL(url);
    }}, "Export");
  }
  return {async refresh() {
    all = (await api.get("/api/audit")).reverse();
    const wanted = search.value.toLowerCase();
    const found = all.filter((e) => `${e.event} ${e.detail}`.toLowerCase().includes(wanted));
    update(body, h("p", {class: "good"}, "The chain of hashes holds."),
      table("Events", ["When", "Event", "Detail", "Hash"], found.map((e) => keyed(e.hash, [
        time(e.time), e.event, e.detail, h("span", {class: "mono soft"}, e.hash.slice(0, 12))])), "Nothing happened."));
  }};
}
