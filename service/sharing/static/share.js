// Copies what a field holds, and hands the link to the apps of a phone, where the browser can do so. Its buttons are
// hidden otherwise: people select the text themselves.
const said = document.querySelector("#copied");

for (const button of document.querySelectorAll("button[data-copies]")) {
  const field = document.getElementById(button.dataset.copies);
  button.hidden = !navigator.clipboard;
  button.addEventListener("click", async () => {
    field.select();
    try {
      await navigator.clipboard.writeText(field.value);
      said.textContent = said.dataset.done;
    } catch {
      said.textContent = said.dataset.failed;
    }
  });
}

const apps = document.querySelector("#apps");
if (apps && navigator.share) {
  apps.hidden = false;
  apps.addEventListener("click", () => navigator.share({ title: apps.dataset.title, url: apps.dataset.url }).catch(() => {}));
}
