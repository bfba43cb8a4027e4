# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How the page looks (private to kubestellar.core). Python, since Ansible ships nothing else with a module."""

from __future__ import annotations

STYLE = """
:root {
  color-scheme: light dark;
  --ground: #f5f6f9;
  --surface: #ffffff;
  --raised: #fafbfd;
  --line: #e2e6ee;
  --edge: #b9c2d2;
  --ink: #1b2333;
  --quiet: #5a6478;
  --accent: #2f55c4;
  --healthy: #157f52;
  --progressing: #2767d2;
  --failed: #c42b2b;
  --stale: #8a5f00;
  --removing: #7647c4;
  --idle: #8791a3;
  --shade: 0 1px 2px rgb(20 30 60 / 6%), 0 4px 16px rgb(20 30 60 / 5%);
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #0e131b;
    --surface: #161d28;
    --raised: #1b2432;
    --line: #273243;
    --edge: #46546b;
    --ink: #e5eaf3;
    --quiet: #9ba7bb;
    --accent: #8fb0ff;
    --healthy: #4fc48c;
    --progressing: #75acff;
    --failed: #ff8079;
    --stale: #e2b04a;
    --removing: #bb9af7;
    --idle: #6f7c91;
    --shade: none;
  }
}
* { box-sizing: border-box; }
[hidden] { display: none !important; }
html { -webkit-text-size-adjust: 100%; text-size-adjust: 100%; }
body {
  margin: 0;
  background: var(--ground);
  color: var(--ink);
  font: 15px/1.5 Inter, system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif;
  font-variant-numeric: tabular-nums;
}
.page { max-width: 1200px; margin: 0 auto; padding: 32px 24px 64px; }
h1, h2, h3, p, ul, dl, dd { margin: 0; }
h1 { font-size: 26px; line-height: 1.2; font-weight: 650; letter-spacing: -0.015em; overflow-wrap: anywhere; }
h2 { font-size: 17px; line-height: 1.3; font-weight: 620; letter-spacing: -0.005em; }
h3 { font-size: 14px; font-weight: 600; overflow-wrap: anywhere; }
.quiet { color: var(--quiet); }
.small { font-size: 13px; }
.eyebrow { color: var(--quiet); font-size: 13px; font-weight: 500; }
bdi { overflow-wrap: anywhere; }
a { color: var(--accent); }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; border-radius: 4px; }

.head { display: flex; flex-wrap: wrap; gap: 12px 24px; align-items: flex-end; justify-content: space-between; }
.head > div { min-width: 0; }
.verdict { display: flex; align-items: center; gap: 8px; font-weight: 600; }
.verdict .i { width: 18px; height: 18px; }
.banner {
  margin-top: 16px; padding: 10px 14px; border: 1px solid var(--stale); border-radius: 8px; color: var(--stale); font-weight: 500;
}

.tiles {
  display: grid; grid-template-columns: repeat(auto-fit, minmax(132px, 1fr)); gap: 12px; margin: 24px 0 0; padding: 0; list-style: none;
}
.tile { background: var(--surface); border: 1px solid var(--line); border-radius: 10px; padding: 12px 14px; box-shadow: var(--shade); }
.tile b { display: block; font-size: 24px; line-height: 1.25; font-weight: 620; letter-spacing: -0.02em; }
.tile span { color: var(--quiet); font-size: 13px; display: flex; align-items: center; gap: 6px; }
.tile.none b { color: var(--quiet); font-weight: 500; }

section {
  margin-top: 20px; background: var(--surface); border: 1px solid var(--line); border-radius: 12px; padding: 20px; box-shadow: var(--shade);
  min-width: 0;
}
section > header { display: flex; flex-wrap: wrap; gap: 4px 12px; align-items: baseline; margin-bottom: 14px; }
section > header:last-child { margin-bottom: 0; }
section > header p { color: var(--quiet); font-size: 13px; }

.i { width: 12px; height: 12px; flex: none; vertical-align: -1px; fill: currentColor; fill-rule: evenodd; }
.healthy { color: var(--healthy); fill: var(--healthy); }
.progressing { color: var(--progressing); fill: var(--progressing); }
.failed { color: var(--failed); fill: var(--failed); }
.stale { color: var(--stale); fill: var(--stale); }
.removing { color: var(--removing); fill: var(--removing); }
.idle { color: var(--idle); fill: var(--idle); }
.error { color: var(--failed); fill: var(--failed); }
.warning { color: var(--stale); fill: var(--stale); }
.info { color: var(--quiet); fill: var(--quiet); }
.state { display: inline-flex; align-items: center; gap: 6px; white-space: nowrap; }

.warnings { list-style: none; padding: 0; }
.warnings li { display: grid; grid-template-columns: 88px 1fr; gap: 2px 12px; padding: 10px 0; border-top: 1px solid var(--line); }
.warnings li:first-child { border-top: 0; padding-top: 0; }
.warnings li:last-child { padding-bottom: 0; }
.warnings .level { font-size: 13px; font-weight: 600; line-height: 22px; align-self: start; }
.warnings p { overflow-wrap: anywhere; }

.scroll { overflow-x: auto; margin: 0 -20px -20px; padding: 0 20px 20px; }
table { border-collapse: collapse; width: 100%; }
caption { text-align: left; font-weight: 600; font-size: 14px; padding-bottom: 6px; }
th { text-align: left; font-weight: 500; font-size: 13px; color: var(--quiet); }
th, td { padding: 7px 16px 7px 0; vertical-align: top; border-bottom: 1px solid var(--line); }
th:last-child, td:last-child { padding-right: 0; }
tbody tr:last-child > * { border-bottom: 0; }
tbody th { font-size: 15px; color: var(--ink); font-weight: 500; min-width: 140px; }
td bdi, th bdi { overflow-wrap: break-word; }
td.number, th.number { text-align: right; white-space: nowrap; }
td.zero { color: var(--quiet); }
.labels { color: var(--quiet); font-size: 13px; max-width: 460px; min-width: 160px; }
.tables { display: grid; gap: 24px; margin-top: 24px; grid-template-columns: repeat(auto-fit, minmax(min(320px, 100%), 1fr)); }
.tables > div { min-width: 0; overflow-x: auto; }
details > summary { cursor: pointer; color: var(--accent); font-weight: 500; padding: 4px 0; }

#picture svg { display: block; width: 100%; height: auto; overflow: visible; }
#picture text { font-size: 13px; fill: var(--ink); }
#picture .name { font-weight: 600; }
#picture .sub { fill: var(--quiet); font-size: 12px; }
#picture .node { fill: var(--raised); stroke: var(--line); }
#picture .frame { fill: none; stroke: var(--line); }
#picture .node.bad { stroke: var(--failed); stroke-width: 1.5; }
#picture .node.lost { stroke: var(--stale); stroke-width: 1.5; stroke-dasharray: 4 3; }
#picture .edge { fill: none; stroke: var(--edge); stroke-width: 1.25; }
#picture .edge.lost { stroke: var(--stale); stroke-dasharray: 4 4; }
#picture [data-cluster] { cursor: pointer; }

.tools { display: flex; flex-wrap: wrap; gap: 10px 12px; align-items: end; margin-bottom: 14px; }
.field { display: grid; gap: 3px; font-size: 13px; color: var(--quiet); flex: 1 1 180px; max-width: 300px; min-width: 0; }
.field input {
  font: inherit; font-size: 15px; color: var(--ink); background: var(--raised); border: 1px solid var(--edge); border-radius: 8px;
  padding: 7px 10px; width: 100%; min-width: 0;
}
.chips { display: flex; flex-wrap: wrap; gap: 6px; margin: 0; padding: 0; border: 0; min-width: 0; }
.chips legend { font-size: 13px; color: var(--quiet); padding: 0 0 3px; }
.chip, .more {
  font: inherit; font-size: 13px; color: var(--ink); background: var(--raised); border: 1px solid var(--line); border-radius: 8px;
  padding: 6px 10px; min-height: 38px; cursor: pointer; display: inline-flex; gap: 6px; align-items: center;
}
.chip:hover, .more:hover { border-color: var(--edge); }
.chip[aria-pressed="true"] { border-color: currentColor; box-shadow: inset 0 0 0 1px currentColor; }
.chip:disabled { opacity: 0.55; cursor: default; }
.more { margin-top: 14px; }

#rows { min-height: 40px; }
.row { display: grid; grid-template-columns: minmax(200px, 280px) 1fr; gap: 4px 20px; padding: 10px 0; border-top: 1px solid var(--line); }
.row:first-child { border-top: 0; }
.row .tally { display: flex; flex-wrap: wrap; gap: 2px 12px; font-size: 13px; }
.row h3 { font-weight: 560; }
.strip { display: block; overflow: visible; cursor: crosshair; }
.strip path { fill-rule: evenodd; }
.strip .cursor { fill: none; stroke: var(--ink); stroke-width: 1.25; }
.matrix th[scope="col"] bdi { color: var(--quiet); }
.matrix tbody th { min-width: 200px; overflow-wrap: anywhere; }
.matrix td { white-space: nowrap; padding-top: 3px; padding-bottom: 3px; }
.cell {
  font: inherit; background: none; border: 0; border-radius: 6px; padding: 4px 8px; margin-left: -8px; cursor: pointer; display: inline-flex;
  align-items: center; gap: 6px;
}
.cell:hover, .cell[aria-pressed="true"] { background: var(--raised); box-shadow: inset 0 0 0 1px var(--line); }
#detail.chosen { position: sticky; bottom: 0; }
#detail {
  background: var(--surface); border-top: 1px solid var(--line); margin: 14px -20px -20px; padding: 12px 20px;
  border-radius: 0 0 12px 12px; font-size: 14px; overflow-wrap: anywhere; min-height: 47px;
}
#detail .steps { display: flex; flex-wrap: wrap; gap: 2px 16px; color: var(--quiet); font-size: 13px; }
footer { margin-top: 24px; color: var(--quiet); font-size: 13px; }
.unseen { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }

@media (max-width: 640px) {
  .page { padding: 20px 12px 48px; }
  h1 { font-size: 22px; }
  .tiles { grid-template-columns: repeat(3, 1fr); gap: 8px; }
  .tile { padding: 9px 10px; }
  .tile b { font-size: 20px; }
  .tile span { font-size: 12px; }
  section { padding: 16px; border-radius: 10px; }
  .scroll { margin: 0 -16px -16px; padding: 0 16px 16px; }
  .warnings li { grid-template-columns: 1fr; }
  .field { flex-basis: 100%; max-width: none; }
  .row { grid-template-columns: 1fr; }
  #detail { margin: 14px -16px -16px; padding: 12px 16px; }
  .stacked, .stacked tbody, .stacked tr, .stacked th, .stacked td { display: block; }
  .stacked thead { display: none; }
  .stacked tr { padding: 8px 0; border-bottom: 1px solid var(--line); }
  .stacked tbody tr:last-child { border-bottom: 0; }
  .stacked th, .stacked td { border: 0; padding: 1px 0; }
  .stacked td { display: flex; justify-content: space-between; gap: 12px; align-items: center; }
  .stacked td.zero { display: none; }
  .stacked td.number { text-align: left; }
  .stacked .labels { max-width: none; }
  .stacked td::before { content: attr(data-of); color: var(--quiet); font-size: 13px; overflow-wrap: anywhere; white-space: normal; min-width: 0; }
}
@media print {
  body { background: none; }
  section, .tile { box-shadow: none; break-inside: avoid; }
  .tools, #detail, .more { display: none; }
}
"""
