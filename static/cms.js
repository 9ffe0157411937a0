/* Small helps for the staff's pages. Everything works without this file. */
"use strict";
(() => {
  const all = (selector, make) => document.querySelectorAll(selector).forEach(make);
  const later = (wait, work) => { let timer; return () => { clearTimeout(timer); timer = setTimeout(work, wait); }; };

  all("[data-focus]", (box) => box.focus());
  all("[data-print]", (button) => { button.hidden = false; button.onclick = () => window.print(); });

  // A second press while the first answer is on its way must not send twice.
  all("form[data-once]", (form) => form.addEventListener("submit", () => {
    setTimeout(() => form.querySelectorAll("button").forEach((b) => { b.disabled = true; }));
  }));
  addEventListener("pageshow", () => all("form[data-once] button", (b) => { b.disabled = false; }));

  // Ctrl Enter saves from inside a long text.
  document.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && event.ctrlKey && event.target.form) event.target.form.requestSubmit();
  });

  // The browser shows dates in an order of its own; say the day in words beside it.
  all("input[type=date]", (field) => {
    const words = new Intl.DateTimeFormat(document.documentElement.lang === "hi" ? "hi-IN" : "en-IN", { day: "numeric", month: "long", year: "numeric", weekday: "short" });
    const said = document.createElement("p");
    said.className = "hint";
    field.after(said);
    const show = () => { said.textContent = field.valueAsDate ? words.format(field.valueAsDate) : ""; };
    field.addEventListener("change", show);
    show();
  });

  all("[data-poll]", (place) => {
    let tries = 0;
    const ask = async () => {
      tries += 1;
      const answer = await fetch(place.dataset.poll).catch(() => null);
      const line = answer && answer.ok ? await answer.text() : "";
      if (line.includes("data-ready")) { place.innerHTML = line; return; }
      if (tries < 40) setTimeout(ask, tries < 10 ? 700 : 5000);
    };
    setTimeout(ask, 500);
  });

  all("[data-lookup]", (field) => {
    const list = document.getElementById(`${field.id}-list`);
    const fill = async () => {
      const q = field.value.trim();
      if (q.length < 2 || [...list.options].some((o) => o.value === field.value)) return;
      const answer = await fetch(`/admin/complaint/lookup/${field.dataset.lookup}/?q=${encodeURIComponent(q)}`).catch(() => null);
      if (!answer || !answer.ok) return;
      list.replaceChildren(...(await answer.json()).map((label) => new Option(label, label)));
    };
    field.addEventListener("input", later(180, fill));
  });

  all("[data-same-phone]", (field) => {
    const place = document.getElementById("earlier");
    const ask = async () => {
      const digits = field.value.replace(/\D/g, "");
      if (digits.length < 10) { place.replaceChildren(); return; }
      const body = new URLSearchParams({ phone: field.value, csrf_token: field.form.csrf_token.value });
      const answer = await fetch(field.dataset.samePhone, { method: "POST", body }).catch(() => null);
      if (answer && answer.ok) place.innerHTML = await answer.text();
    };
    field.addEventListener("input", later(300, ask));
    place.addEventListener("click", (event) => {
      const said = event.target.dataset;
      if (!said.take) return;
      ["name", "address", "email"].forEach((name) => { field.form.elements[name].value = said[name]; });
      field.form.elements.text.focus();
    });
  });

  all("[data-quick]", (row) => {
    const field = document.getElementById(row.dataset.quick);
    row.hidden = false;
    row.addEventListener("click", (event) => {
      if (event.target.tagName !== "BUTTON") return;
      field.value = `${field.value.trim()} ${event.target.textContent}`.trimStart();
      field.focus();
    });
  });

  // The label of the details says what the chosen disposition must state.
  all("[data-requires]", (choice) => {
    const field = document.getElementById(choice.dataset.requires);
    const box = field.closest(".field");
    const show = () => {
      const needs = choice.selectedOptions[0].dataset.needs || "";
      box.hidden = !needs;
      field.required = Boolean(needs);
      if (needs) box.querySelector("label").textContent = needs;
    };
    choice.addEventListener("change", show);
    show();
  });

  all("[data-filter]", (field) => {
    const rows = [...document.getElementById(field.dataset.filter).querySelectorAll(".choice")];
    field.addEventListener("input", () => {
      const words = field.value.toLowerCase().split(/\s+/);
      rows.forEach((row) => { row.hidden = !words.every((w) => row.textContent.toLowerCase().includes(w)); });
    });
  });
})();
