// Dropping a file on the page puts it into the form's own file field; without this script the field works by itself.
const field = document.querySelector("#file");
const zone = document.querySelector("#drop");
if (field && zone) {
  const over = (on) => zone.classList.toggle("over", on);
  document.addEventListener("dragover", (event) => { event.preventDefault(); over(true); });
  document.addEventListener("dragleave", (event) => { if (!event.relatedTarget) over(false); });
  document.addEventListener("drop", (event) => {
    event.preventDefault();
    over(false);
    if (event.dataTransfer.files.length) {
      document.querySelector("#received").value = ""; // the file is meant, not what was pasted before
      field.files = event.dataTransfer.files;
      field.form.requestSubmit();
    } else {
      const text = event.dataTransfer.getData("text");
      if (text) document.querySelector("#received").value = text;
    }
  });
}
