// The way to the gateway: every request carries the key in a header, and asks for one where it is not let in.

import { byId, h, put, say } from "./dom.js";

const KEPT = "banditroute-key";
const MARK = { "x-banditroute-dashboard": "1" };

let key = sessionStorage.getItem(KEPT) ?? "";

export function forgetKey() {
  key = "";
  sessionStorage.removeItem(KEPT);
}

export function hasKey() {
  return key !== "";
}

/** A response that is fine; asks for a key, and then once more, where the gateway does not know this one. */
export async function call(path, options = {}) {
  for (;;) {
    const headers = { ...MARK, ...(key ? { Authorization: `Bearer ${key}` } : {}), ...options.headers };
    const response = await fetch(path, { ...options, headers, credentials: "omit", cache: "no-store" });
    if (response.ok) return response;
    const { code, message } = await problemOf(response);
    const admit = code === "invalid_api_key" || (code === "not_allowed" && options.needed);
    if (!admit) throw new Error(message);
    await askForKey(key ? message : "");
  }
}

export const ask = async (path) => (await call(path)).json();

export async function act(name, body) {
  const response = await call(`dashboard/api/${name}`, { method: "POST", body: JSON.stringify(body), headers: { "Content-Type": "application/json" } });
  return response.json();
}

async function problemOf(response) {
  try {
    return (await response.json()).error;
  } catch {
    return { code: "", message: `the gateway answered ${response.status}` };
  }
}

let asking = null;

function askForKey(problem) {
  asking ??= shownDialog(problem).finally(() => {
    asking = null;
  });
  return asking;
}

function shownDialog(problem) {
  const dialog = byId("key");
  const input = h("input", { id: "key-input", type: "password", autocomplete: "off", required: true, "aria-describedby": "key-problem" });
  const keep = h("input", { id: "key-keep", type: "checkbox" });
  const told = h("p", { id: "key-problem", class: "problem", role: "alert" });
  return new Promise((resolve) => {
    const take = (event) => {
      event.preventDefault();
      key = input.value.trim();
      if (keep.checked) sessionStorage.setItem(KEPT, key);
      else sessionStorage.removeItem(KEPT);
      dialog.close();
      resolve();
    };
    put(dialog, h("form", { submit: take }, h("h2", { id: "key-heading" }, "This gateway asks for a key"), h("p", null, "One that is not bound to a tenant sees everything; an admin's key may throw switches, too. It is sent to this gateway only, and kept in this page's memory."), h("p", null, h("label", { for: "key-input" }, "Key"), input), h("p", { class: "keep" }, keep, h("label", { for: "key-keep" }, "Keep it until this tab is closed")), told, h("p", { class: "choice" }, h("button", { type: "submit", class: "go" }, "Show the dashboard"))));
    say(told, problem);
    dialog.oncancel = (event) => event.preventDefault();
    if (!dialog.open) dialog.showModal();
    input.focus();
  });
}
