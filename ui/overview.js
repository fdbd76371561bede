import * as api from "./api.js";
import {ago, button, h, keyed, table, update} from "./dom.js";

export function overview(place, _, changed) {
  const sync = button("Sync now", async () => {
    await api.post("/api/sync");
    changed();
  }, {class: "main"}, "Syncing.");
  const body = h("div");
  place.append(h("p", {class: "row"}, sync), body);
  return {refresh: async ({status}) => draw(body, status, await api.get("/api/queue"))};
}

function draw(body, {agent, vaults, device_name, fingerprint}, queue) {
  update(body, 
    h("div", {class: "grid"},
      h("section", {class: "card"}, h("h2", {}, "This device"),
        h("p", {}, device_name), h("p", {class: "mono soft"}, fingerprint)),
      h("section", {class: "card"}, h("h2", {}, "Vaults"),
        vaults.map((v) => h("p", {class: "row between"}, v.name, v.conflicts > 0
          ? h("a", {href: "#conflicts", class: "bad"}, `${v.conflicts} to decide`)
          : h("span", {class: "good"}, "nothing to decide")))),
      h("section", {class: "card"}, h("h2", {}, "Agent"),
        h("p", {}, agent.address === null ? "Answers no other device."
          : ["Answers at ", h("span", {class: "mono"}, agent.address.replace(/#.*/, ""))]),
        h("p", {class: "soft"}, `Syncs every ${Math.round(agent.every_ms / 1000)} s, and when something changes.`))),
    agent.hub === null ? null : h("section", {class: "card"}, h("h2", {}, "Hub"),
      h("p", {}, `Last sync: ${ago(agent.hub.synced_at)}. `,
        agent.hub.error === null ? h("span", {class: "good"}, agent.hub.following ? "Follows it." : "Does not follow it.")
          : h("span", {class: "bad"}, agent.hub.error))),
    h("section", {class: "card"}, h("h2", {}, "Waits to be sent"),
      table("Queue", ["To", "Vault", "Changes"], queue.map((q) => keyed(`${q.to} ${q.vault}`, [q.to, q.vault, String(q.changes)])),
        "Nothing: whoever this device syncs with has all that is here.")),
    h("section", {class: "card"}, h("h2", {}, "In step with"),
      table("Devices in step", ["Device", "Last sync", "How it goes"], agent.peers.map((p) => [
        p.device_name, ago(p.synced_at),
        p.error === null ? h("span", {class: "good"}, "well")
          : h("span", {class: "bad"}, `${p.error}; again in ${Math.round(p.next_in_ms / 1000)} s`)]),
      "No other device was joined yet: satchel join, with the address that the other one prints.")));
}
