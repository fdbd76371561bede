// Backups: every day or now, where they are, and what is in the list.

import * as api from "./api.js";
import {attempt, button, bytes, dialog, h, keyed, sure, table, time, update} from "./dom.js";

const clock = (minute) => `${String(Math.floor(minute / 60)).padStart(2, "0")}:${String(minute % 60).padStart(2, "0")}`;

function minuteOf(text) {
  const [hours, minutes] = text.split(":").map(Number);
  return hours * 60 + minutes;
}

export function backups(place, _, changed) {
  const to = h("input", {id: "place", required: true, size: "40", placeholder: "hub, or /media/stick/satchel/"});
  const daily = h("input", {type: "checkbox", id: "daily"});
  const at = h("input", {type: "time", id: "at", required: true});
  const now = h("button", {class: "main"}, "Back up now");
  const bar = h("progress", {"aria-label": "How far the backup is"});
  const word = h("p", {role: "status"});
  const form = h("form", {class: "card stack"},
    h("label", {}, "Where to: hub, a file, or a folder that ends in a slash", to),
    h("p", {class: "row"}, h("label", {class: "inline"}, daily, "Every day"), h("label", {class: "inline"}, "at", at)),
    h("p", {class: "row"}, now), bar, word);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    attempt(now, () => api.post("/api/backups", {do: "make", place: to.value}).then(changed));
  });
  let saving = false; // what was known before is not shown meanwhile
  const schedule = () => {
    saving = true;
    return attempt(null, () => api.post("/api/backups",
      {do: "schedule", enabled: daily.checked, minute: minuteOf(at.value || "03:00"), place: to.value})
      .finally(() => { saving = false; }).then(changed),
    daily.checked ? "A backup every day from now on, while the agent runs." : "No backups by themselves any more.");
  };
  daily.addEventListener("change", schedule);
  at.addEventListener("change", () => daily.checked && schedule());
  const body = h("div", {class: "card"});
  place.append(form, body);

  function tell({making, place: where, schedule: planned}, status) {
    const line = status.agent.backup ?? null;
    bar.hidden = !making.running && !line?.running;
    bar.max = Math.max(1, making.total);
    bar.value = making.done;
    now.disabled = making.running;
    word.className = making.error ? "bad" : "soft";
    word.textContent = making.error ? `${making.error}.` : making.running ? `${bytes(making.done)} of ${bytes(making.total)}`
      : making.made ? "Backed up, sealed: the recovery phrase opens it."
        : line?.error ? `The last one by itself failed: ${line.error}.` : line ? `The next one by itself: ${time(line.due_at)}.` : "";
    if (saving) return;
    if (form.contains(document.activeElement) && document.activeElement !== daily) return;
    if (to.value === "") to.value = planned.place || where || "";
    daily.checked = planned.enabled;
    at.value = clock(planned.minute);
  }

  return {async refresh({status}) {
    const all = await api.get("/api/backups");
    tell(all, status);
    const act = (what, version) => api.post("/api/backups", {do: what, version});
    update(body, table("Backups", ["Version", "Made", "By", "Size", ""], all.backups.map((b) => keyed(b.version, [
      String(b.version), time(b.created), b.device, bytes(b.size), h("span", {class: "row"},
        button("Verify", () => act("verify", b.version), {}, "All of it is there, and is what it was."),
        button("Restore", () => restore(b, changed)),
        button("Delete", async () => {
          if (await sure(`Delete backup ${b.version} of ${time(b.created)}?`, "Delete")) {
            await act("delete", b.version);
            changed();
          }
        }, {class: "danger"}))])), all.error ? `${all.error}.` : "No backup yet."));
  }};
}

/** Puts a backup in the place of what is here; the recovery phrase alone opens it. */
function restore(backup, changed) {
  const phrase = h("textarea", {id: "phrase", required: true, autocomplete: "off", spellcheck: "false", autocapitalize: "none", rows: "3"});
  const main = h("button", {class: "main"}, "Restore");
  const form = h("form", {class: "stack"}, h("label", {}, "Recovery phrase", phrase), h("p", {class: "row"}, main));
  const box = dialog(`Restore backup ${backup.version} of ${time(backup.created)}?`,
    h("p", {}, "The vaults of this device become what they were then. What was written since comes back from wherever else it is, and is gone where it is nowhere else."), form);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    attempt(main, async () => {
      await api.post("/api/restore", {version: backup.version, phrase: phrase.value.trim()});
      phrase.value = "";
      box.close();
      changed();
    });
  });
  box.addEventListener("close", () => { phrase.value = ""; });
  phrase.focus();
}
