// Highlights evidence on the timelines and filters clips and problems. The page can be read without it.
"use strict";

const SVG = "http://www.w3.org/2000/svg";
const pinned = new Map();

/** Marks the spans of `element` ("left,width;left,width" in per cent) on the timeline of its clip. */
function show(clip, element) {
  const layer = clip.querySelector(".hits");
  layer.replaceChildren();
  const bands = element ? element.dataset.spans.split(";").filter(Boolean).map((band) => band.split(",").map(Number)) : [];
  // Long spans first, so that short ones lie on top; what covers the whole clip only gets an outline beside others.
  bands.sort(([, ours], [, theirs]) => theirs - ours);
  for (const [left, width] of bands) {
    const mark = document.createElementNS(SVG, "rect");
    mark.setAttribute("class", width === 0 ? "hit instant" : width >= 95 && bands.length > 1 ? "hit whole" : "hit");
    mark.setAttribute("x", `${left}%`);
    mark.setAttribute("width", width > 0 ? `${width}%` : "4");
    mark.setAttribute("y", layer.dataset.top);
    mark.setAttribute("height", layer.dataset.height);
    layer.append(mark);
  }
}

/** Goes back to what is pinned in the clip, or to nothing. */
function settle(clip) {
  show(clip, pinned.get(clip));
}

function enter(event) {
  const element = event.target.closest("[data-spans]");
  if (element) show(element.closest(".clip"), element);
}

function leave(event) {
  const element = event.target.closest("[data-spans]");
  if (!element || element.contains(event.relatedTarget)) return;
  const clip = element.closest(".clip");
  const focused = clip.contains(document.activeElement) && document.activeElement.closest("[data-spans]");
  if (event.type === "pointerout" && focused && !pinned.has(clip)) show(clip, focused);
  else settle(clip);
}

document.addEventListener("pointerover", enter);
document.addEventListener("focusin", enter);
document.addEventListener("pointerout", leave);
document.addEventListener("focusout", leave);

document.addEventListener("click", (event) => {
  const part = event.target.closest(".label .detail [data-spans]");
  if (!part) return;
  const clip = part.closest(".clip");
  pinned.set(clip, part);
  settle(clip);
});

// `toggle` does not bubble, so it is caught on the way down.
document.addEventListener("toggle", (event) => {
  const label = event.target;
  if (!label.matches(".label")) return;
  const clip = label.closest(".clip");
  if (label.open) pinned.set(clip, label);
  else if (label.contains(pinned.get(clip))) pinned.delete(clip);
  settle(clip);
}, true);

document.addEventListener("keydown", (event) => {
  if (event.key === "/" && !event.target.closest("input, select")) {
    event.preventDefault();
    document.getElementById("search").focus();
  }
  const label = event.key === "Escape" && event.target.closest(".label[open]");
  if (label) {
    label.open = false;
    label.querySelector("summary").focus();
  }
});

/** Calls `apply` once per frame at most, however fast someone types. */
function onInput(form, apply) {
  let waiting = false;
  form.addEventListener("input", () => {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => { waiting = false; apply(); });
  });
  form.addEventListener("submit", (event) => event.preventDefault());
}

const value = (id) => document.getElementById(id).value;
const words = (text) => text.toLowerCase().split(/\s+/).filter(Boolean);

const clips = [...document.querySelectorAll(".clip")].map((element) => ({
  element,
  text: element.textContent.toLowerCase(),
  labels: [...element.querySelectorAll(".label")],
  groups: [...element.querySelectorAll(".group")],
  folded: element.querySelector(".turned-down"),
  unfolded: false,
}));

function filterClips() {
  const [kind, task, outcome, verdict] = ["kind", "task", "outcome", "verdict"].map(value);
  const wanted = words(value("search"));
  const suits = ({ dataset }) =>
    (!kind || dataset.kind === kind) && (!task || dataset.task === task) &&
    (!outcome || dataset.outcomes.split(" ").includes(outcome)) &&
    (!verdict || dataset.verdicts.split("|").includes(verdict));
  let shown = 0;
  for (const clip of clips) {
    for (const label of clip.labels) label.hidden = label.parentElement.hidden = !suits(label);
    for (const group of clip.groups) group.hidden = !group.querySelector(".label:not([hidden])");
    const hasLabel = clip.labels.some((label) => !label.hidden) || !(kind || task || outcome || verdict);
    // Labels that were not kept are folded away; who asks for something that only they have is shown them.
    if (clip.folded && (verdict || clip.unfolded)) {
      clip.unfolded = clip.folded.open = Boolean(verdict) && !clip.folded.hidden;
    }
    clip.element.hidden = !(hasLabel && wanted.every((word) => clip.text.includes(word)));
    shown += clip.element.hidden ? 0 : 1;
  }
  document.getElementById("clip-count").textContent = `${shown} of ${clips.length} clips`;
  document.getElementById("nothing").hidden = shown > 0 || clips.length === 0;
}

const clipFilters = document.getElementById("clip-filters");
onInput(clipFilters, filterClips);
document.getElementById("reset").addEventListener("click", () => {
  clipFilters.reset();
  filterClips();
  document.getElementById("search").focus();
});

const problemFilters = document.getElementById("problem-filters");
if (problemFilters) {
  const rows = [...document.querySelectorAll(".problems tbody tr")];
  const filterProblems = () => {
    const [kind, wanted] = [value("problem-kind"), words(value("problem-search"))];
    let shown = 0;
    for (const row of rows) {
      const text = row.textContent.toLowerCase();
      row.hidden = !((!kind || row.dataset.kind === kind) && wanted.every((word) => text.includes(word)));
      shown += row.hidden ? 0 : 1;
    }
    document.getElementById("problem-count").textContent = `${shown} of ${rows.length} rows`;
  };
  onInput(problemFilters, filterProblems);
  filterProblems();
}
// A browser may restore what was typed before the page was reloaded.
filterClips();
