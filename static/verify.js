// Compares a file on the phone itself: only its code is asked of the server, never the file.
// Without this script, or without crypto.subtle, the form sends the file and the server compares.
(() => {
  "use strict";
  const MAX = 1048576;
  const ID = /\/ID\s*\[\s*(?:\(([0-9A-Za-z-]{8,20})\)|<([0-9A-Fa-f]{16,40})>)/;
  const form = () => document.getElementById("check-file");
  if (!form() || !window.crypto || !crypto.subtle || !window.fetch || !Blob.prototype.arrayBuffer) return;

  const codeIn = (bytes) => {
    const found = ID.exec(new TextDecoder("latin1").decode(bytes));
    if (!found) return "";
    return found[1] || found[2].replace(/../g, (pair) => String.fromCharCode(parseInt(pair, 16)));
  };

  const hex = (digest) => Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("");

  async function turnTo(code) {
    if (!/^[0-9A-Za-z]{8,24}$/.test(code)) return;
    const answer = await fetch("/verify/" + code, { credentials: "same-origin" });
    if (!answer.ok) { if (answer.status === 404) return; throw new Error(answer.status); }
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    document.getElementById("main").replaceChildren(...page.getElementById("main").childNodes);
    listen();
  }

  function say(verdict) {
    for (const box of document.querySelectorAll("[data-code-said]")) box.hidden = true;
    for (const box of document.querySelectorAll("[data-verdict]")) {
      box.hidden = box.dataset.verdict !== verdict;
      if (!box.hidden) { box.setAttribute("role", "alert"); box.focus(); box.scrollIntoView(); }
    }
  }

  async function compare(file) {
    const bytes = await file.arrayBuffer();
    const code = codeIn(bytes).toUpperCase();
    if (code && code !== form().dataset.code) await turnTo(code);
    const { sha256, superseded, code: known } = form().dataset;
    if (!known) return say("unknown");
    if (hex(await crypto.subtle.digest("SHA-256", bytes)) !== sha256) return say("changed");
    say(superseded === undefined ? "genuine" : "superseded");
  }

  function listen() {
    form().addEventListener("submit", (event) => {
      const file = form().elements.file.files[0];
      if (!file || file.size > MAX) return;
      event.preventDefault();
      compare(file).catch(() => HTMLFormElement.prototype.submit.call(form()));
    });
  }

  listen();
})();
