// Confusions of any method, or of one minus another, in percent of each expression's images.
drawers.confusions = (place, data) => {
  const make = (name, text, parent) => {
    const one = document.createElement(name);
    if (text !== undefined) one.textContent = text;
    if (parent) parent.append(one);
    return one;
  };
  const bar = make("div", undefined, place);
  bar.className = "tools";
  const choose = (label, options) => {
    const box = make("label", `${label} `, bar), select = make("select", undefined, box);
    options.forEach((text, i) => { make("option", text, select).value = i; });
    return select;
  };
  const protocol = choose("Protocol", data.protocols.map((p) => p.name));
  const first = choose("Method", []), second = choose("minus", []);
  const told = make("p", undefined, place);
  told.setAttribute("aria-live", "polite");
  const scroll = make("div", undefined, place);
  scroll.className = "scroll";
  scroll.tabIndex = 0;
  scroll.setAttribute("role", "region");
  scroll.setAttribute("aria-label", "Confusions of the chosen methods");
  const k = data.labels.length;
  const shares = (counts) => {
    const rows = [];
    for (let i = 0; i < k; i++) {
      const row = counts.slice(i * k, i * k + k), n = row.reduce((a, b) => a + b, 0);
      rows.push({ n, values: row.map((c) => (n ? (100 * c) / n : NaN)) });
    }
    return rows;
  };
  const signed = (v) => (Math.abs(v) < 0.05 ? "0.0" : `${v > 0 ? "+" : "−"}${Math.abs(v).toFixed(1)}`);
  const fill = () => {
    const methods = data.protocols[protocol.value].methods;
    for (const [select, extra] of [[first, []], [second, ["none"]]]) {
      const before = select.selectedOptions[0] ? select.selectedOptions[0].textContent : "";
      select.replaceChildren();
      [...extra, ...methods.map((m) => m.name)].forEach((text) => { make("option", text, select).selected = text === before; });
    }
  };
  const draw = () => {
    const methods = data.protocols[protocol.value].methods, find = (name) => methods.find((m) => m.name === name);
    const a = find(first.value), b = find(second.value);
    if (!a) return;
    const left = shares(a.counts), right = b && shares(b.counts);
    const table = make("table"), caption = make("caption", b ? `${a.name} minus ${b.name}, points` : `${a.name}, % of each row`, table);
    caption.className = "plain";
    const head = make("tr", undefined, make("thead", undefined, table));
    for (const text of ["shown", ...data.labels.map((l) => `classified as ${l}`), "images"]) make("th", text, head).scope = "col";
    const body = make("tbody", undefined, table);
    left.forEach((row, i) => {
      const line = make("tr", undefined, body);
      make("th", data.labels[i], line).scope = "row";
      row.values.forEach((value, j) => {
        const shown = right ? value - right[i].values[j] : value, cell = make("td", undefined, line);
        cell.className = "num";
        cell.textContent = isNaN(shown) ? "–" : right ? signed(shown) : shown.toFixed(1);
        if (isNaN(shown)) return;
        cell.classList.add("h");
        // The same turn of the text as in the tables that do not move (DARK in render.py).
        const shade = Math.round(right ? Math.min(60, Math.abs(shown) * 3) : shown), dark = shade >= 80;
        if (dark) cell.classList.add("d");
        if (right && (i === j) !== (shown > 0) && Math.abs(shown) >= 0.05) cell.classList.add("worse");
        cell.style.setProperty("--v", `${dark ? Math.max(shade, 81) : shade}%`);
      });
      const n = make("td", row.n.toLocaleString("en"), line);
      n.className = "num";
    });
    scroll.replaceChildren(table);
    told.textContent = b
      ? "Blue: for the better (more on the diagonal, less beside it); red: for the worse. Single cells carry no interval; see By expression and Best of each family, compared."
      : "One row for each expression shown, in percent of its images: what it was classified as.";
  };
  protocol.addEventListener("change", () => { fill(); draw(); });
  first.addEventListener("change", draw);
  second.addEventListener("change", draw);
  fill();
  draw();
};
