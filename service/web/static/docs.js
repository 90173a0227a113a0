const dark = matchMedia("(prefers-color-scheme: dark)");
const follow = () => document.documentElement.classList.toggle("dark-mode", dark.matches);
dark.addEventListener("change", follow);
follow();
// The library leaves out the second level of headings, and the name of the list of servers; links within its buttons (deepLinking) would be two controls in one.
const complete = () => {
  document.querySelectorAll(".opblock-tag, .models h4").forEach((tag) => tag.setAttribute("aria-level", "2"));
  document.querySelector("#servers")?.setAttribute("aria-label", "Server");
};
SwaggerUIBundle({ url: "/openapi.json", dom_id: "#swagger-ui", docExpansion: "list", validatorUrl: null, onComplete: complete });
// What scrolls sideways can be reached with the keyboard, and copied with one press.
for (const code of document.querySelectorAll(".guide pre")) {
  const copy = Object.assign(document.createElement("button"), { type: "button", className: "copy", textContent: "Copy" });
  copy.addEventListener("click", async () => {
    await navigator.clipboard.writeText(code.querySelector("code").textContent);
    copy.textContent = "Copied";
  });
  code.tabIndex = 0;
  const frame = document.createElement("div");
  frame.className = "call";
  code.replaceWith(frame);
  frame.append(code, copy);
}
