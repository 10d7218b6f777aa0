"use strict";
// Figures as results.Unit.Format writes them, and scales as the package draw has them.
var larder = (function () {
  function digits(x) {
    var a = Math.abs(x);
    return x.toFixed(a < 9.995 ? 2 : a < 99.95 ? 1 : 0);
  }
  function small(x) { // %.3g
    return x.toExponential(2).replace(/\.?0+e/, "e").replace(/e([+-])(\d)$/, "e$10$2");
  }
  function amount(x) {
    if (Math.abs(x) < 99.95 && x !== Math.trunc(x)) return digits(x);
    if (!(Math.abs(x) < 1e15)) return small(x);
    return x.toFixed(0).replace(/^-0$/, "0").replace(/\B(?=(\d{3})+$)/g, ",");
  }
  function brief(ns) {
    if (ns < 0) return (Math.round(-ns) ? "-" : "") + brief(-ns);
    ns = Math.round(ns);
    if (ns === 0) return "-";
    ns = Math.min(ns, 9223372036854775807);
    if (ns < 1e3) return ns + " ns";
    if (ns < 1e6) return digits(ns / 1e3) + " \u00b5s";
    if (ns < 1e9) return digits(ns / 1e6) + " ms";
    return digits(ns / 1e9) + " s";
  }
  function format(unit, x) {
    if (x == null || isNaN(x)) return "-";
    switch (unit) {
    case "ns": return brief(x);
    case "s": return brief(x * 1e9);
    case "/s": return amount(x) + "/s";
    case "ratio": return (Math.abs(x) >= 1e6 ? small(100 * x) : (100 * x).toFixed(1)) + "%";
    case "B":
      var names = ["B", "kB", "MB", "GB"], i = 0;
      for (; Math.abs(x) >= 999.5 && i < 3; i++) x /= 1000;
      return (i === 0 ? x.toFixed(0) : Math.abs(x) >= 1e6 ? amount(x) : digits(x)) + " " + names[i];
    }
    return amount(x);
  }
  function label(unit, v, step) {
    if (Math.abs(v) < step / 1e6) v = 0;
    if (unit === "ratio") {
      var s = step > 0 ? step : v, d = s > 0 && (step > 0 || v < 0.01) ? Math.ceil(-Math.log10(s) - 2 - 1e-9) : 0;
      return (100 * v).toFixed(Math.min(Math.max(d, 0), 6)) + "%";
    }
    if (v === 0 && (unit === "ns" || unit === "s")) return "0";
    return format(unit, v).replace(/^(-?[\d,]+)\.(\d*?)0+(?=$| |\/)/, function (_, a, b) { return b ? a + "." + b : a; });
  }
  function place(scale, v) {
    if (v == null || !(Math.abs(v) <= 1e300)) return null;
    if (scale === "log") return v > 0 ? Math.log10(v) : null;
    if (scale === "nines") return v < 1 ? -Math.log10(1 - Math.max(v, 0)) : null;
    return v;
  }
  function value(scale, p) {
    return scale === "log" ? Math.pow(10, p) : scale === "nines" ? 1 - Math.pow(10, -p) : p;
  }
  function exact(axis, v) { // of a quantile, as many nines as it has
    if (axis.scale === "nines" && v < 1 && v > 0.99) return (100 * v).toFixed(Math.min(Math.ceil(-Math.log10(1 - v)), 9)) + "%";
    return axis.unit === "s" && v === 0 ? "0 s" : format(axis.unit, v);
  }
  function ticks(axis, from, to, n) {
    var all = [], i, t, d, decades = to - from;
    if (axis.scale === "log" && decades > 0.7) {
      var every = Math.max(1, Math.ceil(decades / n));
      for (d = Math.ceil(from - 1e-9); d <= to + 1e-9; d += every) all.push({ at: d, label: label(axis.unit, Math.pow(10, d), 0) });
      if (decades <= 2.5) for (d = Math.floor(from); d <= to; d++) [2, 5].forEach(function (x) {
        t = d + Math.log10(x);
        if (t >= from && t <= to) all.push({ at: t, label: label(axis.unit, x * Math.pow(10, d), 0) });
      });
      return all.sort(function (a, b) { return a.at - b.at; });
    }
    if (axis.scale === "nines") {
      for (i = Math.max(0, Math.ceil(from - 1e-9)); i <= Math.min(12, to + 1e-9); i++)
        all.push({ at: i, label: i ? (100 * (1 - Math.pow(10, -i))).toFixed(Math.max(i - 2, 0)) + "%" : "0%" });
      if (all.length > 1) return all;
    }
    all = [];
    var rough = decades / Math.max(n, 2), step = Math.pow(10, Math.floor(Math.log10(rough)));
    if (!(step > 0)) return all;
    step *= [1, 2, 5, 10].find(function (x) { return step * x >= rough * 0.999; }) || 10;
    for (i = 0, d = Math.ceil(from / step - 1e-9); i < 2 * n + 5; i++) {
      t = (d + i) * step;
      if (t > to + step * 1e-9) break;
      if (Math.abs(t) < step / 1e6) t = 0;
      all.push({ at: t, label: axis.scale === "log" || axis.scale === "nines" ? exact(axis, value(axis.scale, t)) : label(axis.unit, t, step) });
    }
    return all;
  }
  // range returns the ends of an axis for places, as axis.round of the package draw.
  function range(axis, places, vertical) {
    var from = Infinity, to = -Infinity;
    places.forEach(function (p) { if (p != null && p === p) { from = Math.min(from, p); to = Math.max(to, p); } });
    if (from > to) return [0, 1];
    if (vertical && axis.scale === "log") { from = Math.floor(from + 0.001); to = Math.ceil(to - 0.001); }
    else if (vertical) {
      if (from > 0 && (axis.unit !== "ratio" || from < 0.8 * to)) from = 0;
      to += 0.06 * (to - from);
      if (from < 0) from -= 0.06 * (to - from);
      if (axis.unit === "ratio" && to > 1 && to < 1.07) to = 1;
    }
    if (to - from < 1e-9 * Math.max(Math.abs(to), 1e-280)) {
      var pad = axis.scale === "log" ? 0.5 : Math.max(Math.abs(to) / 2, 1e-3);
      from -= pad; to += pad;
    }
    return [from, to];
  }
  return { format: format, label: label, place: place, value: value, exact: exact, ticks: ticks, range: range, amount: amount };
})();
