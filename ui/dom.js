// What the views are made of.

import {h, update, whileBusy} from "./element.js";

export {h, update};

/** A row of a table, or an item of a list, that is told from others by `key`. */
export const keyed = (key, cells) => Object.assign(cells, {key});

export function table(caption, headings, rows, nothing) {
  if (rows.length === 0) return h("p", {class: "soft"}, nothing);
  return h("div", {class: "scroll", tabindex: "0", role: "region", "aria-label": caption},
    h("table", {},
      h("thead", {}, h("tr", {}, headings.map((t) => h("th", {scope: "col"}, t)))),
      h("tbody", {}, rows.map((cells) => h("tr", {key: cells.key}, cells.map((c) => h("td", {}, c)))))));
}

export const time = (ms) => ms === null ? "never" : new Date(ms).toLocaleString();

export function ago(ms) {
  if (ms === null) return "never";
  const seconds = Math.max(0, Math.round((Date.now() - ms) / 1000));
  if (seconds < 60) return "just now";
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ago`;
  return seconds < 86400 ? `${Math.floor(seconds / 3600)} h ago` : new Date(ms).toLocaleDateString();
}

/** A span of seconds, in words. */
export function span(seconds) {
  const [size, name] = seconds >= 3600 ? [3600, "hour"] : seconds >= 90 ? [60, "minute"] : [1, "second"];
  const count = Math.round(seconds / size);
  return `${count} ${name}${count === 1 ? "" : "s"}`;
}

export function bytes(count) {
  const units = ["B", "KB", "MB", "GB", "TB"];
  let unit = 0;
  for (; count >= 1000 && unit < 4; unit++) count /= 1000;
  return `${unit === 0 ? count : count.toFixed(1)} ${units[unit]}`;
}

let quiet;
/** A word to the person, read aloud, gone after a while. */
export function say(text) {
  const place = document.getElementById("said");
  clearTimeout(quiet);
  place.replaceChildren(h("p", {}, text));
  quiet = setTimeout(() => place.replaceChildren(), 8000);
}

/** Runs work for a button: disabled meanwhile, and what fails is told. */
export async function attempt(element, work, done) {
  document.getElementById("said").replaceChildren();
  try {
    const result = await whileBusy(element, work);
    if (done) say(done);
    return result ?? true;
  } catch (failure) {
    say(failure.message);
    return undefined;
  }
}

export function button(text, work, props = {}, done = "") {
  return h("button", {key: text, type: "button", onclick: (event) => attempt(event.currentTarget, work, done), ...props}, text);
}

/** A dialog that closes with Escape, its own button, or close(). */
export function dialog(title, ...content) {
  const head = h("h2", {id: "dialog-title"}, title);
  const box = h("dialog", {"aria-labelledby": "dialog-title"}, head, content,
    h("form", {method: "dialog", class: "row"}, h("button", {}, "Close")));
  box.addEventListener("close", () => box.remove());
  document.body.append(box);
  box.showModal();
  return box;
}

/** Asks before what can not be undone. */
export function sure(question, yes, ...why) {
  return new Promise((resolve) => {
    const box = dialog(question, why);
    const main = h("button", {type: "button", class: "main", onclick: () => { resolve(true); box.close(); }}, yes);
    box.querySelector("form").prepend(main);
    box.addEventListener("close", () => resolve(false));
  });
}

/** JSON for people: text without its quotes. */
export const show = (value) => typeof value === "string" ? value : JSON.stringify(value, null, 1);
