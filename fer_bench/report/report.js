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
const open = () => document.querySelectorAll("details").forEach((one) => { one.open = true; });
addEventListener("beforeprint", open);
const reveal = () => {
  const target = location.hash && document.getElementById(location.hash.slice(1));
  if (target && target.tagName === "DETAILS") target.open = true;
};
addEventListener("hashchange", reveal);
reveal();
