// Decisions: what a person accepts and rejects, kept by the browser and saved as a file that `reelproof review` reads.

const KEPT_UNDER = `reelproof-review:${location.pathname}`;
const COLUMNS = ["label_id", "clip_id", "label_version", "decision", "reviewer", "note"];
const FORMULA = /^'*\s*[=+\-@\uff1d\uff0b\uff0d\uff20\t\r\n]/;

const judged = new Map([...document.querySelectorAll(".judged")].map((element) => [element.dataset.label, element]));
const reviewer = document.getElementById("reviewer");
/** By label: {decision, note, version, saved}. */
const choices = new Map();
let isKept = true;

/**
 * Takes up what was chosen before. Choices about labels that have changed, or that took effect, are over; returns whether
 * there were any.
 */
function recall() {
  let found = {};
  choices.clear();
  try {
    found = JSON.parse(localStorage.getItem(KEPT_UNDER)) ?? {};
  } catch {
    isKept = false;
  }
  reviewer.value = typeof found.reviewer === "string" ? found.reviewer : "";
  for (const [label, choice] of Object.entries(found.choices ?? {})) {
    const element = judged.get(label);
    const isSound = ["accept", "reject"].includes(choice?.decision) && typeof choice.note === "string";
    if (!element || !isSound || choice.version !== element.dataset.version) continue;
    if (choice.saved && choice.decision === element.dataset.decided) continue;
    choices.set(label, choice);
  }
  return Object.keys(found.choices ?? {}).length > choices.size;
}

function keep() {
  try {
    localStorage.setItem(KEPT_UNDER, JSON.stringify({ reviewer: reviewer.value, choices: Object.fromEntries(choices) }));
  } catch {
    isKept = false;
  }
}

/** Shows the choice about one label, with a line for the reason where there is one. */
function showChoice(element) {
  const choice = choices.get(element.dataset.label);
  element.dataset.choice = choice ? choice.decision : "";
  for (const button of element.querySelectorAll(".choosing button")) {
    button.setAttribute("aria-pressed", String(button.dataset.decision === choice?.decision));
  }
  let note = element.querySelector(".reason");
  if (choice && !note) {
    note = document.createElement("input");
    Object.assign(note, { className: "reason", placeholder: "why, if you like", maxLength: 2000, autocomplete: "off" });
    note.setAttribute("aria-label", "Why you decided so");
    element.append(note);
  }
  if (note) note.hidden = !choice;
  if (choice && note.value !== choice.note) note.value = choice.note;
}

function showCount() {
  const unsaved = [...choices.values()].filter((choice) => !choice.saved).length;
  document.getElementById("decisions").hidden = choices.size === 0;
  const many = `${choices.size} decision${choices.size === 1 ? "" : "s"}`;
  const rest = unsaved ? `${unsaved} not saved yet` : "all saved; they take effect with the command";
  const lost = isKept ? "" : " (this browser forgets them with the page)";
  document.getElementById("decision-count").textContent = `${many}, ${rest}${lost}`;
  document.getElementById("forget-decisions").textContent = "Forget them";
}

/** Chooses for a label; the same choice again takes it back. */
function choose(element, decision) {
  const label = element.dataset.label;
  const before = choices.get(label);
  if (before?.decision === decision) choices.delete(label);
  else choices.set(label, { decision, note: before?.note ?? "", version: element.dataset.version, saved: false });
  keep();
  showChoice(element);
  showCount();
}

const quoted = (text) => `"${(FORMULA.test(text) ? `'${text}` : text).replaceAll('"', '""')}"`;

function save() {
  const rows = [...choices].map(([label, choice]) =>
    [label, judged.get(label).dataset.clip, choice.version, choice.decision, reviewer.value.trim(), choice.note.trim()]);
  const text = [COLUMNS, ...rows].map((row) => row.map(quoted).join(",")).join("\r\n");
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob(["\ufeff", text, "\r\n"], { type: "text/csv" }));
  link.download = "decisions.csv";
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
  for (const choice of choices.values()) choice.saved = true;
  keep();
  showCount();
}

/** The run's folder as a shell word, where the page lies in it. */
function folder() {
  const path = decodeURIComponent(location.pathname).match(/^(?:\/(?=[A-Za-z]:))?(.*)\/report\/index\.html$/);
  if (location.protocol !== "file:" || !path) return "DATASET";
  return /^[\w@%+=:,./-]+$/.test(path[1]) ? path[1] : `'${path[1].replaceAll("'", "'\\''")}'`;
}

for (const element of judged.values()) {
  element.append(document.getElementById("choosing").content.cloneNode(true));
  element.querySelector(".choosing").setAttribute("aria-label", `Decide: ${element.querySelector(".title").textContent}`);
}

document.addEventListener("click", (event) => {
  const button = event.target.closest(".choosing button");
  if (button) choose(button.closest(".judged"), button.dataset.decision);
});

document.addEventListener("input", (event) => {
  const element = event.target.matches(".reason") && event.target.closest(".judged");
  const choice = element && choices.get(element.dataset.label);
  if (choice) Object.assign(choice, { note: event.target.value, saved: false });
  if (choice || event.target === reviewer) {
    if (!choice) for (const one of choices.values()) one.saved = false;
    keep();
    showCount();
  }
});

document.addEventListener("keydown", (event) => {
  const element = event.target.closest(".judged");
  const decision = { a: "accept", r: "reject" }[event.key];
  if (!element || !decision || event.target.matches("input") || event.ctrlKey || event.metaKey || event.altKey) return;
  event.preventDefault();
  choose(element, decision);
});

document.getElementById("save-decisions").addEventListener("click", save);
document.getElementById("forget-decisions").addEventListener("click", (event) => {
  const question = `Forget ${choices.size} for good?`;
  if (event.target.textContent !== question) {
    event.target.textContent = question;
    return;
  }
  const shown = [...choices.keys()];
  choices.clear();
  keep();
  for (const label of shown) showChoice(judged.get(label));
  showCount();
  document.getElementById("search").focus();
});

document.getElementById("review-command").textContent = `reelproof review ${folder()} decisions.csv`;
for (const element of document.querySelectorAll(".with-script")) element.hidden = false;
if (recall()) keep();
for (const label of choices.keys()) showChoice(judged.get(label));
showCount();

// Another tab with this page has chosen, or what this page chose before it was loaded anew arrives only now.
addEventListener("storage", (event) => {
  if (event.key !== KEPT_UNDER) return;
  const shown = [...choices.keys()];
  recall();
  for (const label of [...shown, ...choices.keys()]) showChoice(judged.get(label));
  showCount();
});
