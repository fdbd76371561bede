// The conversation with the agent: one exchange of the token in the address, then a bearer token
// that lives as long as this tab.

const KEPT = "satchel";

export class Gone extends Error {}

async function read(response) {
  const body = await response.json().catch(() => ({}));
  if (response.ok) return body;
  const message = body.detail ?? `The agent answered ${response.status}.`;
  throw response.status === 401 ? new Gone(message) : new Error(message[0].toUpperCase() + message.slice(1) + ".");
}

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** `tries`: a question may be asked again where nobody answers, a deed is done once. */
async function ask(path, options, tries) {
  const headers = {...options.headers, Authorization: `Bearer ${sessionStorage.getItem(KEPT) ?? ""}`};
  for (; ; tries--)
    try {
      return await read(await fetch(path, {...options, headers}));
    } catch (failure) {
      if (!(failure instanceof TypeError)) throw failure;
      if (tries <= 1) throw new Gone("The agent is not running.");
      await pause(400);
    }
}

export const get = (path) => ask(path, {}, 3);

export const post = (path, body = {}) => ask(path, {
  method: "POST", headers: {"Content-Type": "application/json"}, body: JSON.stringify(body)}, 1);

export const postImage = (path, blob) => ask(path, {
  method: "POST", headers: {"Content-Type": "image/png"}, body: blob}, 1);

/** Takes the token out of the address, before anything else can see it. */
export async function enter() {
  const token = /^#([0-9a-f]{64})$/.exec(location.hash)?.[1];
  if (token === undefined) return;
  history.replaceState(null, "", "/#overview");
  const response = await fetch("/api/session", {
    method: "POST", headers: {"Content-Type": "application/json"}, body: JSON.stringify({token})});
  sessionStorage.setItem(KEPT, (await read(response)).bearer);
}

/** Calls `changed` when the agent says so, and `lost` while it can not be heard; until it is told to stop. */
export function listen(changed, lost) {
  let wait = 500, is_over = false;
  const open = () => {
    if (is_over) return;
    const socket = new WebSocket(`ws://${location.host}/api/events`);
    socket.onopen = () => {
      wait = 500;
      socket.send(sessionStorage.getItem(KEPT) ?? ""); // it answers with a first word
    };
    socket.onmessage = changed;
    socket.onclose = () => {
      if (is_over) return;
      lost();
      setTimeout(open, wait * (0.5 + Math.random()));
      wait = Math.min(2 * wait, 30000);
    };
  };
  open();
  return () => { is_over = true; };
}
