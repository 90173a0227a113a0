// Compares what the candidate gave with the badge's salted hashes here in the browser, as credentials/recipient.py does.
// What this browser cannot compute or could take otherwise (old hashes, an insecure page, letters beyond ASCII in an
// e-mail address, unseen characters) goes by POST, as without a script; so does what differs, where the service may know
// another address of the same person.
const whose = document.querySelector("#whose-form");

const kindOf = (value) => value.startsWith("did:") ? "did" : value.includes("@") && !value.includes(":") ? "email" : "other";

const sha256 = async (text) => {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
};

// true, false, or null where it cannot be told here.
const compare = async (subject, given) => {
  const value = given.trim().replace(/^mailto:/, "");
  const kind = kindOf(value);
  if (/[\p{Cc}\p{Cs}\ufeff]/u.test(given) || (kind === "email" && /[^\x20-\x7e]/.test(value))) return null;
  const same = (one) => kind === "email" ? one.toLowerCase() === value.toLowerCase() : one === value;
  const answers = [];
  const id = subject.id.replace(/^mailto:/, "");
  if (id && kindOf(id) === kind) answers.push(same(id));
  for (const each of subject.identifiers) {
    if ((each.identityType === "emailAddress") !== (kind === "email")) continue;
    if (each.hashed === false) { answers.push(same(each.identityHash)); continue; }
    const sign = each.identityHash.indexOf("$");
    if (sign < 0) continue;
    const algorithm = each.identityHash.slice(0, sign), digest = each.identityHash.slice(sign + 1);
    if (algorithm !== "sha256" || !window.crypto?.subtle) return null;
    const tried = kind === "email" ? [value, value.toLowerCase()] : [value];
    const digests = await Promise.all(tried.map((one) => sha256(one + each.salt)));
    answers.push(digests.includes(digest.toLowerCase()));
  }
  return answers.length ? answers.includes(true) : null;
};

if (whose) {
  const said = document.querySelector("#whose-said");
  whose.addEventListener("submit", async (event) => {
    event.preventDefault();
    const given = whose.elements.recipient.value, { yes, no, only, kinds, ask } = whose.dataset;
    const unlike = only && !kinds.split(" ").includes(kindOf(given.trim().replace(/^mailto:/, "")));
    const theirs = unlike ? false : await compare(JSON.parse(whose.dataset.subject), given);
    if (theirs === null || (!theirs && !unlike && ask)) { whose.submit(); return; }
    said.hidden = false;
    said.className = theirs ? "said good" : "said unsure";
    said.textContent = unlike ? only : theirs ? yes : no;
  });
  whose.elements.recipient.addEventListener("input", () => { said.hidden = true; });
}
