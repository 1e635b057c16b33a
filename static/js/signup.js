// Solve a signup form's proof of work (subscribers/signup/proof_of_work.py) while the reader types.
// The form also works without a proof, but within a lower rate limit.
(() => {
  if (!window.crypto?.subtle) return;

  const PROOF_LIFETIME_MS = 8 * 60_000; // a little less than the server's limit
  const BATCH_SIZE = 8; // attempts at a time; the browser computes them off the main thread
  const proofs = new WeakMap(); // form → { startedAt, proof }

  const bytes = (hex) => Uint8Array.from(hex.match(/../g) ?? [], (pair) => parseInt(pair, 16));
  const hex = (buffer) =>
    Array.from(new Uint8Array(buffer), (byte) => byte.toString(16).padStart(2, "0")).join("");

  async function attempt({ nonce, salt, cost, keyLength }, counter) {
    const password = new Uint8Array([...bytes(nonce), 0, 0, 0, 0]);
    new DataView(password.buffer).setUint32(password.length - 4, counter);
    const key = await crypto.subtle.importKey("raw", password, "PBKDF2", false, ["deriveBits"]);
    const rule = { name: "PBKDF2", hash: "SHA-256", salt: bytes(salt), iterations: cost };
    return hex(await crypto.subtle.deriveBits(rule, key, keyLength * 8));
  }

  async function solve(challenge) {
    for (let first = 0; ; first += BATCH_SIZE) {
      const counters = Array.from({ length: BATCH_SIZE }, (_, offset) => first + offset);
      const keys = await Promise.all(counters.map((counter) => attempt(challenge.parameters, counter)));
      const index = keys.findIndex((key) => key.startsWith(challenge.parameters.keyPrefix));
      if (index < 0) continue;
      const solution = { counter: first + index, derivedKey: keys[index] };
      return btoa(JSON.stringify({ challenge, solution }));
    }
  }

  async function fetchAndSolve(form) {
    const response = await fetch(form.dataset.challenge);
    return response.ok ? solve(await response.json()) : "";
  }

  function proofFor(form) {
    const cached = proofs.get(form);
    if (cached && Date.now() - cached.startedAt < PROOF_LIFETIME_MS) return cached.proof;
    const proof = fetchAndSolve(form).catch(() => "");
    proofs.set(form, { startedAt: Date.now(), proof });
    return proof;
  }

  const formOf = (event) => event.target.closest?.("form[data-challenge]");

  async function send(form) {
    form.setAttribute("aria-busy", "true");
    form.elements.proof.value = await proofFor(form);
    proofs.delete(form); // the server accepts each proof once
    // With a cached proof we get here while the first submit event is still being dispatched; the
    // browser would ignore a second submit now. Wait for the next task.
    await new Promise((resolve) => setTimeout(resolve));
    form.removeAttribute("aria-busy");
    form.dataset.ready = "yes";
    form.requestSubmit();
  }

  document.addEventListener("focusin", (event) => {
    const form = formOf(event);
    if (form) proofFor(form);
  });

  // Runs in the capture phase, before htmx: hold the submission, get the proof, submit again.
  document.addEventListener(
    "submit",
    (event) => {
      const form = formOf(event);
      if (!form) return;
      if (form.dataset.ready) {
        delete form.dataset.ready;
        return;
      }
      event.preventDefault();
      event.stopImmediatePropagation();
      if (!form.hasAttribute("aria-busy")) send(form);
    },
    true,
  );
})();
