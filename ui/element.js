// Elements without templates: text is always text, so that no value becomes markup. What is there
// already stays when it is drawn again, so that neither a click under way, nor the focus, nor what
// was typed is lost to news that came in between.

const drawn = new WeakMap(); // of an element, what its markup does not say
const busy = new WeakSet();  // disabled while its work is under way

const said = (element) => drawn.get(element) ?? {handlers: {}};
const real = (node) => node !== null && node !== undefined && node !== false;

/**
 * h("p", {class: "soft", onclick}, "text", element, [more])
 *
 * `key` tells an element from others like it. What is drawn again keeps its nodes and gets the
 * newer handlers: those ask event.currentTarget, not what was made beside them.
 */
export function h(name, {key, value, checked, ...props} = {}, ...children) {
  const element = document.createElement(name);
  const handlers = {};
  for (const [prop, is] of Object.entries(props)) {
    if (!real(is)) continue;
    if (prop.startsWith("on")) handlers[prop] = element[prop] = is;
    else element.setAttribute(prop, is === true ? "" : is);
  }
  element.append(...children.flat(Infinity).filter(real));
  if (value !== undefined) element.value = value; // a select's needs its options
  if (checked !== undefined) element.checked = checked;
  drawn.set(element, {key, value, checked, handlers});
  return element;
}

const alike = (a, b) => a.nodeName === b.nodeName && a.id === b.id && a.type === b.type;

function renewAttributes(old, fresh) {
  for (const {name} of [...old.attributes])
    if (!fresh.hasAttribute(name) && name !== "open" && !(name === "disabled" && busy.has(old))) old.removeAttribute(name);
  for (const {name, value} of fresh.attributes)
    if (old.getAttribute(name) !== value) old.setAttribute(name, value);
}

function renew(old, fresh) {
  if (old.nodeType !== Node.ELEMENT_NODE) {
    if (old.data !== fresh.data) old.data = fresh.data;
    return;
  }
  const before = said(old), now = said(fresh);
  renewAttributes(old, fresh);
  update(old, ...fresh.childNodes);
  for (const name of Object.keys(before.handlers)) old[name] = null;
  Object.assign(old, now.handlers);
  // What a person is typing is theirs.
  const is_theirs = old === document.activeElement && now.value !== before.value;
  if (!is_theirs && now.value !== before.value) old.value = now.value;
  if (now.checked !== before.checked) old.checked = now.checked;
  drawn.set(old, is_theirs ? {...now, value: before.value} : now);
}

/** Makes what is in `place` be `nodes`, with what is there already wherever it is the same thing. */
export function update(place, ...nodes) {
  const wanted = nodes.flat(Infinity).filter(real).map((n) => n instanceof Node ? n : new Text(n));
  const ours = new Set(wanted);
  const keys = new Set(wanted.map((n) => said(n).key));
  const had = place.contains(document.activeElement);
  const keyed = new Map();
  for (const child of [...place.childNodes]) {
    const {key} = said(child);
    if (key === undefined || ours.has(child)) continue;
    if (keys.has(key)) keyed.set(key, child);
    else child.remove();
  }
  let at = place.firstChild;
  for (const node of wanted) {
    const {key} = said(node);
    const here = node.parentNode === place ? node : key !== undefined ? keyed.get(key)
      : at && said(at).key === undefined && !ours.has(at) && alike(at, node) ? at : undefined;
    keyed.delete(key);
    const stays = here ?? node;
    if (stays !== node) renew(stays, node);
    if (stays === at) at = at.nextSibling;
    else place.insertBefore(stays, at);
  }
  while (at) {
    const next = at.nextSibling;
    at.remove();
    at = next;
  }
  // Where what had the focus is gone, the keyboard goes on from nearby.
  if (had && document.activeElement === document.body) place.closest("[tabindex]")?.focus();
}

/** Disabled, until `work` is done. */
export async function whileBusy(element, work) {
  if (!element) return work();
  const had = element === document.activeElement;
  busy.add(element);
  element.disabled = true;
  try {
    return await work();
  } finally {
    busy.delete(element);
    element.disabled = false;
    if (had && element.isConnected && document.activeElement === document.body) element.focus();
  }
}
