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

async function ask(path, options) {
  const headers = {...options.headers, Authorization: `Bearer ${sessionStorage.getItem(KEPT) ?? ""}`};
  let response;
  try {
    response = await fetch(path, {...options, headers});
  } catch {
    throw new Gone("The agent is not running.");
  }
  return read(response);
}

export const get = (path) => ask(path, {});

export const post = (path, body = {}) => ask(path, {
  method: "POST", headers: {"Content-Type": "application/json"}, body: JSON.stringify(body)});

export const postImage = (path, blob) => ask(path, {
  method: "POST", headers: {"Content-Type": "image/png"}, body: blob});

/** Takes the token out of the address, before anything else can see it. */
export async function enter() {
  const token = /^#([0-9a-f]{64})$/.exec(location.hash)?.[1];
  if (token === undefined) return;
  history.replaceState(null, "", "/#overview");
  const response = await fetch("/api/session", {
    method: "POST", headers: {"Content-Type": "application/json"}, body: JSON.stringify({token})});
  sessionStorage.setItem(KEPT, (await read(response)).bearer);
}

/** Calls `changed` when the agent says so, and `lost` while it can not be heard. */
export function listen(changed, lost) {
  let pause = 500;
  const open = () => {
    const socket = new WebSocket(`ws://${location.host}/api/events`);
    socket.onopen = () => {
      pause = 500;
      socket.send(sessionStorage.getItem(KEPT) ?? "");
      changed();
    };
    socket.onmessage = changed;
    socket.onclose = () => {
      lost();
      setTimeout(open, pause * (0.5 + Math.random()));
      pause = Math.min(2 * pause, 30000);
    };
  };
  open();
}
