// Plots of the console, and a form that answers at once. All pages work without it.
(function () {
  "use strict";

  const plots = new Map(); // element -> what is drawn in it

  function colour(name, or) {
    return getComputedStyle(document.documentElement).getPropertyValue(name).trim() || or;
  }

  const palette = ["#2563a8", "#c2571a", "#2e7d32", "#8e3b8e", "#9a7d0a", "#3b8686", "#a83244", "#6b6f76"];

  function series(data) {
    return data.series.map(function (s, i) {
      const stroke = colour("--series-" + (i + 1), palette[i % palette.length]);
      const one = {
        label: s.label, stroke: stroke, width: 1.5, spanGaps: false, points: {show: data.x.length < 100, size: 4},
        value: (u, v) => v == null ? "–" : v.toLocaleString("en-GB", {maximumFractionDigits: 4}) + (data.unit ? " " + data.unit : ""),
      };
      if (data.bars) {
        one.fill = stroke + (i === 0 ? "55" : "cc");
        one.paths = uPlot.paths.bars({size: [0.8, 40]});
        one.points = {show: false};
      }
      return one;
    });
  }

  // stamp writes a moment below the axis: the day, the minute or the second.
  function stamp(at, step, zone) {
    const moment = new Date(at * 1e3);
    const date = moment.toLocaleDateString("en-CA", {timeZone: zone});
    const day = step >= 86400 * 28 ? date.slice(0, 7) : date.slice(5);
    const time = moment.toLocaleTimeString("en-GB", {timeZone: zone}).slice(0, step < 60 ? 8 : 5);
    return step >= 86400 ? day : time === "00:00" ? day : time;
  }

  function options(el, data) {
    const zone = data.zone || "UTC";
    const text = colour("--muted", "#666"), line = colour("--line", "#8883");
    const axis = {stroke: text, grid: {stroke: line, width: 1}, ticks: {stroke: line, width: 1}, font: "12px system-ui, sans-serif"};
    return {
      width: Math.max(240, el.clientWidth), height: Number(el.dataset.plotHeight) || 190,
      tzDate: (s) => uPlot.tzDate(new Date(s * 1e3), zone),
      scales: {y: {range: (u, min, max) => [0, max > 0 ? max * 1.1 : 1]}},
      axes: [{...axis, space: 80, values: (u, splits, i, space, step) => splits.map((at) => stamp(at, step, zone))}, {...axis, size: 56}],
      series: [{value: (u, s) => s == null ? "–" : new Date(s * 1e3).toLocaleString("en-GB", {timeZone: zone, timeZoneName: "short"})}].concat(series(data)),
    };
  }

  // draw makes a plot, or gives an old one new numbers where its lines are the same.
  function draw(el, data) {
    const old = plots.get(el);
    const labels = JSON.stringify([data.series.map((s) => s.label), data.zone, data.unit, data.bars]);
    const columns = [data.x].concat(data.series.map((s) => s.values));
    if (old && old.labels === labels) {
      old.data = data;
      old.plot.setData(columns);
      return;
    }
    if (old) {
      old.plot.destroy();
    }
    const plot = new uPlot(options(el, data), columns, el);
    el.querySelector("canvas").setAttribute("aria-hidden", "true");
    plots.set(el, {plot: plot, data: data, labels: labels});
  }

  function redraw() {
    for (const [el, p] of [...plots]) { // a copy: drawing puts it back
      p.plot.destroy();
      plots.delete(el);
      if (el.isConnected) {
        draw(el, p.data);
      }
    }
  }

  function resize() {
    for (const [el, p] of plots) {
      p.plot.setSize({width: Math.max(240, el.clientWidth), height: p.plot.height});
    }
  }

  async function fetchInto(el) {
    try {
      const answer = await fetch(el.dataset.plotFrom, {headers: {Accept: "application/json"}, credentials: "same-origin"});
      if (answer.ok) {
        draw(el, await answer.json());
      }
      el.classList.toggle("stale", !answer.ok);
    } catch {
      el.classList.add("stale"); // the receiver is away: it is asked again
    }
  }

  function poll(el) {
    const every = Number(el.dataset.plotEvery) || 2000;
    const next = async function () {
      if (!el.isConnected) {
        return;
      }
      if (!document.hidden) {
        await fetchInto(el);
      }
      setTimeout(next, every);
    };
    next();
  }

  // find draws what is new on the page; htmx may have put it there.
  function find(root) {
    for (const el of root.querySelectorAll(".plot[data-plot], .plot[data-plot-from]")) {
      if (el.dataset.plotted) {
        continue;
      }
      el.dataset.plotted = "yes";
      if (el.dataset.plotFrom) {
        poll(el);
      } else {
        draw(el, JSON.parse(el.dataset.plot));
      }
    }
  }

  // A text that is ready to copy gets a button where the browser can copy.
  function copyable(root) {
    for (const el of root.querySelectorAll("pre.copy")) {
      if (el.dataset.copyable || !navigator.clipboard) {
        continue;
      }
      el.dataset.copyable = "yes";
      const button = document.createElement("button");
      button.type = "button";
      button.className = "copy";
      button.textContent = "Copy";
      button.addEventListener("click", async function () {
        try {
          await navigator.clipboard.writeText(el.textContent);
          button.textContent = "Copied";
        } catch {
          button.textContent = "Select it and copy";
        }
      });
      el.before(button);
    }
  }

  function start() {
    find(document);
    copyable(document);
    document.body.addEventListener("htmx:after:swap", () => { find(document); copyable(document); });
    window.addEventListener("resize", resize);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
  }
  if (document.readyState === "loading") {
    document.addEventListener("DOMContentLoaded", start);
  } else {
    start();
  }
})();
