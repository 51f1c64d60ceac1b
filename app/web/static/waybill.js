// Keys and small comforts. Every page works without this file.
"use strict";

const JUMPS = { h: "/admin/", o: "/admin/orders/", t: "/admin/cases/", m: "/admin/codes/" };
let jumping = false;
let row = -1;

const rows = () => [...document.querySelectorAll("table.rows tbody tr")];

function go(step) {
  const all = rows();
  if (!all.length) return;
  row = Math.max(0, Math.min(all.length - 1, row + step));
  all.forEach((each, at) => each.classList.toggle("here", at === row));
  const link = all[row].querySelector(".rowlink");
  if (link) link.focus(); else all[row].scrollIntoView({ block: "nearest" });
}

function mark() {
  const box = rows()[row]?.querySelector("input[type=checkbox]");
  if (box) box.checked = !box.checked;
}

const KEYS = {
  "/": () => { const box = document.getElementById("q"); box?.focus(); box?.select(); },
  j: () => go(1),
  k: () => go(-1),
  x: mark,
  n: () => document.querySelector("a[rel=next]")?.click(),
  g: () => { jumping = true; setTimeout(() => { jumping = false; }, 1000); },
  "?": () => document.getElementById("keys").showModal(),
};

document.addEventListener("keydown", (event) => {
  const typing = event.target.matches("input, textarea, select, [contenteditable]");
  if (typing && event.key === "Escape") event.target.blur();
  if (typing || event.ctrlKey || event.metaKey || event.altKey) return;
  if (jumping && JUMPS[event.key]) { location.assign(JUMPS[event.key]); return; }
  const act = KEYS[event.key];
  if (act) { event.preventDefault(); act(); }
});

document.addEventListener("change", (event) => {
  if (!event.target.matches("[data-all]")) return;
  const boxes = event.target.closest("table").querySelectorAll("tbody input[type=checkbox]");
  boxes.forEach((box) => { box.checked = event.target.checked; });
});

// A request and its answer are fetched when they are asked for: an order may have hundreds.
document.addEventListener("toggle", async (event) => {
  const place = event.target;
  if (!place.open || !place.dataset?.src) return;
  const source = place.dataset.src;
  delete place.dataset.src;
  const answer = await fetch(source, { credentials: "same-origin" });
  if (!answer.ok) { place.dataset.src = source; return; }
  const parsed = new DOMParser().parseFromString(await answer.text(), "text/html");
  place.append(...parsed.body.children);
}, true);

// One open action at a time, and its reason is where the cursor goes.
document.addEventListener("toggle", (event) => {
  if (!event.target.open || !event.target.matches(".act")) return;
  document.querySelectorAll(".act[open]").forEach((other) => { if (other !== event.target) other.open = false; });
  event.target.querySelector("input[name=reason]")?.focus();
}, true);
