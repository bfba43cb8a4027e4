# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the page does (private to kubestellar.core). Python, since Ansible ships nothing else with a module.

Everything that stems from a cluster becomes text by `textContent` or an attribute; the page's policy
(`require-trusted-types-for`) lets nothing become markup or code. Rows are made when they come into sight.
"""

from __future__ import annotations

SCRIPT = r"""
(() => {
  'use strict';

  const SVG = 'http://www.w3.org/2000/svg';
  const PAGE = 40;      // rows that are made at once
  const PITCH = 12;     // pixels from one cell of a strip to the next
  const NARROW = 720;   // below this width, the picture goes from top to bottom
  const data = JSON.parse(document.getElementById('data').textContent);
  const clusters = data.clusters.map(([name, state, note, labels, total, healthy]) =>
    ({ name, state, note, labels, total, healthy, text: `${name} ${labels}`.toLowerCase() }));
  const rows = data.rows.map(([label, wds, policies, cells, ages]) => ({
    label, wds, policies, cells: unpacked(cells), ages: unpacked(ages),
    text: `${label} ${policies} ${wds}`.toLowerCase(),
  }));

  // -- small things ------------------------------------------------------------------------------------

  function unpacked(runs) {
    const all = new Int32Array(clusters.length);
    for (let run = 0, at = 0; run < runs.length; run += 2) {
      all.fill(runs[run], at, at + runs[run + 1]);
      at += runs[run + 1];
    }
    return all;
  }

  function made(node, attributes, parts) {
    for (const [name, value] of Object.entries(attributes || {})) {
      if (value !== undefined && value !== null && value !== false) node.setAttribute(name, value === true ? '' : value);
    }
    for (const part of parts) node.append(part);
    return node;
  }

  const html = (name, attributes, ...parts) => made(document.createElement(name), attributes, parts);
  const svg = (name, attributes, ...parts) => made(document.createElementNS(SVG, name), attributes, parts);
  const named = (text) => html('bdi', {}, text);
  const told = (number) => number.toLocaleString('en');
  const many = (number, what) => `${told(number)} ${what}${number === 1 ? '' : 's'}`;
  const shape = (state, x, y) => `M${x} ${y}${data.shapes[state]}`;
  const icon = (state) =>
    svg('svg', { class: `i ${state}`, viewBox: '0 0 10 10', 'aria-hidden': 'true' }, svg('path', { d: shape(state, 0, 0) }));
  const words = (text) => text.toLowerCase().split(/\s+/).filter(Boolean);
  const shortened = (text, most) => (text.length > most ? `${text.slice(0, most - 1)}…` : text);

  function span(seconds) {
    for (const [size, unit] of [[86400, 'day'], [3600, 'hour'], [60, 'minute']]) {
      if (seconds >= size) return many(Math.floor(seconds / size), unit);
    }
    return many(Math.max(0, Math.floor(seconds)), 'second');
  }

  // -- how old the page is -----------------------------------------------------------------------------

  function tellAge() {
    const old = Date.now() / 1000 - data.taken;
    document.getElementById('age').textContent = old < 60 ? 'just now' : `${span(old)} ago`;
    const banner = document.getElementById('banner');
    banner.hidden = old < 900;
    banner.textContent = `This page shows the state of ${span(old)} ago.`;
  }

  // -- the picture -------------------------------------------------------------------------------------

  const ORDER = ['failed', 'stale', 'removing', 'progressing', 'healthy', 'idle'];

  function spacesOf(role) {
    const found = data.spaces.filter((space) => space.role === role);
    const known = new Set(found.map((space) => space.name));
    const asked = role === 'wds' ? data.wdses : [data.its];
    const all = found.concat(asked.filter((name) => name && !known.has(name)).map((name) => ({ name, ready: true })));
    return all.sort((a, b) => asked.includes(b.name) - asked.includes(a.name));
  }

  function clusterNode(cluster) {
    const counts = cluster.total ? `${cluster.healthy} of ${cluster.total} healthy` : 'nothing placed';
    return { name: cluster.name, sub: cluster.state === 'stale' ? cluster.note : counts, state: cluster.state, cluster: cluster.name };
  }

  // Boxes of one level, side by side or below each other; an edge is drawn from each of `from`.
  function drawPicture() {
    const place = document.getElementById('picture');
    const width = place.clientWidth;
    const narrow = width < NARROW;
    const hub = { name: data.hub || 'hub', sub: 'hosting cluster', state: 'hub' };
    const wdses = spacesOf('wds').map((space) => ({
      name: space.name, state: space.ready ? 'wds' : 'failed', near: data.wdses.includes(space.name),
      sub: space.ready ? many(data.workloads[space.name] || 0, 'workload') : 'not ready',
    }));
    const itses = spacesOf('its').map((space) => ({
      name: space.name, state: space.ready ? 'its' : 'failed', near: space.name === data.its,
      sub: space.ready ? (space.name === data.its ? many(data.registered, 'cluster') : 'inventory') : 'not ready',
    }));
    const levels = [
      { title: 'Hub', nodes: [hub] },
      { title: 'Workload spaces', nodes: wdses },
      { title: 'Inventory space', nodes: itses },
    ];
    const few = clusters.length <= 12;
    const last = { title: many(data.registered, 'cluster') };
    const drawing = svg('svg', { role: 'img', 'aria-label': toldPicture(wdses, itses) });
    const edges = svg('g', {});
    const boxes = svg('g', {});
    drawing.append(edges, boxes);
    const height = narrow ? layoutDown(levels, last, few, width) : layoutAcross(levels, last, few, width);
    drawing.setAttribute('viewBox', `0 0 ${width} ${height}`);
    for (const level of levels) for (const node of level.nodes) boxes.append(drawnNode(node));
    if (last.framed) boxes.append(svg('rect', { x: last.x, y: last.y, width: last.w, height: last.h, rx: 12, class: 'frame' }));
    if (few) for (const node of last.nodes) boxes.append(drawnNode(node));
    else boxes.append(...last.drawn);
    for (const node of wdses) edges.append(edge(hub, node, narrow));
    for (const node of itses) {
      const sources = node.near ? wdses.filter((wds) => wds.near) : [];
      for (const source of sources.length ? sources : [hub]) edges.append(edge(source, node, narrow));
    }
    const its = itses.find((node) => node.near);
    if (its) for (const node of few && !last.framed ? last.nodes : [last]) edges.append(edge(its, node, narrow, node.state === 'stale'));
    place.replaceChildren(drawing);
  }

  function toldPicture(wdses, itses) {
    const states = ORDER.map((state) => [state, clusters.filter((cluster) => cluster.state === state).length]);
    const ones = states.filter(([, number]) => number).map(([state, number]) => `${number} ${state}`).join(', ');
    const list = (nodes) => nodes.map((node) => node.name).join(', ') || 'none';
    return `Hub ${data.hub}, workload spaces ${list(wdses)}, inventory spaces ${list(itses)}, ` +
      `${many(clusters.length, 'cluster')}${ones ? ` (${ones})` : ''}`;
  }

  const BOX = { w: 148, h: 48, gap: 12 };

  function layoutAcross(levels, last, few, width) {
    const reserved = few && clusters.length <= 4 ? 280 : 420;
    const gutter = Math.max(28, Math.min(120, (width - 3 * BOX.w - reserved) / 3));
    const left = 3 * (BOX.w + gutter);
    const blockHeight = few
      ? cardsAt(last, left, 0, width - left)
      : dotsAt(last, left, 0, width - left);
    const tallest = Math.max(...levels.map((level) => level.nodes.length * (BOX.h + BOX.gap) - BOX.gap));
    const height = Math.max(blockHeight, tallest, BOX.h) + 4;
    const shift = (height - blockHeight) / 2;
    last.y += shift;
    if (few) last.nodes.forEach((node) => { node.y += shift; });
    else { last.drawn.forEach((part) => part.setAttribute('transform', `translate(0 ${shift})`)); }
    levels.forEach((level, column) => {
      const total = level.nodes.length * (BOX.h + BOX.gap) - BOX.gap;
      level.nodes.forEach((node, index) => {
        Object.assign(node, { x: 1 + column * (BOX.w + gutter), y: (height - total) / 2 + index * (BOX.h + BOX.gap), w: BOX.w, h: BOX.h });
      });
    });
    return height;
  }

  function layoutDown(levels, last, few, width) {
    let y = 2;
    for (const level of levels) {
      const across = Math.max(1, Math.min(level.nodes.length, Math.floor((width + BOX.gap) / (120 + BOX.gap))));
      const w = Math.min(190, (width - 2 - (across - 1) * BOX.gap) / across);
      level.nodes.forEach((node, index) => {
        const line = Math.floor(index / across);
        const inLine = Math.min(across, level.nodes.length - line * across);
        const start = (width - inLine * (w + BOX.gap) + BOX.gap) / 2;
        Object.assign(node, { x: start + (index % across) * (w + BOX.gap), y: y + line * (BOX.h + BOX.gap), w, h: BOX.h });
      });
      y += Math.ceil(level.nodes.length / across) * (BOX.h + BOX.gap) + 24;
    }
    return y + (few ? cardsAt(last, 1, y, width - 2) : dotsAt(last, 1, y, width - 2)) + 4;
  }

  // A few clusters: a box for each; if they are side by side and below each other, in a frame. Returns the height.
  function cardsAt(last, x, y, width) {
    const framed = clusters.length > 4 || (y > 0 && clusters.length > 2);
    const pad = framed ? BOX.gap : 0;
    const inner = width - 1 - 2 * pad;
    const perLine = framed || y ? Math.max(1, Math.floor((inner + BOX.gap) / (136 + BOX.gap))) : 1;
    const w = Math.min(280, (inner - (perLine - 1) * BOX.gap) / perLine);
    last.nodes = clusters.map((cluster, index) => Object.assign(clusterNode(cluster), {
      x: x + pad + (index % perLine) * (w + BOX.gap), y: y + pad + Math.floor(index / perLine) * (BOX.h + BOX.gap), w, h: BOX.h,
    }));
    const height = Math.ceil(clusters.length / perLine) * (BOX.h + BOX.gap) - (clusters.length ? BOX.gap : 0) + 2 * pad;
    Object.assign(last, { framed, x, y, w: framed ? Math.min(perLine, clusters.length) * (w + BOX.gap) + BOX.gap : width, h: height });
    return height;
  }

  // Many clusters: a mark for each, together by state. Returns the height.
  function dotsAt(last, x, y, width) {
    const pitch = 15;
    const perLine = Math.max(8, Math.floor((width - 28) / pitch));
    last.drawn = [];
    let at = y + 14;
    for (const state of ORDER) {
      const mine = clusters.filter((cluster) => cluster.state === state);
      if (!mine.length) continue;
      const group = svg('g', { class: state });
      last.drawn.push(svg('text', { x: x + 14, y: at + 12, class: 'name' }, `${mine.length} ${state}`));
      at += 22;
      mine.forEach((cluster, index) => {
        const cx = x + 14 + (index % perLine) * pitch;
        const cy = at + Math.floor(index / perLine) * pitch;
        group.append(svg('path', { d: shape(state, cx, cy), 'fill-rule': 'evenodd', 'data-cluster': cluster.name },
          svg('title', {}, `${cluster.name}${cluster.note ? `: ${cluster.note}` : ''}`)));
      });
      last.drawn.push(group);
      at += Math.ceil(mine.length / perLine) * pitch + 12;
    }
    Object.assign(last, { x, y, w: width, h: at - y });
    last.drawn.unshift(svg('rect', { x, y, width, height: last.h, rx: 10, class: 'node' }));
    return last.h;
  }

  function drawnNode(node) {
    const isCluster = node.cluster !== undefined;
    const bad = node.state === 'failed' ? ' bad' : node.state === 'stale' ? ' lost' : '';
    const most = Math.floor((node.w - (isCluster ? 40 : 24)) / 7.2);
    const group = svg('g', { transform: `translate(${node.x} ${node.y})`, 'data-cluster': node.cluster },
      svg('title', {}, `${node.name}: ${node.sub}`),
      svg('rect', { width: node.w, height: node.h, rx: 9, class: `node${bad}` }));
    const inset = isCluster ? 32 : 12;
    if (isCluster) {
      const at = { class: node.state, 'fill-rule': 'evenodd', transform: 'translate(11 16) scale(1.3)' };
      group.append(svg('path', { d: shape(node.state, 0, 0), ...at }));
    }
    group.append(
      svg('text', { x: inset, y: 20, class: 'name' }, shortened(node.name, most)),
      svg('text', { x: inset, y: 37, class: 'sub' }, shortened(node.sub, Math.floor(most * 1.1))));
    return group;
  }

  function edge(from, to, narrow, lost) {
    const [x1, y1, x2, y2] = narrow
      ? [from.x + from.w / 2, from.y + from.h, to.x + to.w / 2, to.y]
      : [from.x + from.w, from.y + from.h / 2, to.x, to.y + to.h / 2];
    const middle = narrow ? (y1 + y2) / 2 : (x1 + x2) / 2;
    const curve = narrow ? `C${x1} ${middle} ${x2} ${middle} ${x2} ${y2}` : `C${middle} ${y1} ${middle} ${y2} ${x2} ${y2}`;
    return svg('path', { d: `M${x1} ${y1}${curve}`, class: lost ? 'edge lost' : 'edge' });
  }

  // -- the matrix --------------------------------------------------------------------------------------

  const chosen = new Set();   // states to show; all if empty
  const list = document.getElementById('rows');
  const detail = document.getElementById('detail');
  const objectField = document.getElementById('objects');
  const clusterField = document.getElementById('clusters');
  let shown = { rows: [], columns: [], made: 0, wide: false };
  let pressed = null;

  const stateOf = (cell) => data.states[data.cells[cell][0]];

  function filtered() {
    const objectWords = words(objectField.value);
    const clusterWords = words(clusterField.value);
    let columns = clusters.map((_cluster, index) => index)
      .filter((index) => clusterWords.every((word) => clusters[index].text.includes(word)));
    const wanted = (cell) => cell > 0 && (!chosen.size || chosen.has(stateOf(cell)));
    const found = rows.filter((row) => objectWords.every((word) => row.text.includes(word)) &&
      (columns.some((index) => wanted(row.cells[index])) || (!chosen.size && !clusterWords.length)));
    columns = columns.filter((index) => found.some((row) => wanted(row.cells[index])));
    return { rows: found.map((row) => ({ row, worst: worstOf(row, columns) })).sort((a, b) => a.worst - b.worst).map((entry) => entry.row), columns };
  }

  function worstOf(row, columns) {
    let worst = ORDER.length;
    for (const index of columns) {
      if (row.cells[index]) worst = Math.min(worst, ORDER.indexOf(stateOf(row.cells[index])));
    }
    return worst;
  }

  function drawMatrix() {
    const width = list.clientWidth;
    const { rows: found, columns } = filtered();
    const longest = columns.reduce((most, index) => Math.max(most, clusters[index].name.length), 11);
    const phone = window.innerWidth <= 640;
    const wide = columns.length > 0 && (phone ? columns.length <= 6 : columns.length * (longest * 7.5 + 28) + 240 <= width);
    shown = { rows: found, columns, made: 0, wide };
    pressed = null;
    say();
    list.replaceChildren();
    const cells = found.length * columns.length;
    document.getElementById('found').textContent =
      `${many(found.length, 'object')} × ${many(columns.length, 'cluster')}${cells ? '' : ': nothing fits the filter'}`;
    if (wide) {
      shown.body = html('tbody', {});
      const heads = columns.map((index) => html('th', { scope: 'col' }, named(clusters[index].name)));
      list.append(html('table', { class: 'matrix stacked' },
        html('thead', {}, html('tr', {}, html('th', { scope: 'col' }, 'Object'), ...heads)), shown.body));
    }
    more();
  }

  function more() {
    const next = shown.rows.slice(shown.made, shown.made + PAGE);
    shown.made += next.length;
    for (const row of next) (shown.wide ? shown.body : list).append(shown.wide ? tableRow(row) : stripRow(row));
    const left = shown.rows.length - shown.made;
    const button = document.getElementById('more');
    button.hidden = !left;
    button.textContent = `Show ${Math.min(left, PAGE)} more of ${left}`;
  }

  function tableRow(row) {
    const line = html('tr', {}, html('th', { scope: 'row', title: row.policies ? `placed by ${row.policies}` : undefined }, named(row.label)));
    for (const index of shown.columns) {
      const cell = html('td', { 'data-of': clusters[index].name });
      if (row.cells[index]) {
        const state = stateOf(row.cells[index]);
        const button = html('button', { type: 'button', class: `cell ${state}`, 'aria-pressed': 'false' }, icon(state), state);
        button.addEventListener('click', () => {
          if (pressed) pressed.setAttribute('aria-pressed', 'false');
          pressed = button;
          button.setAttribute('aria-pressed', 'true');
          say(row, index);
        });
        cell.append(button);
      } else {
        cell.append(html('span', { class: 'quiet', 'aria-label': 'not placed' }, '\u2013'));
      }
      line.append(cell);
    }
    return line;
  }

  function stripRow(row) {
    const columns = shown.columns;
    const width = list.clientWidth - (window.innerWidth <= 640 ? 0 : 300);
    const scale = columns.length > 150 ? 0.75 : 1;
    const perLine = Math.max(8, Math.floor(width / (PITCH * scale)));
    const paths = {};
    const counts = {};
    columns.forEach((index, position) => {
      const cell = row.cells[index];
      const state = cell ? stateOf(cell) : 'none';
      counts[state] = (counts[state] || 0) + 1;
      (paths[state] = paths[state] || []).push(shape(state, (position % perLine) * PITCH + 1, Math.floor(position / perLine) * PITCH + 1));
    });
    const states = ORDER.filter((state) => counts[state]);
    const spoken = states.map((state) => `${counts[state]} ${state}`).join(', ') || 'not placed';
    const lines = Math.ceil(columns.length / perLine);
    const w = Math.min(columns.length, perLine) * PITCH;
    const strip = svg('svg', {
      class: 'strip', width: w * scale, height: lines * PITCH * scale, viewBox: `0 0 ${w} ${lines * PITCH}`, tabindex: '0', role: 'group',
      'aria-label': `${row.label}: ${spoken}. Arrow keys read the clusters.`,
    });
    for (const [state, parts] of Object.entries(paths)) {
      strip.append(svg('path', { class: state === 'none' ? 'idle' : state, d: parts.join('') }));
    }
    const cursor = svg('rect', { class: 'cursor', width: PITCH, height: PITCH, rx: 3, visibility: 'hidden' });
    strip.append(cursor);
    let at = -1;
    const go = (position) => {
      at = Math.max(0, Math.min(columns.length - 1, position));
      cursor.setAttribute('x', (at % perLine) * PITCH);
      cursor.setAttribute('y', Math.floor(at / perLine) * PITCH);
      cursor.setAttribute('visibility', 'visible');
      say(row, columns[at]);
    };
    strip.addEventListener('pointermove', (event) => pointed(event, strip, PITCH * scale, perLine, columns.length, go));
    strip.addEventListener('click', (event) => pointed(event, strip, PITCH * scale, perLine, columns.length, go));
    strip.addEventListener('pointerleave', () => cursor.setAttribute('visibility', 'hidden'));
    strip.addEventListener('focusout', () => cursor.setAttribute('visibility', 'hidden'));
    strip.addEventListener('keydown', (event) => {
      const step = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: perLine, ArrowUp: -perLine }[event.key];
      if (step === undefined && event.key !== 'Home' && event.key !== 'End') return;
      event.preventDefault();
      go(event.key === 'Home' ? 0 : event.key === 'End' ? columns.length - 1 : at < 0 ? 0 : at + step);
    });
    const tally = html('div', { class: 'tally' });
    for (const state of states) {
      tally.append(html('span', { class: `state ${state}` }, icon(state), `${counts[state]} ${state}`));
    }
    return html('div', { class: 'row' },
      html('div', {}, html('h3', { title: row.policies ? `placed by ${row.policies}` : undefined }, named(row.label)), tally), strip);
  }

  function pointed(event, strip, pitch, perLine, number, go) {
    const box = strip.getBoundingClientRect();
    const column = Math.floor((event.clientX - box.left) / pitch);
    const line = Math.floor((event.clientY - box.top) / pitch);
    if (column >= 0 && column < perLine && line >= 0 && line * perLine + column < number) go(line * perLine + column);
  }

  // What is known of one cell, read aloud by screen readers.
  function say(row, index) {
    detail.classList.toggle('chosen', Boolean(row));
    if (!row) {
      detail.replaceChildren(html('span', { class: 'quiet' }, 'Choose a cell to read what is known of it.'));
      return;
    }
    const head = html('div', {}, named(row.label), ' in ', named(clusters[index].name), ' ');
    detail.replaceChildren(head);
    const cell = row.cells[index];
    if (!cell) {
      head.append(html('span', { class: 'quiet' }, 'is not placed there'));
      return;
    }
    const [state, selected, delivered, applied, message] = data.cells[cell];
    head.append(html('span', { class: `state ${data.states[state]}` }, icon(data.states[state]), data.states[state]));
    if (message) detail.append(html('div', {}, named(data.messages[message])));
    const yes = (value) => (value ? 'yes' : 'no');
    const steps = [['selected', yes(selected)], ['delivered', yes(delivered)], ['applied', yes(applied)], ['space', row.wds]];
    if (row.policies) steps.push(['placed by', row.policies]);
    if (row.ages[index]) steps.push(['status changed', `${span(Date.now() / 1000 - data.taken + (row.ages[index] - 1) * 60)} ago`]);
    detail.append(html('div', { class: 'steps' }, ...steps.map(([what, value]) => html('span', {}, `${what}: `, named(value)))));
  }

  function chips() {
    const counts = Object.fromEntries(data.states.map((state) => [state, 0]));
    for (const row of rows) for (const cell of row.cells) if (cell) counts[stateOf(cell)] += 1;
    for (const state of ORDER.filter((one) => data.states.includes(one))) {
      const chip = html('button', { type: 'button', class: `chip ${state}`, 'aria-pressed': 'false', disabled: !counts[state] },
        icon(state), `${told(counts[state])} ${state}`);
      chip.addEventListener('click', () => {
        const on = !chosen.has(state);
        if (on) chosen.add(state);
        else chosen.delete(state);
        chip.setAttribute('aria-pressed', String(on));
        drawMatrix();
      });
      document.getElementById('chips').append(chip);
    }
  }

  // -- all of it ---------------------------------------------------------------------------------------

  function draw() {
    drawPicture();
    drawMatrix();
  }

  document.documentElement.classList.add('scripted');
  for (const hidden of document.querySelectorAll('[data-scripted]')) hidden.hidden = false;
  tellAge();
  setInterval(tellAge, 30000);
  chips();
  draw();
  let waiting = 0;
  const soon = (work) => { clearTimeout(waiting); waiting = setTimeout(work, 120); };
  objectField.addEventListener('input', () => soon(drawMatrix));
  clusterField.addEventListener('input', () => soon(drawMatrix));
  document.getElementById('more').addEventListener('click', more);
  document.getElementById('picture').addEventListener('click', (event) => {
    const target = event.target.closest('[data-cluster]');
    if (!target) return;
    clusterField.value = target.dataset.cluster;
    drawMatrix();
    document.getElementById('matrix').scrollIntoView({ block: 'start' });
  });
  let lastWidth = window.innerWidth;
  window.addEventListener('resize', () => {
    if (window.innerWidth === lastWidth) return;
    lastWidth = window.innerWidth;
    soon(draw);
  });
  new IntersectionObserver((entries) => {
    if (entries.some((entry) => entry.isIntersecting) && shown.made < shown.rows.length) more();
  }, { rootMargin: '200px' }).observe(document.getElementById('more'));
  requestAnimationFrame(() => requestAnimationFrame(() => {
    document.documentElement.dataset.rendered = String(Math.round(performance.now()));
  }));
})();
"""
