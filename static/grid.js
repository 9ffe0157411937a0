/* Small helps for the grid. Filters, sorting and paging all work without this file. */
"use strict";
(() => {
  const $ = (selector) => document.querySelector(selector);
  const typing = (node) => /^(INPUT|SELECT|TEXTAREA)$/.test(node.tagName);
  let at = -1;

  const phone = matchMedia("(max-width: 760px)");
  const filters = $(".filters");
  if (filters && phone.matches) filters.open = false;

  // Empty controls stay out of the address; a look-up alone never swaps the grid.
  document.addEventListener("htmx:configRequest", (event) => {
    if (event.target.id !== "filters") return;
    const said = event.detail.parameters;
    for (const key of Object.keys(said)) if (said[key] === "") delete said[key];
  });
  document.addEventListener("htmx:afterSwap", (event) => {
    if (event.detail.target.id !== "grid") return;
    at = -1;
    const grid = $("#grid");
    if (!typing(document.activeElement)) grid.focus({ preventScroll: true });
    const live = $("#live");
    if (live) live.textContent = grid.querySelector("table") ? grid.querySelectorAll("tbody tr").length : grid.textContent.trim();
    const file = $("#export");
    if (file) file.search = location.search;
  });

  const mark = (step) => {
    const rows = document.querySelectorAll("table.grid tbody tr");
    if (!rows.length) return;
    if (rows[at]) rows[at].classList.remove("at");
    at = Math.max(0, Math.min(rows.length - 1, at + step));
    rows[at].classList.add("at");
    const link = rows[at].querySelector("a");
    if (link) link.focus();
  };
  const keys = {
    "/": () => $(".find") && $(".find").focus(),
    j: () => mark(1),
    k: () => mark(-1),
    f: () => { if (filters) { filters.open = true; filters.querySelector("select, input").focus(); } },
    n: () => $("#p-next") && $("#p-next").click(),
    p: () => $("#p-previous") && $("#p-previous").click(),
  };
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey || typing(event.target) || document.body.dataset.keys === "off") return;
    const act = keys[event.key];
    if (act) { event.preventDefault(); act(); }
  });
})();
