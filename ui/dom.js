// Elements without templates: text is always text, so that no value becomes markup.

/** h("p", {class: "soft", onclick}, "text", element, [more]) */
export function h(name, props = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(props)) {
    if (value === undefined || value === null || value === false) continue;
    if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else if (key === "value" || key === "checked") element[key] = value;
    else element.setAttribute(key, value === true ? "" : value);
  }
  element.append(...children.flat(Infinity).filter((c) => c !== null && c !== undefined && c !== false));
  return element;
}

export function table(caption, headings, rows, nothing) {
  if (rows.length === 0) return h("p", {class: "soft"}, nothing);
  return h("div", {class: "scroll", tabindex: "0", role: "region", "aria-label": caption},
    h("table", {},
      h("thead", {}, h("tr", {}, headings.map((t) => h("th", {scope: "col"}, t)))),
      h("tbody", {}, rows.map((cells) => h("tr", {}, cells.map((c) => h("td", {}, c)))))));
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
export async function attempt(button, work, done) {
  if (button) button.disabled = true;
  document.getElementById("said").replaceChildren();
  try {
    const result = await work();
    if (done) say(done);
    return result ?? true;
  } catch (failure) {
    say(failure.message);
    return undefined;
  } finally {
    if (button) button.disabled = false;
  }
}

export function button(text, work, props = {}, done = "") {
  const element = h("button", {type: "button", ...props}, text);
  element.addEventListener("click", () => attempt(element, work, done));
  return element;
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
