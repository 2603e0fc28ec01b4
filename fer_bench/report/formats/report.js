"use strict";
// Other script files of this package add what they draw: drawers.kind = (place, data) => { ... }.
const drawers = {};
addEventListener("DOMContentLoaded", () => {
  for (const source of document.querySelectorAll("script[data-draw]")) {
    const draw = drawers[source.dataset.draw];
    if (!draw) continue;
    const place = document.createElement("div");
    source.before(place);
    draw(place, JSON.parse(source.textContent));
    source.parentElement.querySelector(".otherwise").hidden = true;
  }
});
// Sorting and filtering of the leaderboards. Without script the report reads the same, in the order it was written.
const number = (text) => {
  const found = text.replace(/,/g, "").replace("−", "-").match(/-?\d+(\.\d+)?/);
  return found ? Number(found[0]) : NaN;
};
const compare = (a, b) => {
  const x = number(a), y = number(b);
  if (!/^[a-z]/i.test(a) && !/^[a-z]/i.test(b) && !(isNaN(x) && isNaN(y))) {
    return isNaN(x) ? -1 : isNaN(y) ? 1 : x - y;
  }
  return a.localeCompare(b);
};
for (const table of document.querySelectorAll("table.sortable")) {
  const body = table.tBodies[0];
  table.tHead.querySelectorAll("th:not(.draw)").forEach((head) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => {
      const up = head.getAttribute("aria-sort") === "descending";
      table.tHead.querySelectorAll("th").forEach((other) => other.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", up ? "ascending" : "descending");
      const text = (row) => row.cells[head.cellIndex].textContent.trim();
      const rows = [...body.rows].sort((a, b) => (up ? 1 : -1) * compare(text(a), text(b)));
      body.append(...rows);
    });
  });
  const tools = table.closest(".tbl").querySelector(".tools");
  if (!tools) continue;
  tools.hidden = false;
  const find = tools.querySelector("input[type=search]"), boxes = [...tools.querySelectorAll("input[type=checkbox]")];
  const filter = () => {
    const wanted = find.value.trim().toLowerCase(), families = boxes.filter((b) => b.checked).map((b) => b.value);
    let shown = 0;
    for (const row of body.rows) {
      const name = row.querySelector("th").textContent.toLowerCase();
      row.hidden = !(name.includes(wanted) && families.includes(row.dataset.f));
      shown += !row.hidden;
    }
    tools.querySelector("output").textContent = `${shown} of ${body.rows.length} methods`;
  };
  tools.addEventListener("input", filter);
  filter();
}
// A part that scrolls says so by a shadow and is a stop of the Tab key; one that does not needs none.
const look = (part) => part.classList.toggle("more", part.scrollLeft + part.clientWidth < part.scrollWidth - 2);
const stops = () => document.querySelectorAll(".scroll").forEach((part) => {
  const scrolls = part.scrollWidth > part.clientWidth || part.scrollHeight > part.clientHeight;
  if (scrolls) part.tabIndex = 0; else part.removeAttribute("tabindex");
  look(part);
});
addEventListener("resize", stops);
addEventListener("toggle", stops, true);
addEventListener("scroll", (event) => event.target.classList?.contains("scroll") && look(event.target), true);
addEventListener("DOMContentLoaded", stops);
const open = () => document.querySelectorAll("details").forEach((one) => { one.open = true; });
addEventListener("beforeprint", open);
const reveal = () => {
  const target = location.hash && document.getElementById(location.hash.slice(1));
  const folded = target && target.closest("details");
  if (folded) folded.open = true;
};
addEventListener("hashchange", reveal);
reveal();
