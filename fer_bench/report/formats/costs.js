// Accuracy over a cost of the reader's choice; the Pareto front is ringed, joined and named.
drawers.costs = (place, data) => {
  const spot = "http://www.w3.org/2000/svg";
  const make = (name, attributes, parent, text) => {
    const one = document.createElementNS(spot, name);
    for (const [key, value] of Object.entries(attributes)) one.setAttribute(key, value);
    if (text !== undefined) one.textContent = text;
    if (parent) parent.append(one);
    return one;
  };
  const bar = document.createElement("div"), label = document.createElement("label"), select = document.createElement("select");
  bar.className = "tools";
  label.append("Cost ", select);
  bar.append(label);
  data.axes.forEach((axis, i) => { select.add(new Option(axis.title, i)); });
  select.value = Math.min(1, data.axes.length - 1); // the first stands above, drawn without script
  const told = document.createElement("p"), scroll = document.createElement("div");
  told.setAttribute("aria-live", "polite");
  scroll.className = "scroll";
  scroll.tabIndex = 0;
  scroll.setAttribute("role", "region");
  scroll.setAttribute("aria-label", "Accuracy over the chosen cost");
  place.append(bar, scroll, told);
  const shape = (family, x, y) => ({
    classical: ["circle", { cx: x, cy: y, r: 4.5 }],
    cnn: ["rect", { x: x - 4, y: y - 4, width: 8, height: 8 }],
    deep: ["path", { d: `M${x} ${y - 5}l5 9h-10z` }],
  }[family] || ["path", { d: `M${x} ${y - 5.5}l5.5 5.5l-5.5 5.5l-5.5 -5.5z` }]);
  const draw = () => {
    const axis = data.axes[select.value], left = 44, right = 700, top = 10, bottom = 338;
    const points = data.methods.filter((m) => m[axis.key] > 0).map((m) => ({ ...m, cost: m[axis.key] }));
    if (!points.length) return;
    points.sort((a, b) => a.cost - b.cost || b.accuracy - a.accuracy || a.name.localeCompare(b.name));
    const front = [];
    for (const p of points) if (!front.length || p.accuracy > front[front.length - 1].accuracy) front.push(p);
    const low = Math.floor(Math.log10(points[0].cost));
    const high = Math.max(low + 1, Math.ceil(Math.log10(points[points.length - 1].cost)));
    const x = (v) => left + ((Math.log10(v) - low) / (high - low)) * (right - left);
    const y = (v) => bottom - v * (bottom - top);
    const svg = make("svg", { class: "wide", viewBox: "0 0 720 380", role: "img", "aria-label": `Accuracy over ${axis.title}` });
    for (let k = low; k <= high; k++) {
      make("path", { class: "g", d: `M${x(10 ** k)} 0V${bottom}` }, svg);
      make("text", { class: "t m", x: x(10 ** k), y: bottom + 13 }, svg, String(Number((10 ** k).toPrecision(1))));
    }
    make("text", { class: "t m", x: (left + right) / 2, y: bottom + 28 }, svg, `${axis.title} (logarithmic)`);
    for (const tick of [0, 0.2, 0.4, 0.6, 0.8, 1]) {
      make("path", { class: "g", d: `M${left} ${y(tick)}H${right}` }, svg);
      make("text", { class: "t e", x: left - 6, y: y(tick) + 4 }, svg, Math.round(100 * tick));
    }
    make("path", { class: "c", d: `M${left} ${y(data.chance)}H${right}` }, svg);
    make("path", { class: "f", d: `M${front.map((p) => `${x(p.cost)} ${y(p.accuracy)}`).join("L")}` }, svg);
    for (const p of points) {
      const group = make("g", { class: `k f-${["classical", "cnn", "deep"].includes(p.family) ? p.family : "other"}` }, svg);
      make("title", {}, group, `${p.name}: ${(100 * p.accuracy).toFixed(1)} %, ${Number(p.cost.toPrecision(3))} ${axis.unit}`);
      make(...shape(p.family, x(p.cost), y(p.accuracy)), group);
      if (front.includes(p)) make("circle", { class: "x", cx: x(p.cost), cy: y(p.accuracy), r: 8 }, svg);
    }
    const taken = [];
    for (const p of [...front].reverse()) {
      const wide = 6.4 * p.name.length, end = x(p.cost) + wide + 12 > right;
      const from = end ? x(p.cost) - wide - 12 : x(p.cost) + 12;
      if (taken.every(([a, b, h]) => Math.abs(h - y(p.accuracy)) > 13 || a > from + wide || b < from)) {
        taken.push([from, from + wide, y(p.accuracy)]);
        make("text", { class: "n", x: from, y: y(p.accuracy) - 6 }, svg, p.name);
      }
    }
    scroll.replaceChildren(svg);
    told.textContent = `Pareto front: ${front.map((p) => `${p.name} (${(100 * p.accuracy).toFixed(1)} %, ${Number(p.cost.toPrecision(3))} ${axis.unit})`).join("; ")}.`;
  };
  select.addEventListener("change", draw);
  draw();
};
