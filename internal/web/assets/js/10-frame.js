"use strict";
// The pages work without this. It adds keys, partial pages and live counts.

// typing says whether a key goes into a field.
const typing = (e) => e.target.closest("input:not([type=checkbox]):not([type=radio]), textarea, select, [contenteditable]");

// On a phone the links of the bar scroll: the one that is open is in sight, also once
// the counts beside the others are there.
const inSight = () => {
  const bar = document.querySelector(".bar nav"), here = bar?.querySelector("[aria-current]");
  if (here) bar.scrollLeft = here.offsetLeft - bar.offsetLeft - (bar.clientWidth - here.offsetWidth) / 2;
};
inSight();

// A key presses the button or follows the link that carries it: data-key.
document.addEventListener("keydown", (e) => {
  if (e.ctrlKey || e.metaKey || e.altKey || e.isComposing || e.defaultPrevented) return;
  if (e.key === "Escape" && typing(e)) { e.target.blur(); return; }
  if (typing(e)) return;
  if (e.key === "/") {
    const box = document.querySelector("#search");
    if (box) { e.preventDefault(); box.focus(); box.select(); }
    return;
  }
  const scope = document.querySelector("dialog[open]") ?? document;
  const at = scope.querySelector(`[data-key="${CSS.escape(e.key.toLowerCase())}"]:not([disabled])`);
  if (!at) return;
  e.preventDefault();
  at.click();
  if (at.matches("summary") && at.parentElement.open) at.parentElement.querySelector("[data-first]")?.focus();
});

// A menu closes when somebody looks elsewhere, and with Escape.
const closeMenus = (but) => document.querySelectorAll(".menu[open]").forEach((m) => { if (m !== but) m.open = false; });
document.addEventListener("click", (e) => closeMenus(e.target.closest(".menu")));
document.addEventListener("keydown", (e) => {
  const open = e.key === "Escape" && document.querySelector(".menu[open]");
  if (open) { open.open = false; open.querySelector("summary").focus(); }
});

// swap puts the main part, the bar and the title of an answered page in place.
const swap = (text, address) => {
  const page = new DOMParser().parseFromString(text, "text/html");
  const main = page.querySelector("#main");
  if (!main) { location.assign(address); return; }
  const held = document.activeElement?.id;
  document.querySelector("#main").replaceWith(main);
  document.title = page.title;
  if (address !== location.href) history.pushState({ swapped: true }, "", address);
  const focus = main.querySelector("[autofocus]") ?? (held ? document.getElementById(held) : null);
  focus?.focus({ preventScroll: true });
  document.dispatchEvent(new CustomEvent("swapped"));
};

// tell says a sentence of the page's own, kept in the body's data.
const tell = (name) => {
  const line = document.querySelector("#said");
  if (line) { line.textContent = document.body.dataset[name] ?? ""; line.hidden = !line.textContent; }
};

// A form with data-swap is sent without leaving the page.
document.addEventListener("submit", async (e) => {
  const form = e.target;
  if (!form.matches("form[data-swap]") || e.defaultPrevented) return;
  e.preventDefault();
  const data = new URLSearchParams(new FormData(form, e.submitter));
  const get = (form.method || "get").toLowerCase() === "get";
  const address = new URL(e.submitter?.getAttribute("formaction") ?? form.getAttribute("action") ?? location.href, location.href);
  if (get) address.search = data;
  form.setAttribute("aria-busy", "true");
  try {
    const answer = await fetch(address, { method: get ? "GET" : "POST", body: get ? undefined : data, headers: { "Touchstone-Swap": "1" } });
    tell("");
    swap(await answer.text(), answer.url);
  } catch {
    tell("offline");
  } finally {
    form.removeAttribute("aria-busy");
  }
});
addEventListener("popstate", () => location.reload());

// Live counts: data-live names one, the stream sends them all.
const source = document.body.dataset.stream && new EventSource(document.body.dataset.stream);
let counted = false;
source?.addEventListener("counts", (e) => {
  for (const [name, text] of Object.entries(JSON.parse(e.data)))
    for (const at of document.querySelectorAll(`[data-live="${CSS.escape(name)}"]`)) { at.textContent = text; at.hidden = at.classList.contains("live") && (text === "" || text === "0"); }
  if (!counted) inSight(); // later counts leave it where a thumb has put it
  counted = true;
});
addEventListener("pagehide", () => source?.close());
