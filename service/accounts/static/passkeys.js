// Makes and uses passkeys. What the browser answers goes in the form, as anything else does, so that every answer of the
// service is a page. Where a browser knows no passkeys the forms stay hidden, and people sign in by email.
const bytesOf = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (sign) => sign.charCodeAt(0));

const textOf = (bytes) => btoa(String.fromCharCode(...new Uint8Array(bytes)))
  .replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");

// The browser wants bytes where JSON has text; not every browser has parseCreationOptionsFromJSON and its kin.
const make = async (options) => {
  options.challenge = bytesOf(options.challenge);
  options.user.id = bytesOf(options.user.id);
  options.excludeCredentials = (options.excludeCredentials || []).map((each) => ({ ...each, id: bytesOf(each.id) }));
  const made = await navigator.credentials.create({ publicKey: options });
  return [made, { attestationObject: textOf(made.response.attestationObject) }];
};

const use = async (options) => {
  options.challenge = bytesOf(options.challenge);
  const used = await navigator.credentials.get({ publicKey: options });
  const { authenticatorData, signature, userHandle } = used.response;
  return [used, {
    authenticatorData: textOf(authenticatorData), signature: textOf(signature), userHandle: userHandle && textOf(userHandle),
  }];
};

const prepare = (form, act) => {
  if (!form || !window.PublicKeyCredential || !navigator.credentials) return;
  const said = form.querySelector(".said"), button = form.querySelector("button");
  form.hidden = false;
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    said.hidden = true;
    button.disabled = true;
    let sentence = form.dataset.failed;
    try {
      const asked = await fetch(form.dataset.options, {
        method: "POST", body: new URLSearchParams(new FormData(form)), headers: { Accept: "application/json" },
      });
      if ((asked.headers.get("Content-Type") || "").startsWith("application/json")) {
        const options = await asked.json();
        sentence = options.detail || sentence;
        if (asked.ok) {
          const [key, response] = await act(options);
          response.clientDataJSON = textOf(key.response.clientDataJSON);
          form.elements.answer.value = JSON.stringify({ id: key.id, rawId: textOf(key.rawId), type: key.type, response });
          form.submit();
          return;
        }
      }
    } catch {
      // The person went back, has no key here, or the connection broke: what to do is the same.
    }
    button.disabled = false;
    said.textContent = sentence;
    said.hidden = false;
  });
};

const adding = document.querySelector("#passkey-add");
prepare(document.querySelector("#passkey-sign-in"), use);
prepare(adding, make);
if (adding && !adding.hidden) document.querySelector("#passkeys-not-here").hidden = true;
