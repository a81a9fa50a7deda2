// Light or dark, before anything is painted: what was chosen here once, else what the system prefers.
const preferred = matchMedia("(prefers-color-scheme: light)").matches ? "light" : "dark";
let chosen = null;
try {
  chosen = localStorage.getItem("fleettwin.theme");
} catch {
  // the browser may keep storage from us
}
document.documentElement.dataset.theme = chosen === "light" || chosen === "dark" ? chosen : preferred;
