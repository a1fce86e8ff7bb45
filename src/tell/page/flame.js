"use strict";
/*
 * Draws one of several trees as boxes. A tree is columns: parent and what of each node, parents first; bytes and
 * blocks by measure. Whatever came from the process gets into the page as text, never as markup.
 */
(function () {
  const ROOT = -1, OTHERS = -2, CUT = -3, THREAD = -10; /* and below: threads */
  const ROW = 20, LEAST_PIXELS = 1;
  const KINDS = ["own", "library", "standard", "native", "unknown"];
  const DIRECTIONS = {
    callers: "from the program down to where memory is allocated",
    callees: "from where memory is allocated to its callers",
    threads: "by thread"
  };
  const $ = (id) => document.getElementById(id);
  const profile = JSON.parse($("profile").textContent);

  const state = {measure: profile.measure, direction: profile.trees[0].direction, zoom: 0, search: ""};
  let tree, bytes, blocks, children, found = new Set(), boxes = new Map(), order = [];

  /* ---- words ---- */

  function bytesText(n) {
    const units = ["B", "kB", "MB", "GB", "TB", "PB", "EB"];
    let unit = 0;
    while (n >= 999.95 && unit + 1 < units.length) {
      n /= 1000;
      unit++;
    }
    return (unit ? n.toFixed(1) : String(n)) + " " + units[unit];
  }
  const countText = (n) => n.toLocaleString("en-US");
  const shareText = (part, all) => (all ? 100 * part / all : 0).toFixed(2) + " %";

  function functionOf(node) {
    const place = profile.places[tree.what[node]];
    return place ? profile.functions[place[0]] : null;
  }
  function name(node) {
    const what = tree.what[node];
    if (what === ROOT)
      return "all";
    if (what === OTHERS)
      return "(others)";
    if (what === CUT)
      return "(callers not kept)";
    if (what <= THREAD)
      return profile.threads[THREAD - what];
    const [func, line] = profile.places[what], at = profile.functions[func];
    const where = at.label + (line ? ":" + line : "");
    return at.name ? at.name + (where ? "  " + where : "") : where || "(not known)";
  }
  function hover(node) {
    const at = functionOf(node), lines = [name(node)];
    if (at && at.file !== at.label)
      lines.push(at.file);
    lines.push(bytesText(bytes[node]) + " (" + countText(bytes[node]) + " bytes), " + shareText(bytes[node], bytes[0]) + " of all, " +
               countText(blocks[node]) + (blocks[node] === 1 ? " block" : " blocks"));
    const own = bytes[node] - children[node].reduce((sum, child) => sum + bytes[child], 0);
    if (own && own !== bytes[node])
      lines.push(bytesText(own) + " of it at this very place");
    return lines;
  }

  /* ---- the tree ---- */

  function choose() {
    tree = profile.trees.find((one) => one.direction === state.direction) || profile.trees[0];
    const measure = Math.max(0, profile.measures.indexOf(state.measure));
    bytes = tree.bytes[measure];
    blocks = tree.blocks[measure];
    children = tree.parent.map(() => []);
    for (let node = 1; node < tree.parent.length; node++)
      if (bytes[node])
        children[tree.parent[node]].push(node);
    for (const list of children)
      list.sort((a, b) => bytes[b] - bytes[a] || a - b);
    if (!(state.zoom < tree.parent.length && bytes[state.zoom]))
      state.zoom = 0;
  }

  function matches(node, words) {
    const at = functionOf(node);
    if (words.startsWith("package:"))
      return at !== null && at.package.toLowerCase() === words.slice(8);
    return (name(node) + " " + (at ? at.file : "")).toLowerCase().includes(words);
  }

  /* What is below a match is part of it. */
  function search() {
    const words = state.search.trim().toLowerCase(), inside = new Uint8Array(tree.parent.length);
    let sum = 0, blockSum = 0;
    found = new Set();
    for (let node = 0; words && node < tree.parent.length; node++) {
      const is = bytes[node] && tree.what[node] !== ROOT && matches(node, words);
      inside[node] = node && inside[tree.parent[node]];
      if (is)
        found.add(node);
      if (is && !inside[node]) {
        sum += bytes[node];
        blockSum += blocks[node];
        inside[node] = 1;
      }
    }
    $("found").textContent = words ? countText(found.size) + (found.size === 1 ? " box: " : " boxes: ") + shareText(sum, bytes[0]) + ", " +
      bytesText(sum) + ", " + countText(blockSum) + " blocks" : "";
    $("chart").classList.toggle("searching", words !== "");
  }

  /* ---- boxes ---- */

  function path(node) {
    const nodes = [];
    for (; node >= 0; node = tree.parent[node])
      nodes.unshift(node);
    return nodes;
  }

  function put(into, node, x, width, level, above) {
    const box = document.createElement("div"), at = functionOf(node);
    box.className = "box " + (at ? KINDS[at.kind] : "unknown") + (above ? " above" : "") + (found.has(node) ? " found" : "");
    if (at)
      box.style.setProperty("--hue", String(at.hue));
    box.style.left = x + "px";
    box.style.top = level * ROW + "px";
    box.style.width = Math.max(width, LEAST_PIXELS) + "px";
    if (width > 24)
      box.textContent = name(node);
    box.title = hover(node).join("\n");
    box.setAttribute("role", "button");
    box.setAttribute("aria-label", hover(node).join(", "));
    box.tabIndex = -1;
    box.dataset.node = String(node);
    boxes.set(node, box);
    order.push(node);
    into.append(box);
  }

  function draw() {
    const chart = $("chart"), width = chart.clientWidth || 1200, above = path(state.zoom), into = document.createDocumentFragment();
    const scale = bytes[state.zoom] ? width / bytes[state.zoom] : 0;
    let levels = above.length;
    boxes = new Map();
    order = [];
    above.slice(0, -1).forEach((node, level) => put(into, node, 0, width, level, true));
    const rest = [[state.zoom, 0, above.length - 1]];
    while (rest.length) {
      const [node, x, level] = rest.pop();
      put(into, node, x, bytes[node] * scale, level, false);
      levels = Math.max(levels, level + 1);
      let at = x;
      const below = [];
      for (const child of children[node]) {
        if (bytes[child] * scale >= LEAST_PIXELS)
          below.push([child, at, level + 1]);
        at += bytes[child] * scale;
      }
      rest.push(...below.reverse());
    }
    chart.replaceChildren(into);
    chart.style.height = levels * ROW + "px";
    boxes.get(state.zoom).tabIndex = 0;
  }

  function packages() {
    const sums = new Map();
    for (let node = 0; node < tree.parent.length; node++) {
      const at = functionOf(state.direction === "callees" ? path(node)[1] || 0 : node);
      const own = bytes[node] - children[node].reduce((sum, child) => sum + bytes[child], 0);
      if (at && own > 0)
        sums.set(at.package, {at, bytes: own + (sums.get(at.package) || {bytes: 0}).bytes});
    }
    const rows = [...sums.values()].sort((a, b) => b.bytes - a.bytes).slice(0, 10);
    $("packages").replaceChildren(...rows.map((row) => {
      const button = document.createElement("button");
      button.type = "button";
      button.className = KINDS[row.at.kind];
      button.style.setProperty("--hue", String(row.at.hue));
      button.textContent = (row.at.package || "(not known)") + " " + shareText(row.bytes, bytes[0]);
      button.title = "allocated by its own code: " + bytesText(row.bytes);
      button.addEventListener("click", () => change({search: "package:" + row.at.package}));
      return button;
    }));
  }

  function detail(node) {
    const at = $("detail");
    at.replaceChildren(...hover(node).flatMap((line, i) => i ? [document.createElement("br"), line] : [line]));
  }

  /* ---- what the reader does ---- */

  function remember() {
    const words = new URLSearchParams({measure: state.measure, direction: state.direction});
    if (state.zoom)
      words.set("zoom", String(state.zoom));
    if (state.search)
      words.set("search", state.search);
    try {
      history.replaceState(null, "", "#" + words);
    } catch (error) {
      /* a page that is no file of its own has no address to change */
    }
  }

  function change(what) {
    Object.assign(state, what);
    choose();
    search();
    draw();
    if ("measure" in what || "direction" in what)
      packages();
    $("measure").value = state.measure;
    $("direction").value = state.direction;
    if ($("search").value !== state.search)
      $("search").value = state.search;
    detail(state.zoom);
    remember();
  }

  function zoom(node) {
    change({zoom: node});
    boxes.get(node).focus({preventScroll: true});
  }

  function go(node) {
    const box = boxes.get(node);
    if (!box)
      return;
    for (const other of boxes.values())
      other.tabIndex = -1;
    box.tabIndex = 0;
    box.focus();
  }

  /* The next box of the same level, in steps of one. */
  function beside(node, step) {
    const level = boxes.get(node).style.top;
    const row = order.filter((other) => boxes.get(other).style.top === level);
    return row[row.indexOf(node) + step];
  }

  function nextFound(node, step) {
    const shown = order.filter((other) => found.has(other)), at = order.indexOf(node);
    if (!shown.length)
      return undefined;
    return step > 0 ? shown.find((other) => order.indexOf(other) > at) ?? shown[0]
      : shown.reverse().find((other) => order.indexOf(other) < at) ?? shown[0];
  }

  function onKey(event) {
    const typing = event.target === $("search");
    if (event.ctrlKey || event.altKey || event.metaKey)
      return;
    if (event.key === "Escape") {
      change(typing && state.search ? {search: ""} : {zoom: 0});
      event.preventDefault();
    } else if (event.key === "/" && !typing) {
      $("search").focus();
      event.preventDefault();
    } else if (event.target.dataset && event.target.dataset.node !== undefined) {
      onBoxKey(event, Number(event.target.dataset.node));
    }
  }

  function onBoxKey(event, node) {
    const to = {
      ArrowLeft: () => beside(node, -1), ArrowRight: () => beside(node, 1), ArrowUp: () => tree.parent[node],
      ArrowDown: () => children[node].find((child) => boxes.has(child)), Home: () => 0,
      n: () => nextFound(node, 1), N: () => nextFound(node, -1)
    }[event.key];
    if (to)
      go(to());
    else if (event.key === "Enter" || event.key === " ")
      zoom(node);
    else
      return;
    event.preventDefault();
  }

  function nodeOf(event) {
    const box = event.target.closest(".box");
    return box ? Number(box.dataset.node) : -1;
  }

  /* ---- the page ---- */

  function options(select, names, texts) {
    names.forEach((name, number) => {
      const option = document.createElement("option");
      option.value = name;
      option.textContent = texts[number];
      select.append(option);
    });
  }

  function facts() {
    document.title = profile.command + " - heapwhy";
    $("title").textContent = profile.command;
    $("facts").textContent = profile.facts;
    const notes = profile.trees.filter((one) => one.left_out).map((one) =>
      DIRECTIONS[one.direction] + ": " + countText(one.left_out) + " frames with less than " + one.percent + " % of each measure");
    $("note").textContent = (profile.imports ? "" : "Frames of the import system are left out, except where they allocate. ") +
      (notes.length ? "Summed up as (others), " + notes.join("; ") + "." : "");
  }

  function time() {
    const moments = profile.moments, chart = $("time");
    if (moments.length < 2)
      return;
    const end = Math.max(profile.seconds, moments[moments.length - 1][0]) || 1, most = Math.max(1, ...moments.map((one) => one[1]));
    const add = (kind, attributes) => {
      const element = document.createElementNS("http://www.w3.org/2000/svg", kind);
      for (const [key, value] of Object.entries(attributes))
        element.setAttribute(key, value);
      chart.append(element);
    };
    chart.setAttribute("viewBox", "0 0 1000 56");
    add("path", {d: "M0 56" + moments.map(([at, n]) => "L" + (1000 * at / end).toFixed(1) + " " + (56 - 52 * n / most).toFixed(1)).join("") +
                     "V56Z"});
    add("line", {x1: 1000 * profile.peak_seconds / end, x2: 1000 * profile.peak_seconds / end, y1: 0, y2: 56});
    chart.querySelector("title").textContent = "In use over " + end.toFixed(1) + " s, at most " + bytesText(most) + ", at " +
      profile.peak_seconds.toFixed(1) + " s";
    chart.removeAttribute("hidden");
  }

  function fromAddress() {
    const words = new URLSearchParams(location.hash.slice(1)), what = {};
    if (profile.measures.includes(words.get("measure")))
      what.measure = words.get("measure");
    if (profile.trees.some((one) => one.direction === words.get("direction")))
      what.direction = words.get("direction");
    if (/^\d+$/.test(words.get("zoom") || ""))
      what.zoom = Number(words.get("zoom"));
    what.search = words.get("search") || "";
    return what;
  }

  facts();
  time();
  options($("measure"), profile.measures, profile.measure_texts);
  options($("direction"), profile.trees.map((one) => one.direction), profile.trees.map((one) => DIRECTIONS[one.direction]));
  $("measure").addEventListener("change", () => change({measure: $("measure").value}));
  $("direction").addEventListener("change", () => change({direction: $("direction").value, zoom: 0}));
  $("search").addEventListener("input", () => change({search: $("search").value}));
  $("reset").addEventListener("click", () => change({zoom: 0, search: ""}));
  $("bar").addEventListener("submit", (event) => event.preventDefault());
  $("chart").addEventListener("click", (event) => nodeOf(event) >= 0 && zoom(nodeOf(event)));
  $("chart").addEventListener("mouseover", (event) => nodeOf(event) >= 0 && detail(nodeOf(event)));
  $("chart").addEventListener("focusin", (event) => nodeOf(event) >= 0 && detail(nodeOf(event)));
  document.addEventListener("keydown", onKey);
  window.addEventListener("resize", draw);
  change({measure: state.measure, ...fromAddress()});
})();
