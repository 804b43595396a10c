// Light, dark, or as the system is.

import { byId, say } from "./dom.js";

const KEPT = "banditroute-theme";
const THEMES = ["system", "light", "dark"];

function apply(theme) {
  if (theme === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
  say(byId("theme"), `Theme: ${theme}`);
}

export function theme() {
  let chosen = localStorage.getItem(KEPT);
  if (!THEMES.includes(chosen)) chosen = "system";
  apply(chosen);
  byId("theme").addEventListener("click", () => {
    chosen = THEMES[(THEMES.indexOf(chosen) + 1) % THEMES.length];
    localStorage.setItem(KEPT, chosen);
    apply(chosen);
  });
}
