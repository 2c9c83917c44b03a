const light = `
  --paper: #f5f6f8; --card: #ffffff; --ink: #1b1f27; --muted: #5a6270; --grid: #e3e6eb; --line: #d5d9e0;
  --link: #0a58ca; --good: #13713c; --bad: #b3261e; --warn: #8a5a00; --warn-paper: #fff6e0;
  --mated: #0b66c3; --non-mated: #c8500a;
  --step-0: #6b7280; --step-1: #c8500a; --step-2: #0b66c3; --step-3: #0b7a5c; --step-4: #8b3fc7; --step-5: #b3205f;`

const dark = `
  --paper: #14171c; --card: #1d2128; --ink: #e9ecf1; --muted: #a3abb8; --grid: #30363f; --line: #3a414c;
  --link: #7ab4ff; --good: #5fd08f; --bad: #ff8a80; --warn: #ffc861; --warn-paper: #33290f;
  --mated: #62adff; --non-mated: #ff9a57;
  --step-0: #a3abb8; --step-1: #ff9a57; --step-2: #62adff; --step-3: #4fd1a7; --step-4: #c99bff; --step-5: #ff85b3;`

/** The style of the page: light or dark like the reader's system, and light on paper. Plots use the same colours. */
export const style = `
:root { color-scheme: light dark; ${light} }
@media screen and (prefers-color-scheme: dark) { :root { ${dark} } }
* { box-sizing: border-box; }
html { scroll-behavior: smooth; -webkit-text-size-adjust: 100%; }
@media (prefers-reduced-motion: reduce) { html { scroll-behavior: auto; } }
body { margin: 0 auto; max-width: 72rem; padding: 2rem 1.5rem 3rem; background: var(--paper); color: var(--ink);
  font: 1rem/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif;
  overflow-wrap: anywhere; }
h1 { font-size: 1.75rem; line-height: 1.2; margin: 0; }
h2 { font-size: 1.3rem; margin: 2.5rem 0 0.75rem; }
h3 { font-size: 1rem; margin: 0 0 0.5rem; }
h4 { font-size: 0.875rem; font-weight: 600; color: var(--muted); margin: 0.75rem 0 0.5rem; }
a { color: var(--link); }
:focus-visible { outline: 3px solid var(--link); outline-offset: 2px; border-radius: 4px; }
code { font-family: ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace; font-size: 0.8125em; }
.when { color: var(--muted); margin: 0.25rem 0 1rem; }
.summary { font-size: 1.125rem; max-width: 48rem; margin: 0 0 1.25rem; }
.card, .tiles > div { background: var(--card); border: 1px solid var(--line); border-radius: 10px; }
.hidden { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
.skip { position: absolute; left: -100vw; }
.skip:focus { left: 1rem; top: 0.5rem; background: var(--card); padding: 0.25rem 0.75rem; z-index: 1; }

.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(10rem, 1fr)); gap: 0.75rem; margin: 0; }
.tiles > div { padding: 0.75rem 1rem; }
.tiles dt { color: var(--muted); font-size: 0.875rem; }
.tiles dd { margin: 0; font-size: 1.625rem; font-weight: 650; line-height: 1.25; font-variant-numeric: tabular-nums; }
.tiles small { display: block; font-size: 0.8125rem; font-weight: 400; color: var(--muted); }
nav ul { list-style: none; display: flex; flex-wrap: wrap; gap: 0.25rem 1.25rem; padding: 0; margin: 1.25rem 0 0; }

.warnings { list-style: none; margin: 0; padding: 0; display: grid; gap: 0.5rem; }
.warnings > li { background: var(--warn-paper); border-left: 4px solid var(--warn); border-radius: 6px;
  padding: 0.625rem 0.875rem; }
.warnings summary { cursor: pointer; color: var(--link); width: fit-content; }
.warnings details ul { columns: 14rem; margin: 0.25rem 0; padding-left: 1.25rem; }

.scroll { overflow-x: auto; position: relative; }
table { border-collapse: collapse; width: 100%; font-size: 0.9375rem; overflow-wrap: normal; }
caption { text-align: left; color: var(--muted); font-size: 0.875rem; padding: 0.75rem 1rem 0.5rem; }
caption span { display: inline-block; position: sticky; left: 1rem; max-width: min(64rem, calc(100vw - 4rem)); }
th, td { padding: 0.5rem 1rem; text-align: left; vertical-align: top; border-top: 1px solid var(--grid); }
thead th { font-size: 0.8125rem; font-weight: 600; color: var(--muted); vertical-align: bottom; border-top: 0; }
tbody th { font-weight: 500; min-width: 10rem; }
.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
thead .number { white-space: normal; }
td.prose { min-width: 16rem; }
tbody small { display: block; font-weight: 400; font-size: 0.8125rem; color: var(--muted); }
tbody small.id { display: inline; }
.chosen { font-weight: 700; }
.tag { font-size: 0.75rem; font-weight: 600; border: 1px solid currentColor; border-radius: 99px; padding: 0 0.5em;
  color: var(--link); white-space: nowrap; }
.interval { color: var(--muted); }
.verdict { white-space: nowrap; color: var(--muted); }
.verdict.gains { color: var(--good); font-weight: 600; }
.verdict.loses { color: var(--bad); font-weight: 600; }
.verdict.gains-nothing { color: var(--warn); font-weight: 600; }
.bar { display: block; position: relative; min-width: 7rem; height: 1.5em; }
.bar::before { content: ""; position: absolute; inset: calc(50% - 1px) 0 auto; height: 1px; background: var(--grid); }
.bar i { position: absolute; top: calc(50% - 4px); height: 8px; border-radius: 4px; left: var(--low);
  width: max(3px, calc(var(--high) - var(--low))); background: var(--mated); opacity: 0.45; }
.bar b { position: absolute; top: calc(50% - 8px); height: 16px; width: 3px; margin-left: -1.5px; left: var(--map);
  background: var(--mated); border-radius: 2px; }

.figures, .queries { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 26rem), 1fr)); gap: 1rem; }
figure { margin: 0; padding: 1rem 1rem 0.75rem; min-width: 0; }
figure svg { display: block; width: 100%; height: auto; }
figcaption { color: var(--muted); font-size: 0.875rem; margin-top: 0.5rem; }
.legend { list-style: none; display: flex; flex-wrap: wrap; gap: 0.125rem 1.25rem; padding: 0; margin: 0.5rem 0 0;
  font-size: 0.875rem; }
.legend i { display: inline-block; width: 1.75rem; border-top: 3px solid; margin-right: 0.5rem; vertical-align: middle; }

.queries article { padding: 1rem; min-width: 0; break-inside: avoid; }
.queries .id { font-weight: 400; color: var(--muted); }
.queries .ap { float: right; font-weight: 400; color: var(--muted); margin-left: 0.5rem; }
.clips { list-style: none; display: grid; grid-template-columns: repeat(auto-fill, minmax(5.5rem, 1fr)); gap: 0.625rem;
  padding: 0; margin: 0; font-size: 0.75rem; line-height: 1.35; }
.clips img, .no-thumbnail { display: flex; align-items: center; justify-content: center; width: 100%; aspect-ratio: 1;
  height: auto; object-fit: cover; border-radius: 6px; background: var(--grid); color: var(--muted); }
.clips .wrong img, .clips .wrong .no-thumbnail { border: 2px solid var(--bad); }
.clips .missed img, .clips .missed .no-thumbnail { border: 2px dashed var(--muted); }
.clips code { display: block; font-size: 0.6875rem; margin-top: 0.25rem; }
.clips span:not(.no-thumbnail) { color: var(--muted); }

.settings { padding: 0.5rem 1rem; font-size: 0.9375rem; }
.settings dl { margin: 0; }
.settings dl > div { display: grid; grid-template-columns: minmax(6rem, 13rem) 1fr; gap: 0 1rem; padding: 0.375rem 0; }
.settings > dl > div + div { border-top: 1px solid var(--grid); }
.settings dt { color: var(--muted); }
.settings dd { margin: 0; min-width: 0; font-variant-numeric: tabular-nums; }
.settings dd > dl > div { padding: 0 0 0.25rem; }
.settings ol { margin: 0; padding-left: 1.25rem; }
footer { margin-top: 2.5rem; color: var(--muted); font-size: 0.875rem; }

@media (max-width: 40rem) {
  body { padding: 1.25rem 0.75rem 2rem; }
  h1 { font-size: 1.4rem; }
  .tiles { grid-template-columns: 1fr 1fr; }
  .tiles dd { font-size: 1.3rem; }
  figure { padding: 0.75rem 0.5rem 0.625rem; }
  th, td { padding: 0.5rem 0.625rem; }
  tbody th { min-width: 8rem; }
  .settings dl > div { grid-template-columns: minmax(0, 2fr) minmax(0, 3fr); }
  .settings dd dl > div { grid-template-columns: 1fr; }
}
@media print {
  :root { color-scheme: light; --paper: #fff; font-size: 9pt; }
  body { max-width: none; padding: 0; print-color-adjust: exact; -webkit-print-color-adjust: exact; }
  nav, .skip { display: none; }
  .scroll { overflow: visible; }
  .figures { grid-template-columns: 1fr 1fr; }
  th, td { padding: 0.3rem 0.5rem; }
  tbody th { min-width: 0; }
  .bar { min-width: 4rem; }
  figure, article, tr, .tiles { break-inside: avoid; }
  h2 { break-after: avoid; }
  thead { display: table-header-group; }
}
`
