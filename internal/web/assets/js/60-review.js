// Review: the next pair is in memory before it is asked for, and an answer is
// sent behind it. Without this the same forms lead from page to page.
{
  // ahead is the page of the next pair, waiting are answers on their way: pair →
  // how often it was asked, underway how many.
  let ahead = null;
  const underway = new Set();
  const desk = () => document.querySelector("#desk");
  const form = () => document.querySelector("form[data-desk]");

  // fetchAhead asks for the next pair, past those whose answers are on their way.
  const fetchAhead = () => {
    const d = desk();
    ahead = null;
    if (!d?.dataset.fetch || !form()) return;
    const address = new URL(d.dataset.fetch, location.href);
    for (const id of underway) address.searchParams.append("not", id);
    const one = (ahead = { address: address.href, text: null });
    one.ready = fetch(address, { headers: { "Touchstone-Ahead": "1" } })
      .then(async (answer) => { if (answer.ok && !answer.redirected) one.text = await answer.text(); })
      .catch(() => {});
  };

  // fetchEffect shows what every system would be sent, when it is known.
  const fetchEffect = async () => {
    const at = document.querySelector("[data-effect]");
    if (!at) return;
    try {
      const answer = await fetch(at.dataset.effect, { headers: { "Touchstone-Ahead": "1" } });
      if (!answer.ok) return;
      const found = new DOMParser().parseFromString(await answer.text(), "text/html").querySelector("#effect");
      if (found && at.isConnected) at.replaceChildren(...found.childNodes, " ", at.querySelector("a") ?? "");
    } catch { /* the link stays */ }
  };

  // say tells what an answer did, with the button that takes it back.
  const say = (text, kind, undo) => {
    const at = document.querySelector("#told");
    if (!at) return null;
    const line = document.createElement("div");
    line.className = kind;
    const words = document.createElement("span");
    words.textContent = text;
    line.append(words);
    if (undo) {
      const b = document.createElement("button");
      b.type = "button";
      b.className = "plain";
      b.dataset.key = "z";
      b.innerHTML = "<span></span> <kbd>Z</kbd>";
      b.firstChild.textContent = desk()?.dataset.undo ?? "Z";
      b.addEventListener("click", undo);
      line.append(b);
    }
    at.replaceChildren(line);
    return line;
  };

  // standing says how many pairs wait and how far the day is: the page on the screen
  // was made before the answer was kept.
  const standing = (told) => {
    const open = document.querySelector(".budget > a"), today = document.querySelector(".today");
    if (open && told.open) open.textContent = told.open;
    if (!today || !told.done) return;
    today.querySelector("meter").value = told.decided;
    today.querySelector("span").textContent = told.done;
  };

  const post = (address, data) =>
    fetch(address, { method: "POST", body: data, headers: { Accept: "application/json" } });

  // kept is a page taken off the screen: main with all that was typed, its title
  // and address.
  const keep = () => ({ main: document.querySelector("#main"), title: document.title, address: location.href, pair: desk()?.dataset.pair });
  const bringBack = (page, text) => {
    if (page.main !== document.querySelector("#main")) {
      document.querySelector("#main").replaceWith(page.main);
      document.title = page.title;
      history.replaceState({ swapped: true }, "", page.address);
    }
    for (const b of page.main.querySelectorAll("button[disabled]")) b.disabled = false;
    page.main.querySelector("form[data-desk]")?.removeAttribute("aria-busy");
    say(text, "problem-box");
    page.main.querySelector("#pair")?.focus({ preventScroll: true });
    underway.delete(page.pair);
    fetchAhead();
  };
  const signedOut = (page) => {
    bringBack(page, desk()?.dataset.signin ?? "");
    const link = document.createElement("a");
    link.href = "/login?" + new URLSearchParams({ next: desk()?.dataset.address ?? "/review" });
    link.textContent = desk()?.dataset.signinLink ?? "";
    document.querySelector("#told .problem-box")?.append(" ", link);
  };

  // undoer takes an answer back and leads to its pair.
  const undoer = (pair, decisions, filters) => async () => {
    const data = new URLSearchParams({ pair, filters });
    for (const id of decisions) data.append("undo", id);
    const page = keep();
    try {
      const answer = await post("/review/undo", data);
      if (answer.status === 401 || answer.redirected) { signedOut(page); return; }
      const told = await answer.json();
      if (!answer.ok) { say(told.text, "problem-box"); return; }
      const back = "/review/" + encodeURIComponent(pair) + (filters ? "?" + filters : "");
      swap(await (await fetch(back)).text(), new URL(back, location.href).href);
      say(told.text, "done");
    } catch {
      say(page.main.querySelector("#desk")?.dataset.offline ?? "", "problem-box");
    }
  };

  // answer sends one, with the next pair on the screen already.
  const answer = async (f, submitter) => {
    if (f.getAttribute("aria-busy")) return;
    const data = new URLSearchParams(new FormData(f, submitter));
    const page = keep(), filters = desk().dataset.filters ?? "", pair = page.pair;
    const doneText = submitter.textContent.trim();
    f.setAttribute("aria-busy", "true");
    underway.add(pair);
    const sent = post(f.action, data).catch(() => null);
    const next = ahead;
    let shown = null;
    if (next?.text) {
      swap(next.text, new URL("/review" + (filters ? "?" + filters : ""), location.href).href);
      shown = say(doneText + " …", "done");
    }
    const got = await sent;
    underway.delete(pair);
    if (!got) { bringBack(page, page.main.querySelector("#desk").dataset.offline); return; }
    if (got.status === 401 || got.redirected) { signedOut(page); return; }
    let told;
    try { told = await got.json(); } catch { location.assign(page.address); return; }
    if (!got.ok && told.state === "problem") { bringBack(page, told.text); return; }
    if (!got.ok) { // it is another pair than was looked at: show it as it is now
      const back = "/review/" + encodeURIComponent(pair) + (filters ? "?" + filters : "");
      swap(await (await fetch(back)).text(), new URL(back, location.href).href);
      say(told.text, "problem-box");
      return;
    }
    if (!shown) {
      await next?.ready;
      const address = new URL("/review" + (filters ? "?" + filters : ""), location.href).href;
      swap(next?.text ?? (await (await fetch(address)).text()), address);
    }
    standing(told);
    const undo = told.undo.length || data.get("say") === "skip" ? undoer(pair, told.undo, filters) : null;
    if (!document.querySelector("#told .problem-box")) say(told.text, "done", undo);
  };

  document.addEventListener("submit", (e) => {
    if (!e.target.matches("form[data-desk]") || !e.submitter) return;
    e.preventDefault();
    if (e.submitter.value) answer(e.target, e.submitter);
    else document.activeElement.blur(); // the return key in a field answers nothing
  });

  // Moving between the fields, and picking one side by its number.
  const lines = () => [...document.querySelectorAll("tr.line")].filter((l) => l.querySelector("input[type=radio]"));
  const at = () => document.querySelector("tr.line.at") ?? document.activeElement?.closest("tr.line");
  const go = (by) => {
    const all = lines();
    if (!all.length) return;
    const i = all.indexOf(at());
    const line = all[i < 0 ? (by > 0 ? 0 : all.length - 1) : (i + by + all.length) % all.length];
    for (const l of all) l.classList.toggle("at", l === line);
    line.scrollIntoView({ block: "nearest" });
    line.querySelector("td input[type=radio], input[type=radio]").focus({ preventScroll: true });
  };
  const pick = (n) => {
    const line = at() ?? lines()[0];
    if (!line) return;
    if (n === 0) { for (const r of line.querySelectorAll("input[type=radio]")) r.checked = false; return; }
    const radio = line.querySelector(`input[type=radio][value="${["a", "b", "typed"][n - 1]}"]`);
    if (!radio) return;
    radio.checked = true;
    radio.focus({ preventScroll: true });
    if (n === 3) line.querySelector(".typed-value input")?.focus();
  };
  document.addEventListener("keydown", (e) => {
    if (e.ctrlKey || e.metaKey || e.altKey || e.isComposing || e.defaultPrevented || typing(e) || !form()) return;
    const relate = document.querySelector("#relate[open]");
    const key = e.key.toLowerCase();
    if (relate && /^[1-9]$/.test(key)) {
      const b = relate.querySelector(`[data-choice="${key}"]`);
      if (b) { e.preventDefault(); b.click(); }
      return;
    }
    if (relate && key === "escape") { relate.open = false; return; }
    const does = {
      j: () => go(1), k: () => go(-1), 1: () => pick(1), 2: () => pick(2), 3: () => pick(3), 0: () => pick(0),
      w: () => document.querySelector("#why")?.focus(),
    }[key];
    if (!does) return;
    e.preventDefault();
    does();
  });
  document.addEventListener("focusin", (e) => {
    const line = e.target.closest?.("tr.line");
    if (line) for (const l of document.querySelectorAll("tr.line.at")) l.classList.toggle("at", l === line);
  });
  addEventListener("beforeunload", (e) => { if (underway.size) e.preventDefault(); });

  const start = () => { if (desk()) { fetchAhead(); fetchEffect(); } };
  document.addEventListener("swapped", start);
  start();
}
