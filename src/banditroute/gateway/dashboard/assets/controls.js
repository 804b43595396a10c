// What an admin's key may do, each thing only after it was said what it does.

import { byId, h, put, say } from "./dom.js";

/** The switches; `act(name, body)` asks the gateway, `announce` tells what came of it. */
export function controls(act, announce) {
  const confirm = confirmDialog();
  const model = h("select", { id: "switch-model" });
  const result = h("p", { class: "nothing", role: "status" });
  const throws = {
    switch: button("Switch everything to it", true, () => ({ name: "switch", body: { model: model.value }, title: `Switch everything to ${model.value}?`, text: "Every request that names no model goes to it while it can serve, on all processes with this store, until it is switched back. Caps and open circuits still hold." })),
    back: button("Let the router choose again", false, () => ({ name: "switch", body: { model: null }, title: "Let the router choose again?", text: "Requests that name no model are routed as they were before." })),
    freeze: button("Freeze exploration", true, () => ({ name: "freeze", body: { frozen: true }, title: "Freeze exploration?", text: "Nothing is tried: the model that is expected to be best serves. What it shows is still learned." })),
    unfreeze: button("Unfreeze exploration", false, () => ({ name: "freeze", body: { frozen: false }, title: "Unfreeze exploration?", text: "Models of which little is known are tried again." })),
    reload: button("Reload the configuration", false, () => ({ name: "reload", body: {}, title: "Reload the configuration?", text: "The file is read again and put in force if it can be used, keys and limits included; requests on their way finish on what they began with." })),
    drain: button("Drain", true, () => ({ name: "drain", body: { draining: true }, title: "Drain this process?", text: "New requests are refused with 503 and /health/ready says so, until they are let in again; requests in work are finished." })),
    undrain: button("Let requests in again", false, () => ({ name: "drain", body: { draining: false }, title: "Let requests in again?", text: "New requests are answered as before." })),
  };
  const node = h("div", { class: "controls", hidden: true }, h("h3", null, "Switches"), h("p", { class: "choice" }, h("label", { for: "switch-model" }, "Model"), " ", model, " ", throws.switch, throws.back), h("p", { class: "choice" }, throws.freeze, throws.unfreeze, throws.reload, throws.drain, throws.undrain), result);
  byId("rules").append(node);

  function button(text, grave, ask) {
    return h("button", { type: "button", class: grave ? "grave" : null, "aria-haspopup": "dialog", click: () => confirm(ask(), text, grave, carryOut) }, text);
  }

  async function carryOut({ name, body }) {
    try {
      const { done } = await act(name, body);
      say(result, `Done: ${done}.`);
      announce(`Done: ${done}.`);
    } catch (error) {
      say(result, error.message);
    }
  }

  return {
    update({ viewer, now, steering, models }) {
      node.hidden = !viewer?.admin;
      if (!viewer?.admin || !now || !steering || !models) return;
      const names = models.map((each) => each.model);
      if ([...model.options].map(({ value }) => value).join("\n") !== names.join("\n")) {
        const chosen = model.value;
        put(model, names.map((name) => h("option", { value: name, selected: name === chosen }, name)));
      }
      throws.back.hidden = !steering.only;
      throws.freeze.hidden = steering.frozen;
      throws.unfreeze.hidden = !steering.frozen;
      throws.drain.hidden = now.draining;
      throws.undrain.hidden = !now.draining;
    },
  };
}

function confirmDialog() {
  const dialog = byId("confirm");
  return (asked, text, grave, carryOut) => {
    const go = h("button", { type: "button", class: grave ? "grave" : "go", click: () => {
      dialog.close();
      carryOut(asked);
    } }, text);
    put(dialog, h("h2", { id: "confirm-heading" }, asked.title), h("p", null, asked.text), h("p", { class: "choice" }, h("button", { type: "button", autofocus: true, click: () => dialog.close() }, "Cancel"), go));
    dialog.showModal();
  };
}
