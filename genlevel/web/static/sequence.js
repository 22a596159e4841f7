// Long sequences of a monitor's ticks as charts that can be zoomed (drag; a double click shows all again). Without this, the pictures
// that the server has drawn are seen, and the tables below them.
"use strict";

const STYLE = getComputedStyle(document.documentElement);
const colour = (name) => STYLE.getPropertyValue(name).trim();

const written = (stamp) => new Date(stamp * 1000).toISOString().slice(5, 16).replace("T", " ");

function series(label, stroke) {
  return { label, stroke, width: 1.5, spanGaps: false, points: { show: false } };
}

// What happened, as lines across the chart: alarms, and since when it has been so.
function marked(marks) {
  return (chart) => {
    const { ctx, bbox } = chart;
    ctx.save();
    for (const { at, variable } of marks) {
      const x = Math.round(chart.valToPos(at, "x", true));
      if (x < bbox.left || x > bbox.left + bbox.width) continue;
      ctx.strokeStyle = colour(variable);
      ctx.lineWidth = devicePixelRatio;
      ctx.setLineDash([3 * devicePixelRatio, 4 * devicePixelRatio]);
      ctx.beginPath();
      ctx.moveTo(x, bbox.top);
      ctx.lineTo(x, bbox.top + bbox.height);
      ctx.stroke();
    }
    ctx.restore();
  };
}

function chart(place, marks, title, times, columns, names, height) {
  const axis = { stroke: colour("--muted"), grid: { stroke: colour("--rule"), width: 1 }, ticks: { stroke: colour("--rule"), width: 1 } };
  const options = {
    title,
    width: Math.max(280, place.clientWidth),
    height,
    tzDate: (stamp) => uPlot.tzDate(new Date(stamp * 1000), "Etc/UTC"),
    hooks: { draw: [marked(marks)] },
    cursor: { sync: { key: "ticks" } },
    axes: [{ ...axis, space: 110, values: (_, stamps) => stamps.map(written) }, { ...axis, size: 60 }],
    series: [{ label: "UTC", value: (_, stamp) => (stamp === null ? "–" : written(stamp)) }, ...names.map(([label, variable]) => series(label, colour(variable)))],
  };
  return new uPlot(options, [times, ...columns], place);
}

function draw(place, sequence, marks) {
  const ticks = [...sequence.ticks].sort((one, other) => one.at_s - other.at_s);
  const times = ticks.map((tick) => tick.at_s);
  const column = (of) => ticks.map(of);
  const level = (value) => times.map(() => value);
  const charts = [
    chart(place, marks, "Score, 0 to 100", times, [column((tick) => tick.score)], [["score", "--series-1"]], 180),
    chart(
      place,
      marks,
      "Below the baseline, points",
      times,
      [column((tick) => tick.drop), column((tick) => tick.interval && tick.interval[0]), column((tick) => tick.interval && tick.interval[1])],
      [["drop", "--series-1"], ["at least", "--dot"], ["at most", "--dot"]],
      200,
    ),
  ];
  if (sequence.threshold !== null && ticks.some((tick) => tick.evidence !== null)) {
    const columns = [column((tick) => tick.evidence), level(sequence.threshold)];
    charts.push(chart(place, marks, "Evidence of a fall, a logarithm", times, columns, [["evidence", "--series-1"], ["alarm from here on", "--bad"]], 180));
  }
  const fit = () => charts.forEach((one) => one.setSize({ width: Math.max(280, place.clientWidth), height: one.height }));
  addEventListener("resize", fit);
  place.closest("details")?.addEventListener("toggle", fit);
}

async function begin() {
  const places = [...document.querySelectorAll(".long[data-source]")];
  if (!places.length) return;
  const answer = await fetch(places[0].dataset.source);
  if (!answer.ok) return;
  const monitor = await answer.json();
  const found = new Map(monitor.sequences.map((sequence) => [sequence.group, sequence]));
  for (const place of places) {
    const sequence = found.get(place.dataset.group);
    if (!sequence) continue;
    place.hidden = false;
    const alarms = monitor.alarms.filter((alarm) => alarm.group === sequence.group);
    const marks = alarms.flatMap((alarm) => [[alarm.raised, "--bad"], [alarm.since, "--dot"]]);
    draw(place, sequence, marks.filter(([time]) => time).map(([time, variable]) => ({ at: Date.parse(time) / 1000, variable })));
    const drawn = place.nextElementSibling && place.nextElementSibling.querySelector(".drawing");
    if (drawn) drawn.hidden = true;
  }
}

begin();
