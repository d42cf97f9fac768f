/* Keeps the figures of the page fresh: every two seconds the page is fetched again and its #live part
 * put in the place of ours. Draws the traffic of the last minute. Without it the page still shows
 * all there is to know, as of when it was loaded. */
"use strict";
(() => {
  const live = document.getElementById("live");
  if (!live || !live.firstElementChild) return;
  const INTERVAL = 1500, SAMPLES = 60;
  const samples = [];

  const rate = (bits) =>
    bits >= 1e9 ? (bits / 1e9).toFixed(2) + " Gbit/s" :
    bits >= 1e6 ? (bits / 1e6).toFixed(1) + " Mbit/s" :
    bits >= 1e3 ? (bits / 1e3).toFixed(1) + " kbit/s" : Math.round(bits) + " bit/s";

  function sample() {
    const figures = live.querySelector(".figures");
    if (!figures) return;
    samples.push({ at: performance.now(), in: +figures.dataset.in, out: +figures.dataset.out });
    if (samples.length > SAMPLES + 1) samples.shift();
  }

  function element(name, attributes, ...children) {
    const e = document.createElementNS("http://www.w3.org/2000/svg", name);
    for (const key in attributes) e.setAttribute(key, attributes[key]);
    e.append(...children);
    return e;
  }

  function rates(key) {
    const list = [];
    for (let i = 1; i < samples.length; i++)
      list.push(Math.max(0, (samples[i][key] - samples[i - 1][key]) * 8000 / (samples[i].at - samples[i - 1].at)));
    return list;
  }

  function draw() {
    const place = document.getElementById("traffic");
    if (!place || samples.length < 3) return;
    const width = 600, height = 90, lists = { in: rates("in"), out: rates("out") };
    const most = Math.max(1000, ...lists.in, ...lists.out);
    const svg = element("svg", { viewBox: `0 0 ${width} ${height}`, preserveAspectRatio: "none", role: "img",
      "aria-label": "traffic of the last minutes" });
    for (const key of ["out", "in"]) {
      const list = lists[key], step = width / (SAMPLES - 1), from = width - (list.length - 1) * step;
      const points = list.map((v, i) => `${(from + i * step).toFixed(1)},${(height - 2 - v / most * (height - 6)).toFixed(1)}`);
      svg.append(element("polygon", { class: key, points: `${from},${height} ${points.join(" ")} ${width},${height}` }));
      svg.append(element("polyline", { class: key, points: points.join(" "), "vector-effect": "non-scaling-stroke" }));
    }
    const legend = document.createElement("p");
    for (const key of ["in", "out"]) {
      const part = document.createElement("span");
      part.className = key;
      part.textContent = (key === "in" ? "from hosts " : "to hosts ") + rate(lists[key][lists[key].length - 1]);
      legend.append(part);
    }
    place.replaceChildren(svg, legend);
  }

  async function refresh() {
    if (document.hidden) return;
    try {
      const answer = await fetch(location.pathname, { cache: "no-store" });
      if (!answer.ok) throw new Error(answer.status);
      const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("live");
      if (!fresh) return;
      for (const open of live.querySelectorAll("details[open]"))
        fresh.querySelector("#" + open.id)?.setAttribute("open", "");
      live.replaceChildren(...fresh.childNodes);
      document.body.classList.remove("stale");
      sample();
      draw();
    } catch {
      document.body.classList.add("stale");
    }
  }

  sample();
  setInterval(refresh, INTERVAL);
})();
