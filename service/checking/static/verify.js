// What the form can do better with a script; without it everything works by itself.
const field = document.querySelector("#file");
const form = document.querySelector("#verify-form");
const typed = document.querySelector("#received");

// Enter sends a link, and begins a new line in anything longer.
typed?.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || event.shiftKey || event.isComposing || !/^\s*https?:\/\/\S+\s*$/i.test(typed.value)) return;
  event.preventDefault();
  form.requestSubmit();
});

// What was typed outlives a change of language, in this tab only and for one page.
const KEPT = "laurel-typed";
document.querySelector(".languages")?.addEventListener("submit", () => {
  const text = typed.value || document.querySelector("input[name=received]")?.value || "";
  try { if (text) sessionStorage.setItem(KEPT, text); } catch { /* no room, or not allowed: it is typed again */ }
});
try {
  if (typed && !typed.value && !document.querySelector("input[name=received]")) typed.value = sessionStorage.getItem(KEPT) ?? "";
  sessionStorage.removeItem(KEPT);
} catch { /* not allowed */ }

// Says that it works, once a moment has passed; a page that is gone back to says nothing.
const waiting = document.querySelector("#waiting");
form?.addEventListener("submit", (event) => {
  setTimeout(() => {
    if (event.defaultPrevented) return;
    waiting.textContent = waiting.dataset.said;
    form.setAttribute("aria-busy", "true");
  }, 400);
});
addEventListener("pageshow", () => { if (waiting) waiting.textContent = ""; form?.removeAttribute("aria-busy"); });

// A file that is too large is told at once, before it travels.
const fits = () => {
  const said = document.querySelector("#file-said");
  const total = [...field.files].reduce((sum, file) => sum + file.size, 0);
  said.hidden = total <= Number(field.dataset.limit);
  said.textContent = said.hidden ? "" : field.dataset.tooLarge;
  return said.hidden;
};

if (field && form) {
  const zone = document.querySelector("#drop");
  const over = (on) => zone.classList.toggle("over", on);
  field.addEventListener("change", fits);
  form.addEventListener("submit", (event) => { if (!fits()) { event.preventDefault(); field.focus(); } });
  document.addEventListener("dragover", (event) => { event.preventDefault(); over(true); });
  document.addEventListener("dragleave", (event) => { if (!event.relatedTarget) over(false); });
  document.addEventListener("drop", (event) => {
    event.preventDefault();
    over(false);
    if (event.dataTransfer.files.length) {
      document.querySelector("#received").value = ""; // the file is meant, not what was pasted before
      field.files = event.dataTransfer.files;
      form.requestSubmit();
    } else {
      const text = event.dataTransfer.getData("text");
      if (text) document.querySelector("#received").value = text;
    }
  });
  // A picture in the clipboard, such as a screenshot, is pasted as a file.
  document.addEventListener("paste", (event) => {
    if (!event.clipboardData.files.length) return;
    event.preventDefault();
    field.files = event.clipboardData.files;
    form.requestSubmit();
  });
}
