// Do the proof of work of a signup form (subscribers/signup/proof_of_work.py) while its reader types.
// Without it the form works too, within narrower limits.
(() => {
  if (!window.crypto?.subtle) return;

  const GOOD_FOR = 8 * 60_000; // a little less than the server allows
  const AT_ONCE = 8; // tries under way at a time: they run beside the page, not in it
  const works = new WeakMap(); // form → { since, proof }

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
    for (let first = 0; ; first += AT_ONCE) {
      const counters = Array.from({ length: AT_ONCE }, (_, each) => first + each);
      const keys = await Promise.all(counters.map((each) => attempt(challenge.parameters, each)));
      const found = keys.findIndex((key) => key.startsWith(challenge.parameters.keyPrefix));
      if (found < 0) continue;
      const solution = { counter: first + found, derivedKey: keys[found] };
      return btoa(JSON.stringify({ challenge, solution }));
    }
  }

  async function work(form) {
    const answer = await fetch(form.dataset.challenge);
    return answer.ok ? solve(await answer.json()) : "";
  }

  function proofFor(form) {
    const known = works.get(form);
    if (known && Date.now() - known.since < GOOD_FOR) return known.proof;
    const proof = work(form).catch(() => "");
    works.set(form, { since: Date.now(), proof });
    return proof;
  }

  const formOf = (event) => event.target.closest?.("form[data-challenge]");

  async function send(form) {
    form.setAttribute("aria-busy", "true");
    form.elements.proof.value = await proofFor(form);
    works.delete(form); // each is good once
    // A proof that was there already comes before the first press is over: then this one is lost.
    await new Promise((resolve) => setTimeout(resolve));
    form.removeAttribute("aria-busy");
    form.dataset.ready = "yes";
    form.requestSubmit();
  }

  document.addEventListener("focusin", (event) => {
    const form = formOf(event);
    if (form) proofFor(form);
  });

  // Heard before htmx and before the browser: wait for the proof, then press once more.
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
