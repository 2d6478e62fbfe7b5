// Charts, and the closing of dialogs. Everything else the pages do works without this file.
"use strict";

const COLOURS = { allowed: "#0b5cad", refused: "#d1495b", failed: "#8d3b72" };

function stacked(data) {
  // uPlot draws series over one another: from the tallest sum down to the smallest.
  const { time, allowed, refused, failed } = data;
  return [
    time,
    time.map((_, n) => failed[n] + refused[n] + allowed[n]),
    time.map((_, n) => failed[n] + refused[n]),
    failed.slice(),
  ];
}

function series(label, colour, value) {
  return {
    label, value, fill: colour, stroke: colour, width: 0, points: { show: false },
    paths: uPlot.paths.bars({ size: [0.85, 40] }),
  };
}

async function draw(figure) {
  const plot = figure.querySelector(".plot");
  if (!plot || plot.firstChild) return;
  const response = await fetch(figure.dataset.chart, { credentials: "same-origin" });
  if (!response.ok) return;
  const data = await response.json();
  if (!data.time.length) { plot.textContent = figure.dataset.empty; return; }
  const words = figure.dataset;
  const own = (name) => (_u, _v, _s, n) => (n === null || n === undefined ? "–" : String(data[name][n]));
  const chart = new uPlot({
    width: plot.clientWidth, height: 220, tzDate: (s) => uPlot.tzDate(new Date(s * 1000), "UTC"),
    scales: { x: { range: (_u, low, high) => [low - data.step_s, high + data.step_s] }, y: { range: (_u, _low, high) => [0, Math.max(1, high * 1.08)] } },
    axes: [{ stroke: "#5f6c7b", grid: { show: false }, space: 110, values: (_u, ticks) => ticks.map((s) => clock(s, data.step_s)) }, { stroke: "#5f6c7b", grid: { stroke: "#e4e9ef", width: 1 }, size: 56 }],
    cursor: { drag: { x: false, y: false } },
    series: [
      { label: "UTC", value: "{YYYY}-{MM}-{DD} {HH}:{mm}:{ss}" },
      series(words.allowed, COLOURS.allowed, own("allowed")),
      series("⊘ " + words.refused, COLOURS.refused, own("refused")),
      series("✕ " + words.failed, COLOURS.failed, own("failed")),
    ],
  }, stacked(data), plot);
  window.addEventListener("resize", () => chart.setSize({ width: plot.clientWidth, height: 220 }));
  figure.dataset.drawn = "yes";
}

function clock(seconds, step) {
  const text = new Date(seconds * 1000).toISOString();
  if (step >= 86400) return text.slice(0, 10);
  return step >= 60 ? `${text.slice(5, 10)} ${text.slice(11, 16)}` : text.slice(11, 19);
}

function close() {
  const dialog = document.getElementById("dialog");
  if (dialog) dialog.replaceChildren();
}

document.addEventListener("DOMContentLoaded", () => document.querySelectorAll("figure.chart").forEach(draw));
document.addEventListener("keydown", (event) => { if (event.key === "Escape") close(); });
document.addEventListener("click", (event) => {
  if (event.target.closest("[data-close]") || event.target.classList.contains("modal")) close();
});
document.addEventListener("htmx:afterSwap", (event) => {
  const button = event.target.querySelector(".modal .close");
  if (button) button.focus();
});
