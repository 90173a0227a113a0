// Shows how far a batch is while its rows arrive, and puts what was tried again in the place of what did not answer.
// Without this script the page is whole too: the rows arrive, and trying again answers with a page of its own.
(() => {
  const batch = document.querySelector("#batch");
  const [progress, bar, count, said] = ["#progress", "#bar", "#count", "#said"].map((id) => document.querySelector(id));
  const rows = () => [...document.querySelectorAll("tr[data-number]")];
  const words = (done, total) => batch.dataset.said.replace("%(done)s", done).replace("%(total)s", total);
  const total = Number(batch.dataset.total);
  let seen = -1;
  let quarters = 0;

  function arrived() {
    const done = rows().length;
    if (done === seen) return; // what is written here is seen by the observer too
    seen = done;
    bar.value = done;
    count.textContent = words(done, total);
    if (Math.floor((done * 4) / total) > quarters) {
      quarters = Math.floor((done * 4) / total); // read aloud in four steps, not at each row
      said.textContent = words(done, total);
    }
  }

  const watching = new MutationObserver(arrived);
  progress.hidden = false;
  document.querySelector("#below").hidden = true; // the totals come up here by themselves
  watching.observe(document.querySelector("#rows"), { childList: true, subtree: true });
  document.addEventListener("DOMContentLoaded", () => {
    watching.disconnect();
    arrived();
    progress.hidden = true;
    const above = document.querySelector("#totals");
    for (const id of ["#people", "#result"]) {
      const section = document.querySelector(id);
      if (section) above.prepend(section);
    }
    if (rows().length < total) said.textContent = batch.dataset.cut;
  });

  function rebuilt() {
    const told = rows();
    for (const sum of document.querySelectorAll("[data-sum]")) {
      sum.textContent = told.filter((row) => row.dataset.kind === sum.dataset.sum).length;
    }
    const [csv, json] = ["#csv", "#json"].map((id) => document.querySelector(id));
    const lines = csv.dataset.heading + told.map((row) => row.dataset.csv).join("");
    csv.href = "data:text/csv;charset=utf-8," + encodeURIComponent(lines);
    const items = told.map((row) => row.dataset.json).join(",");
    json.href = "data:application/json;charset=utf-8," + encodeURIComponent(`{"columns":${json.dataset.columns},"items":[${items}]}`);
  }

  async function again(form) {
    const button = form.querySelector("button");
    button.disabled = true;
    progress.hidden = false;
    bar.removeAttribute("value"); // how long the others take to answer, nobody knows
    count.textContent = "";
    try {
      const answer = await fetch(form.action, { method: "POST", body: new FormData(form) });
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const fresh = [...page.querySelectorAll("tr[data-number], article[data-number]")];
      if (!fresh.length) {
        const why = page.querySelector(".verdict p");
        said.textContent = why ? why.textContent : batch.dataset.failed;
      }
      for (const each of fresh) {
        document.querySelector(`${each.localName}[data-number="${each.dataset.number}"]`).replaceWith(document.adoptNode(each));
      }
      if (fresh.length) {
        document.querySelector("#retry").replaceWith(document.adoptNode(page.querySelector("#retry")));
        rebuilt();
        const done = fresh.filter((each) => each.localName === "tr").length;
        said.textContent = words(done, done);
        document.querySelector("#what").focus();
      }
    } catch {
      said.textContent = batch.dataset.failed;
    }
    said.classList.toggle("unseen", false);
    button.disabled = false;
    progress.hidden = true;
  }

  // Paper has no folds: every sheet is open while it prints, and folded again after that.
  let unfolded = [];
  addEventListener("beforeprint", () => {
    unfolded = [...document.querySelectorAll("details.candidate:not([open])")];
    for (const sheet of unfolded) sheet.open = true;
  });
  addEventListener("afterprint", () => {
    for (const sheet of unfolded) sheet.open = false;
  });

  document.addEventListener("submit", (event) => {
    if (event.target.id === "again") {
      event.preventDefault();
      again(event.target);
    }
  });
})();
