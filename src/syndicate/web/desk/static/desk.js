// The desk without this file does everything; with it, books renew themselves and keys lead to pages.
"use strict";
(() => {
  const all = (selector, from = document) => [...from.querySelectorAll(selector)];
  const one = (selector, from = document) => from.querySelector(selector);

  // The clock: the publication's own time and zone, whatever this machine's are.
  const clock = one(".clock");
  if (clock) {
    const ahead = Date.parse(clock.dateTime) - Date.now();
    const zone = clock.dataset.zone;
    const told = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", hour12: false, timeZone: zone });
    setInterval(() => { clock.textContent = told.format(new Date(Date.now() + ahead)); }, 5000);
  }

  // What moves, every five seconds, until somebody pauses it.
  const live = one("[data-live]");
  const control = one("[data-pause]");
  if (live && control) {
    let paused = sessionStorage.getItem("desk.paused") === "yes";
    const show = () => {
      control.parentElement.hidden = false;
      control.textContent = paused ? "Resume updates" : "Pause updates";
    };
    control.addEventListener("click", () => {
      paused = !paused;
      sessionStorage.setItem("desk.paused", paused ? "yes" : "no");
      show();
    });
    show();
    setInterval(async () => {
      if (paused || document.hidden || live.contains(document.activeElement) || !getSelection().isCollapsed) return;
      const answer = await fetch(live.dataset.live, { headers: { Accept: "text/html" } }).catch(() => null);
      if (!answer || !answer.ok || answer.redirected) return;
      const text = await answer.text();
      if (!live.contains(document.activeElement)) live.innerHTML = text;
    }, 5000);
  }

  // A text that is tried is shown as its network would, while somebody writes; the answer to an older text is thrown away.
  for (const form of all("[data-preview]")) {
    let waiting = 0, asked = 0;
    const shown = one("[data-tried]", form.closest("figure"));
    const ask = async () => {
      const mine = ++asked;
      const body = new URLSearchParams(new FormData(form));
      body.set("part", "yes");
      const answer = await fetch(form.action, { method: "POST", body }).catch(() => null);
      if (!answer || !answer.ok || answer.redirected || mine !== asked) return;
      shown.setAttribute("role", "status");
      shown.innerHTML = await answer.text();
    };
    one("textarea", form).addEventListener("input", () => { clearTimeout(waiting); waiting = setTimeout(ask, 300); });
    form.addEventListener("submit", (event) => { event.preventDefault(); clearTimeout(waiting); ask(); });
  }

  // Single keys, which can be switched off (WCAG 2.1.4).
  const choice = one("[data-keys]");
  const off = () => localStorage.getItem("desk.keys") === "off";
  if (choice) {
    choice.closest("[hidden]").hidden = false;
    choice.checked = !off();
    choice.addEventListener("change", () => localStorage.setItem("desk.keys", choice.checked ? "on" : "off"));
  }
  const move = (step) => {
    const rows = all("[data-row] a, [data-row] button").filter((link, at, links) =>
      at === links.findIndex((other) => other.closest("[data-row]") === link.closest("[data-row]")));
    const here = rows.findIndex((link) => link.closest("[data-row]").contains(document.activeElement));
    const next = rows[Math.max(0, Math.min(rows.length - 1, here + step))];
    if (next) next.focus();
  };
  let going = 0; // when `g` was pressed
  document.addEventListener("keydown", (event) => {
    const typing = event.target.closest && event.target.closest("input, select, textarea, [contenteditable]");
    if (event.ctrlKey || event.metaKey || event.altKey || typing || off()) return;
    const way = Date.now() - going < 1500 && one(`.nav a[data-key="${CSS.escape(event.key)}"]`);
    going = 0;
    if (way) way.click();
    else if (event.key === "g") going = Date.now();
    else if (event.key === "/") { const field = one("[data-filter]"); if (!field) return; field.focus(); }
    else if (event.key === "j") move(1);
    else if (event.key === "k") move(-1);
    else if (event.key === "m") {
      const row = document.activeElement.closest("[data-row]");
      const way = row && one("[data-move]", row);
      if (!way) return;
      way.click();
    }
    else if (event.key === "h") { const hold = one("[data-hold]"); if (hold) hold.focus(); }
    else if (event.key === "?") { const help = one("[data-help]"); if (help) help.click(); }
    else return;
    event.preventDefault();
  });
})();
