import * as api from "./api.js";
import {button, dialog, h, keyed, show, table, time, update} from "./dom.js";

export function log(place, state, changed) {
  const body = h("div", {class: "card"});
  place.append(h("p", {class: "soft"}, "The newest 200 changes. A row opens to show itself through time."), body);
  return {async refresh({status}) {
    const entries = (await api.get(`/api/log?vault=${state.vault}`)).reverse();
    update(body, table("Changes", ["When", "Row", "What", "Device", "Elsewhere"], entries.map((e) => keyed(`${e.timestamp} ${e.device} ${e.version} ${show(e.key)}`, [
      time(e.timestamp),
      h("button", {type: "button", onclick: () => openRow(e, state, changed)}, `${e.table} ${show(e.key)}`),
      h("span", {class: "mono"}, `${e.operation} ${JSON.stringify(e.data).slice(0, 120)}`),
      e.device === status.device_id ? "this one" : e.device.slice(0, 8),
      e.synced ? h("span", {class: "good"}, "yes") : h("span", {class: "warn"}, "not yet")])),
    "Nothing was written yet."));
  }};
}

/** A row through time, in a dialog. */
export async function openRow(entry, state, changed) {
  const row = {table: entry.table, key: entry.key};
  const versions = (await api.post(`/api/history?vault=${state.vault}`, row)).reverse();
  const box = dialog(`${entry.table} ${show(entry.key)}`,
    table("Versions", ["Version", "When", "What", ""], versions.map((v, i) => [
      String(v.version), time(v.timestamp), h("span", {class: "mono"}, `${v.operation} ${JSON.stringify(v.data)}`),
      i === 0 ? "" : button("Revert to this", async () => {
        await api.post(`/api/revert?vault=${state.vault}`, {...row, version: v.version});
        box.close();
        changed();
      }, {}, "Written as it was then.")]), "No versions."));
}
