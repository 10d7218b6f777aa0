"use strict";
(function () {
  var charts = JSON.parse(document.getElementById("charts").textContent);
  var light = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#b07800", "#56b4e9", "#555555"];
  var dark = ["#4aa8e0", "#ff8a3d", "#2fc49a", "#e39cc4", "#e0aa33", "#8fd0f7", "#b0b8c0"];
  var night = matchMedia("(prefers-color-scheme: dark)");
  var font = "13px system-ui, Arial, sans-serif";
  larder.plots = {};

  function theme() {
    var s = getComputedStyle(document.documentElement), get = function (n) { return s.getPropertyValue("--" + n).trim(); };
    return { ink: get("ink"), faded: get("faded"), grid: get("grid"), frame: get("frame"), band: get("band"), colors: night.matches ? dark : light };
  }
  function make(parent, tag, cls, text) {
    var e = document.createElement(tag);
    if (cls) e.className = cls;
    if (text != null) e.textContent = text;
    parent.appendChild(e);
    return e;
  }
  function heightFor(width) { return width < 500 ? 300 : 380; }
  var measurer = document.createElement("canvas").getContext("2d");
  function widest(labels) {
    measurer.font = font;
    return labels.reduce(function (w, l) { return Math.max(w, measurer.measureText(l).width); }, 0);
  }

  function lines(c, figure, plot) {
    var t = theme(), bands = c.bands || [];
    var tables = c.series.map(function (s) {
      var xs = [], ys = [];
      s.x.forEach(function (x, i) {
        var p = larder.place(c.x.scale, x);
        if (p != null) { xs.push(p); ys.push(larder.place(c.y.scale, s.y[i])); }
      });
      return [xs, ys];
    });
    var count = 0, seen = [], edges = [];
    tables.forEach(function (d) { d[1].forEach(function (y, i) { if (y != null) { count++; seen.push(y); edges.push(d[0][i]); } }); });
    bands.forEach(function (b) { edges.push(larder.place(c.x.scale, b.from), larder.place(c.x.scale, b.to)); });
    if (!count) return none(figure, plot);
    var data = uPlot.join(tables.map(function (d) { return d[0].length ? d : [[edges[0]], [null]]; }));
    var xRange = larder.range(c.x, edges, false), yRange = larder.range(c.y, seen, true);
    function axis(a, scale, vertical) {
      var found = [];
      return {
        scale: scale, stroke: t.faded, font: font, grid: { stroke: t.grid, width: 1 }, ticks: { stroke: t.grid, width: 1 },
        label: a.label, labelFont: font, labelSize: 22, labelGap: 2,
        size: vertical ? function (u, values) { return values ? widest(values) + 16 : 60; } : 34,
        splits: function (u, i, from, to) {
          var n = vertical ? 6 : Math.max(2, Math.min(9, Math.floor(plot.clientWidth / 110)));
          found = larder.ticks(a, from, to, n);
          return found.map(function (k) { return k.at; });
        },
        values: function () { return found.map(function (k) { return k.label; }); }
      };
    }
    var u = new uPlot({
      width: plot.clientWidth, height: heightFor(plot.clientWidth), padding: [12, 36, 0, 4],
      scales: { x: { time: false, range: function (u, a, b) { return a == null || a === b ? xRange : [Math.max(a, xRange[0]), Math.min(b, xRange[1])]; } }, y: { range: function () { return yRange; } } },
      axes: [axis(c.x, "x", false), axis(c.y, "y", true)],
      cursor: {
        drag: { x: true, y: false }, points: { size: 8 },
        // The nearest place at which the series has a value.
        dataIdx: function (u, s, i) {
          if (s === 0 || u.data[s][i] !== undefined) return i;
          var ys = u.data[s];
          for (var d = 1; d < ys.length; d++) {
            if (ys[i - d] !== undefined && i - d >= 0) return i - d;
            if (i + d < ys.length && ys[i + d] !== undefined) return i + d;
          }
          return i;
        }
      },
      series: [{ label: c.x.label || "x", value: function (u, v) { return v == null ? "-" : larder.exact(c.x, larder.value(c.x.scale, v)); } }].concat(c.series.map(function (s, i) {
        return {
          label: s.name, stroke: t.colors[i % t.colors.length], width: 2, points: { show: s.x.length === 1 },
          dash: s.dashed || Math.floor(i / t.colors.length) % 2 ? [8, 5] : undefined,
          paths: s.steps ? uPlot.paths.stepped({ align: 1 }) : undefined,
          value: function (u, v) { return v == null ? "-" : larder.format(c.y.unit, larder.value(c.y.scale, v)); }
        };
      })),
      hooks: {
        drawClear: [function (u) {
          bands.forEach(function (b) {
            var from = u.valToPos(larder.place(c.x.scale, b.from), "x", true), to = u.valToPos(larder.place(c.x.scale, b.to), "x", true);
            if (!(from <= to)) return;
            from = Math.max(from, u.bbox.left); to = Math.min(to, u.bbox.left + u.bbox.width);
            u.ctx.fillStyle = t.band;
            if (to > from) u.ctx.fillRect(from, u.bbox.top, Math.max(to - from, 1), u.bbox.height);
          });
        }],
        draw: [function () { figure.dataset.drawn = count; }]
      }
    }, data, plot);
    var names = bands.map(function (b) { return b.label; }).filter(function (l, i, all) { return all.indexOf(l) === i; });
    keys(plot, names, names.map(function () { return t.band; }));
    make(plot, "p", "hint", "Drag to zoom, double click to see all.");
    larder.plots[c.id] = u;
    return function () { u.setSize({ width: plot.clientWidth, height: heightFor(plot.clientWidth) }); };
  }

  function none(figure, plot) {
    make(plot, "div", "none", "no data");
    figure.dataset.drawn = 0;
    return function () {};
  }
  function keys(plot, names, colors) {
    if (!names.length) return;
    var list = make(plot, "div", "keys");
    names.forEach(function (name, i) {
      var item = make(list, "span"), box = make(item, "i");
      box.style.background = colors[i];
      make(item, "span", "", name);
    });
  }

  // board is a canvas with axes for what uPlot does not draw; paint gets the frame.
  function board(plot, below, paint, about) {
    var canvas = make(plot, "canvas"), tip = make(plot, "div", "tip"), frame;
    tip.hidden = true;
    function draw() {
      var width = plot.clientWidth, height = heightFor(width) + below(width), ratio = devicePixelRatio || 1;
      canvas.width = Math.round(width * ratio); canvas.height = Math.round(height * ratio);
      canvas.style.width = width + "px"; canvas.style.height = height + "px";
      var ctx = canvas.getContext("2d");
      ctx.scale(ratio, ratio);
      ctx.font = font;
      frame = paint(ctx, width, height);
    }
    function move(e) {
      var box = canvas.getBoundingClientRect(), x = e.clientX - box.left, y = e.clientY - box.top, text = frame && about(frame, x, y);
      tip.hidden = !text;
      if (!text) return;
      tip.textContent = text;
      tip.style.left = Math.max(0, Math.min(x + 14, plot.clientWidth - tip.offsetWidth)) + "px";
      tip.style.top = canvas.offsetTop + Math.max(0, y - tip.offsetHeight - 10) + "px";
    }
    canvas.addEventListener("pointermove", move);
    canvas.addEventListener("pointerdown", move);
    canvas.addEventListener("pointerleave", function () { tip.hidden = true; });
    draw();
    return draw;
  }
  function frameOf(ctx, width, bottom, y, ticks, t, label) {
    var left = widest(ticks.map(function (k) { return k.label; })) + 34, f = { left: left, right: width - 14, top: 12, bottom: bottom };
    f.y = function (p) { return f.bottom - (p - y[0]) / (y[1] - y[0]) * (f.bottom - f.top); };
    ctx.textAlign = "right"; ctx.textBaseline = "middle";
    ticks.forEach(function (k) {
      ctx.fillStyle = t.grid; ctx.fillRect(left, Math.round(f.y(k.at)), f.right - left, 1);
      ctx.fillStyle = t.faded; ctx.fillText(k.label, left - 7, f.y(k.at));
    });
    ctx.save();
    ctx.translate(10, (f.top + f.bottom) / 2); ctx.rotate(-Math.PI / 2);
    ctx.textAlign = "center"; ctx.fillText(label || "", 0, 0, f.bottom - f.top);
    ctx.restore();
    return f;
  }
  function wrapped(ctx, text, room) {
    var out = [], line = "";
    String(text).split(" ").forEach(function (word) {
      if (line && ctx.measureText(line + " " + word).width > room) { out.push(line); line = word; }
      else line = line ? line + " " + word : word;
    });
    return out.concat(line);
  }

  function bars(c, figure, plot) {
    var t = theme(), categories = c.categories || [], log = c.y.scale === "log", places = [], count = 0;
    c.series.forEach(function (s) { s.y.forEach(function (y) { var p = larder.place(c.y.scale, y); if (p != null) { places.push(p); count++; } }); });
    if (!count) return none(figure, plot);
    places.push(log ? Math.min.apply(null, places) - 0.3 : 0);
    var y = larder.range(c.y, places, true), ticks = larder.ticks(c.y, y[0], y[1], 6);
    var colors = c.series.map(function (_, i) { return t.colors[i % t.colors.length]; });
    if (c.series.length > 1) keys(plot, c.series.map(function (s) { return s.name; }), colors);
    function slotOf(width) { return (width - widest(ticks.map(function (k) { return k.label; })) - 48) / categories.length; }
    function upright(width) {
      measurer.font = font;
      return slotOf(width) < 40 || categories.some(function (n) {
        var w = wrapped(measurer, n, slotOf(width) - 6);
        return w.length > 3 || widest(w) > slotOf(width) - 2;
      });
    }
    function room(width) { return upright(width) ? Math.min(widest(categories), 200) + 12 : 58; }
    return board(plot, function (width) { return room(width) - 30; }, function (ctx, width, height) {
      var f = frameOf(ctx, width, height - room(width), y, ticks, t, c.y.label), slot = (f.right - f.left) / categories.length;
      var inner = Math.min(slot * 0.8, c.series.length * 80), thick = inner / c.series.length, base = f.y(log ? y[0] : 0), stand = upright(width);
      f.slot = slot;
      ctx.fillStyle = t.frame; ctx.fillRect(f.left, base, f.right - f.left, 1);
      categories.forEach(function (name, i) {
        var center = f.left + slot * (i + 0.5);
        c.series.forEach(function (s, j) {
          var p = larder.place(c.y.scale, s.y[i]);
          if (p == null) return;
          var top = f.y(p);
          ctx.fillStyle = colors[j];
          ctx.fillRect(center - inner / 2 + thick * j, Math.min(top, base), Math.max(thick - 1.5, 0.5), Math.max(Math.abs(base - top), 1));
        });
        ctx.fillStyle = t.faded;
        if (stand) {
          ctx.save(); ctx.translate(center, f.bottom + 8); ctx.rotate(-Math.PI / 2); ctx.textAlign = "right"; ctx.textBaseline = "middle";
          while (name.length > 2 && ctx.measureText(name).width > 200) name = name.slice(0, -2).replace(/\u2026?$/, "\u2026");
          ctx.fillText(name, 0, 0); ctx.restore();
          return;
        }
        ctx.textAlign = "center"; ctx.textBaseline = "top";
        wrapped(ctx, name, slot - 6).forEach(function (l, k) { ctx.fillText(l, center, f.bottom + 8 + 16 * k); });
      });
      figure.dataset.drawn = count;
      return f;
    }, function (f, x, py) {
      var i = Math.floor((x - f.left) / f.slot);
      if (i < 0 || i >= categories.length || py > f.bottom + 40) return "";
      return [categories[i]].concat(c.series.map(function (s) { return s.name + ": " + larder.format(c.y.unit, s.y[i]); })).join("\n");
    });
  }

  function shade(share) {
    var stops = [[232, 241, 250], [158, 202, 225], [66, 146, 198], [8, 81, 156], [8, 29, 88]];
    if (night.matches) stops = [[22, 40, 62], [20, 80, 120], [40, 130, 180], [120, 190, 225], [235, 247, 255]];
    var at = Math.min(Math.max(share, 0), 1) * 4, i = Math.min(Math.floor(at), 3);
    return "rgb(" + stops[i].map(function (v, k) { return Math.round(v + (stops[i + 1][k] - v) * (at - i)); }).join(",") + ")";
  }
  function heatmap(c, figure, plot) {
    var t = theme(), h = c.heat, count = 0, most = 1;
    h.count.forEach(function (column) { column.forEach(function (n) { if (n > 0) { count++; most = Math.max(most, n); } }); });
    if (!count) return none(figure, plot);
    var xs = h.x.map(function (v) { return larder.place(c.x.scale, v); }), ys = h.y.map(function (v) { return larder.place(c.y.scale, v); });
    var good = function (v) { return v != null; }, fx = xs.filter(good), fy = ys.filter(good), y = [fy[0], fy[fy.length - 1]], x = [fx[0], fx[fx.length - 1]];
    if (!(y[1] > y[0]) || !(x[1] > x[0])) return none(figure, plot);
    var scale = make(plot, "div", "keys"), item = make(scale, "span", "", "how many: 1"), bar = make(item, "i");
    bar.style.cssText = "width:160px;background:linear-gradient(90deg," + [0, 0.25, 0.5, 0.75, 1].map(shade).join(",") + ")";
    make(item, "span", "", larder.amount(most));
    return board(plot, function () { return 10; }, function (ctx, width, height) {
      var f = frameOf(ctx, width, height - 50, y, larder.ticks(c.y, y[0], y[1], 6), t, c.y.label);
      f.x = function (p) { return f.left + (p - x[0]) / (x[1] - x[0]) * (f.right - f.left); };
      ctx.textAlign = "center"; ctx.textBaseline = "top"; ctx.fillStyle = t.faded;
      larder.ticks(c.x, x[0], x[1], Math.max(2, Math.min(9, Math.floor(width / 110)))).forEach(function (k) {
        ctx.fillText(k.label, Math.min(f.x(k.at), f.right - 12), f.bottom + 7);
      });
      ctx.fillText(c.x.label || "", (f.left + f.right) / 2, f.bottom + 28);
      h.count.forEach(function (column, i) {
        column.forEach(function (n, j) {
          if (!(n > 0) || xs[i] == null || ys[j] == null) return;
          var left = Math.round(f.x(xs[i])), low = Math.round(f.y(ys[j]));
          ctx.fillStyle = shade(most > 1 ? Math.log(n) / Math.log(most) : 1);
          ctx.fillRect(left, Math.round(f.y(ys[j + 1])), Math.round(f.x(xs[i + 1])) - left, low - Math.round(f.y(ys[j + 1])));
        });
      });
      figure.dataset.drawn = count;
      return f;
    }, function (f, px, py) {
      for (var i = 0; i < h.count.length; i++) for (var j = 0; j < h.y.length - 1; j++)
        if (px >= f.x(xs[i]) && px < f.x(xs[i + 1]) && py <= f.y(ys[j]) && py > f.y(ys[j + 1]))
          return "from " + larder.exact(c.x, h.x[i]) + " to " + larder.exact(c.x, h.x[i + 1]) + "\n" + larder.format(c.y.unit, h.y[j]) + " to " + larder.format(c.y.unit, h.y[j + 1]) + "\nhow many: " + larder.amount(h.count[i][j]);
      return "";
    });
  }

  var kinds = { lines: lines, bars: bars, heatmap: heatmap }, resizes = [];
  function drawAll() {
    resizes = charts.map(function (c) {
      var figure = document.getElementById("chart-" + c.id), plot = figure.querySelector(".plot");
      if (larder.plots[c.id]) larder.plots[c.id].destroy();
      plot.textContent = "";
      c.series = c.series || [];
      c.series.forEach(function (s) { s.x = s.x || []; });
      return kinds[c.kind](c, figure, plot);
    });
  }
  drawAll();
  night.addEventListener("change", drawAll);
  var width = innerWidth, waiting;
  addEventListener("resize", function () {
    if (innerWidth === width) return;
    width = innerWidth;
    cancelAnimationFrame(waiting);
    waiting = requestAnimationFrame(function () { resizes.forEach(function (f) { f(); }); });
  });
})();
