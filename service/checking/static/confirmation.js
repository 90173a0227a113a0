// Turns the page when the question is answered. Without this script the link "Look again" does the same.
const answer = document.querySelector("#answer");
const FIRST = 2000, LAST = 60000; // milliseconds between two looks: longer and longer
const OVER = ["denied", "expired", "revoked", "private"];
let pause = FIRST, waiting = null, over = !answer || OVER.includes(answer.dataset.state);

// What is replaced is read out, for it stands in a live region; the buttons stay, and with them whoever is on one.
const turn = async (state) => {
  const text = await (await fetch(answer.dataset.address, { cache: "no-store" })).text();
  const page = new DOMParser().parseFromString(text, "text/html");
  for (const part of ["#answer", "#compare"]) document.querySelector(part).replaceChildren(...page.querySelector(part).childNodes);
  document.title = page.title;
  answer.dataset.state = state;
  over = OVER.includes(state);
};

const look = async () => {
  waiting = null;
  try {
    const found = await fetch(`${answer.dataset.address}.json`, { cache: "no-store" });
    if (found.status === 404) { location.reload(); return; } // erased, and the page says so
    const { state } = found.ok ? await found.json() : answer.dataset;
    if (state !== answer.dataset.state) { await turn(state); pause = FIRST; }
  } catch { /* no connection for the moment: looked for again */ }
  next();
};

const next = () => {
  if (over || waiting !== null || document.hidden) return;
  waiting = setTimeout(look, pause);
  pause = Math.min(pause * 1.5, LAST);
};

document.addEventListener("visibilitychange", () => {
  clearTimeout(waiting);
  waiting = null;
  pause = FIRST;
  next();
});
next();
