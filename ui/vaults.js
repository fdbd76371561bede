// Vaults, the items in one, and with whom each is shared.

import * as api from "./api.js";
import {attempt, button, bytes, dialog, h, keyed, sure, table, update} from "./dom.js";
import {openRow} from "./log.js";

const ROLES = ["read", "write", "admin"];
const OWN = new Set(["main", "account"]);

function roles(chosen, props) {
  return h("select", {value: chosen, ...props}, ROLES.map((r) => h("option", {value: r}, r)));
}

/** A form whose button does `work` and empties it. */
function form(props, fields, text, work, done) {
  const element = h("form", props, fields, h("button", {class: "main"}, text));
  element.addEventListener("submit", (event) => {
    event.preventDefault();
    attempt(element.querySelector("button"), async () => {
      await work();
      element.reset();
    }, done);
  });
  return element;
}

export function vaults(place, state, changed) {
  const name = h("input", {id: "vault-name", required: true, maxlength: "64", pattern: "[A-Za-z0-9._\\-]+"});
  const list = h("div", {class: "grid"});
  const shares = h("section", {class: "card", "aria-label": "Sharing"});
  const items = h("section", {class: "card", "aria-label": "Items"});
  const email = h("input", {id: "email", type: "email", required: true});
  const which = h("select", {id: "share-vault"});
  const role = roles("write", {id: "role"});
  const inviter = form({class: "row"}, [h("label", {}, "Vault", which), h("label", {}, "E-mail of their account", email), h("label", {}, "They may", role)],
    "Invite", () => api.post("/api/shares", {do: "invite", vault: which.value, email: email.value, role: role.value}).then(changed),
    "Invited. Once they have accepted, compare the safety number.");
  place.append(form({class: "card row"}, h("label", {}, "A new vault", name), "Create",
    () => api.post("/api/vaults", {do: "create", name: name.value}).then(changed), "Created."), list, shares, items);

  function rename(vault) {
    const to = h("input", {id: "to", value: vault.name, required: true, maxlength: "64"});
    const box = dialog(`Rename ${vault.name}`, form({class: "row"}, h("label", {}, "Its name on this device", to), "Rename", async () => {
      await api.post("/api/vaults", {do: "rename", name: vault.name, to: to.value});
      if (state.vault === vault.name) state.vault = to.value;
      box.close();
      changed();
    }, "Renamed."));
    to.select();
  }

  async function remove(vault) {
    if (!await sure(`Delete the vault ${vault.name}, and all that is in it on this device?`, "Delete")) return;
    await api.post("/api/vaults", {do: "delete", name: vault.name});
    if (state.vault === vault.name) state.vault = state.status.vault;
    changed();
  }

  const draw = (vault) => h("section", {class: "card", key: vault.name, "aria-label": vault.name}, h("h2", {}, vault.name),
    h("p", {class: "soft"}, `${bytes(vault.size)} · ${vault.tables} tracked table${vault.tables === 1 ? "" : "s"}`),
    vault.conflicts > 0 ? h("p", {key: "conflicts"}, h("a", {href: "#conflicts", class: "bad"}, `${vault.conflicts} to decide`)) : null,
    h("p", {class: "row"},
      button("Items", () => { state.vault = vault.name; changed(); }, {"aria-label": `Items of ${vault.name}`, "aria-pressed": String(state.vault === vault.name)}),
      OWN.has(vault.name) ? null : button("Rename", () => rename(vault), {"aria-label": `Rename ${vault.name}`}),
      OWN.has(vault.name) ? null : button("Delete", () => remove(vault), {class: "danger", "aria-label": `Delete ${vault.name}`})));

  /** The number is compared before a key is sealed for anybody. */
  async function confirm(share) {
    if (!await sure(`Does ${share.email} see the same safety number?`, "It is the same",
      h("p", {class: "mono big-text"}, share.safety_number),
      h("p", {class: "soft"}, "Compare it by voice, or face to face. Only then the vault's key is sealed for them."))) return;
    await api.post("/api/shares", {do: "confirm", id: share.id});
    changed();
  }

  function accept(share) {
    const called = h("input", {id: "called", value: "shared", required: true});
    const box = dialog(`Accept the vault from ${share.email}`, h("p", {}, "Its safety number, which they compare with you:"),
      h("p", {class: "mono big-text"}, share.safety_number),
      form({class: "row"}, h("label", {}, "What it is called here", called), "Accept", async () => {
        await api.post("/api/shares", {do: "accept", id: share.id, name: called.value});
        box.close();
        changed();
      }, "Accepted. It comes once they have confirmed."));
  }

  function actions(share) {
    if (share.is_ours)
      return share.standing === "invited" ? button("Accept", () => accept(share), {class: "main"}) : h("span", {class: "soft"}, "Waits for their confirmation");
    const may = roles(share.role, {"aria-label": `What ${share.email} may do in ${share.vault}`,
      onchange: ({currentTarget: is}) => attempt(is, () => api.post("/api/shares", {do: "role", id: share.id, role: is.value}).then(changed), "Changed.")});
    return h("span", {class: "row"}, share.standing === "accepted" ? button("Confirm", () => confirm(share), {class: "main"}) : null,
      share.standing === "confirmed" ? may : null,
      button("Revoke", async () => {
        if (!await sure(`Take ${share.vault} back from ${share.email}?`, "Revoke",
          h("p", {}, "What is written from now on is under a new key. What they have, they keep."))) return;
        await api.post("/api/shares", {do: "revoke", id: share.id});
        changed();
      }, {class: "danger"}));
  }

  async function drawShares() {
    const {email: own, shares: all} = await api.get("/api/shares").catch((failure) => {
      if (failure instanceof api.Gone) throw failure;
      return {email: "", shares: [], failure};
    });
    update(shares, h("h2", {}, "Sharing"), own === null
      ? [h("p", {class: "soft"}, "Sharing goes by a hub: satchel account register makes an account.")]
      : [inviter, table("Shares", ["Vault", "With", "May", "Standing", "Safety number", ""], all.map((s) => keyed(s.id, [
        s.vault || "not here yet", s.email, s.role, s.standing, h("span", {class: "mono"}, s.safety_number), actions(s)])), "Nothing is shared.")]);
  }

  function edit(item) {
    const id = h("input", {id: "item-id", required: true, value: item?.id ?? "", readonly: item !== undefined});
    const data = h("textarea", {id: "item-data", required: true, spellcheck: "false", value: item?.data ?? "{}"});
    const box = dialog(item ? `Item ${item.id}` : "A new item", form({class: "stack"}, [h("label", {}, "Id", id), h("label", {}, "Value, as JSON", data)], "Write", async () => {
      await api.post(`/api/items?vault=${state.vault}`, {id: id.value, data: data.value});
      box.close();
      changed();
    }, "Written."));
    (item ? data : id).focus();
  }

  async function drawItems() {
    const all = await api.get(`/api/items?vault=${state.vault}`);
    update(items, h("h2", {}, `Items of ${state.vault}`), h("p", {class: "row"}, button("New item", () => edit())),
      table("Items", ["Id", "Value", ""], all.map((i) => keyed(i.id, [h("span", {class: "mono"}, i.id), h("span", {class: "mono"}, i.data.slice(0, 200)),
        h("span", {class: "row"}, button("Edit", () => edit(i), {"aria-label": `Edit ${i.id}`}),
          button("History", () => openRow({table: "satchel_item", key: i.id}, state, changed), {"aria-label": `History of ${i.id}`}),
          button("Delete", async () => {
            if (!await sure(`Delete the item ${i.id}?`, "Delete")) return;
            await api.post(`/api/items?vault=${state.vault}`, {id: i.id});
            changed();
          }, {class: "danger", "aria-label": `Delete ${i.id}`}))])), "No items. Rows of your own tables are in History."));
  }

  return {async refresh() {
    const all = await api.get("/api/vaults");
    update(list, all.map(draw));
    update(which, all.filter((v) => v.name !== "account").map((v) => h("option", {key: v.name, value: v.name}, v.name)));
    await drawItems();
    await drawShares();
  }};
}
