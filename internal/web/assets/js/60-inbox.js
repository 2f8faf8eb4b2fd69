"use strict";
// Lists are walked with J and K, a bulk repair goes on by itself until it is
// stopped, and E goes to the field that is to be mended.

document.addEventListener("keydown", (e) => {
  if (e.ctrlKey || e.metaKey || e.altKey || e.isComposing || e.defaultPrevented || typing(e)) return;
  if (e.key !== "j" && e.key !== "k") return;
  const rows = [...document.querySelectorAll("[data-rows] [data-row]")];
  if (!rows.length) return;
  const at = rows.indexOf(document.activeElement);
  const next = at < 0 ? 0 : Math.min(Math.max(at + (e.key === "j" ? 1 : -1), 0), rows.length - 1);
  e.preventDefault();
  rows[next].focus();
});

// A key on a field puts the cursor there and marks what it holds.
document.addEventListener("click", (e) => {
  if (e.target.matches("input[data-key]") && e.detail === 0) { e.target.focus(); e.target.select(); }
});

let goesOn;
const goOn = () => {
  clearTimeout(goesOn);
  const form = document.querySelector("form[data-goes-on]");
  if (form) goesOn = setTimeout(() => form.isConnected && form.requestSubmit(), 150);
};
document.addEventListener("click", (e) => { if (e.target.closest("[data-stop]")) clearTimeout(goesOn); });
document.addEventListener("swapped", goOn);
goOn();
