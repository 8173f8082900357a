// The page's only style sheet. Colours are given for light and dark at once; text on its ground has a contrast of at
// least 4.5, and nothing is told by colour alone.

enum PageStyle {
  /// SHA-256 of ``text``, for the page's Content-Security-Policy; a test says what it has to be.
  static let hash = "sha256-DAclBfpAGz2mqhbqGIye+/61MdWX88h0uW5m58SL/5o="

  static let text = #"""

    :root {
      color-scheme: light dark;
      --ground: light-dark(#ffffff, #101317);
      --panel: light-dark(#f6f7f8, #171b21);
      --ink: light-dark(#1a1e23, #e4e7eb);
      --soft: light-dark(#59626d, #9aa4b0);
      --line: light-dark(#dfe3e7, #2b323a);
      --accent: light-dark(#0b5cad, #74b6ff);
      --high: light-dark(#b42318, #ff9286);
      --medium: light-dark(#8a4f00, #f0b357);
      --low: light-dark(#1f5f95, #8cc3f2);
      --info: light-dark(#59626d, #9aa4b0);
      --pass: light-dark(#0f6b3c, #62d196);
      --was: light-dark(#fdf1ef, #291b1b);
      --was-mark: light-dark(#f7cbc5, #702f2a);
      --now: light-dark(#eef7f1, #15241c);
      --now-mark: light-dark(#b7e1c5, #265c3d);
      --primary: light-dark(#66707c, #a5afbb);
      --due: light-dark(#8344a8, #cf9fee);
      --sans: system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", "Noto Sans", "DejaVu Sans", sans-serif;
      --mono: ui-monospace, SFMono-Regular, Menlo, Consolas, "Liberation Mono", "DejaVu Sans Mono", monospace;
    }
    :root[data-theme=light] { color-scheme: light; }
    :root[data-theme=dark] { color-scheme: dark; }
    * { box-sizing: border-box; }
    [hidden] { display: none !important; }
    html { scroll-padding-top: 4.5rem; -webkit-text-size-adjust: 100%; }
    body { margin: 0; background: var(--ground); color: var(--ink); font: 14px/1.5 var(--sans); font-variant-numeric: tabular-nums; }
    code, pre, kbd, .diff, .pair dd { font-family: var(--mono); font-size: 12.5px; }
    code { overflow-wrap: anywhere; }
    h1, h2, h3, p, dl, dd, ul, pre, figure { margin: 0; padding: 0; }
    h2 { font-size: 17px; font-weight: 650; margin: 0 0 12px; }
    h3 { font-size: 13px; font-weight: 600; margin: 20px 0 8px; }
    small { font-size: 12px; color: var(--soft); font-weight: 400; }
    a { color: var(--accent); }
    .page, main, footer { max-width: 1240px; margin: 0 auto; padding: 0 clamp(14px, 3vw, 32px); }
    main > section { padding-top: 34px; }
    footer { padding-top: 40px; padding-bottom: 28px; color: var(--soft); font-size: 12px; }
    .quiet { color: var(--soft); max-width: 80ch; }
    .count { color: var(--soft); font-weight: 400; }
    .n { text-align: right; white-space: nowrap; }
    .sr { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
    .skip { position: absolute; left: -999px; }
    .skip:focus { left: 8px; top: 8px; padding: 6px 10px; background: var(--ground); z-index: 3; }
    :focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; border-radius: 3px; }
    button { font: inherit; color: inherit; cursor: pointer; }
    .plain { background: var(--ground); border: 1px solid var(--line); border-radius: 5px; padding: 3px 10px; font-size: 12.5px; white-space: nowrap; }
    .plain:hover, .toggle:hover { border-color: var(--soft); }
    summary { cursor: pointer; }
    dt { color: var(--soft); }

    .verdict { --tone: var(--soft); background: var(--panel); border-top: 6px solid var(--tone); }
    .verdict.pass { --tone: var(--pass); }
    .verdict.fail { --tone: var(--high); }
    .verdict.inconclusive { --tone: var(--medium); }
    .top { display: flex; justify-content: space-between; align-items: center; gap: 16px; padding-top: 12px; }
    .brand { font-weight: 650; overflow-wrap: anywhere; }
    .brand span { font-weight: 400; color: var(--soft); }
    .judgement { display: flex; gap: 20px; align-items: center; padding: 26px 0 0; }
    .judgement h1 { font-size: clamp(32px, 5vw, 44px); line-height: 1.1; letter-spacing: -0.015em; font-weight: 700; color: var(--tone); }
    .lead { font-size: 16px; margin-top: 4px; max-width: 90ch; overflow-wrap: anywhere; }
    .sign { width: 64px; height: 64px; flex: none; fill: none; stroke: var(--ground); stroke-width: 4.5; stroke-linecap: round; stroke-linejoin: round; }
    .sign circle, .sign .body { fill: var(--tone); stroke: none; }
    .reasons { padding: 12px 0 0 102px; max-width: 100ch; overflow-wrap: anywhere; }
    .facts { display: flex; flex-wrap: wrap; gap: 14px 0; padding: 26px 0 20px; }
    .facts div { padding: 0 24px; border-left: 1px solid var(--line); }
    .facts div:first-child { padding-left: 0; border-left: 0; }
    .facts dt { font-size: 12px; }
    .facts dd { font-size: 19px; font-weight: 600; line-height: 1.3; }
    .facts small { display: block; }
    nav { border-block: 1px solid var(--line); background: var(--ground); }
    nav .page { display: flex; flex-wrap: wrap; gap: 2px 20px; }
    nav a { color: var(--ink); text-decoration: none; padding: 9px 0; }
    nav a:hover { color: var(--accent); text-decoration: underline; }

    table { border-collapse: collapse; width: 100%; }
    th, td { text-align: left; vertical-align: top; padding: 6px 16px 6px 0; font-weight: 400; }
    th:last-child, td:last-child { padding-right: 0; }
    th.n, td.n { text-align: right; }
    thead th { color: var(--soft); font-size: 12px; border-bottom: 1px solid var(--line); vertical-align: bottom; }
    tbody tr + tr > * { border-top: 1px solid color-mix(in srgb, var(--line) 60%, transparent); }
    .bar { display: block; width: 100%; min-width: 60px; height: 4px; margin-top: 4px; }
    .track { fill: var(--line); }
    .fill { fill: var(--soft); }

    .gates th:first-child { width: 120px; }
    .gates th:last-child { width: 50%; }
    .stack .bar { max-width: 120px; margin-left: auto; }
    .result { display: inline-block; font-size: 12px; font-weight: 600; white-space: nowrap; }
    .result::before { display: inline-block; width: 1.5em; }
    .passed .result { color: var(--pass); }
    .passed .result::before { content: "✓"; }
    .crossed .result { color: var(--high); }
    .crossed .result::before { content: "✕"; }
    .no-evidence .result { color: var(--medium); }
    .no-evidence .result::before { content: "?"; }

    .tools { position: sticky; top: 0; z-index: 2; display: flex; flex-wrap: wrap; align-items: center; gap: 8px 12px; padding: 8px 0; background: var(--ground); border-bottom: 1px solid var(--line); }
    .tools input { font: inherit; color: inherit; background: var(--ground); border: 1px solid var(--soft); border-radius: 5px; padding: 4px 10px; width: 270px; max-width: 100%; }
    .tools input::placeholder { color: var(--soft); opacity: 1; }
    .toggles { display: flex; flex-wrap: wrap; gap: 6px; }
    .toggle { display: inline-flex; align-items: center; gap: 6px; background: var(--ground); border: 1px solid var(--line); border-radius: 5px; padding: 3px 9px; font-size: 12.5px; }
    .toggle[aria-pressed=false] { color: var(--soft); text-decoration: line-through; background: var(--panel); }
    .plain[aria-pressed=true] { border-color: var(--accent); color: var(--accent); }
    .keys { color: var(--soft); font-size: 12px; }
    kbd { border: 1px solid var(--line); border-radius: 3px; padding: 0 4px; font-size: 11px; margin-left: 6px; }
    .shape { display: inline-block; width: 9px; height: 9px; background: currentColor; flex: none; }
    .high { --tone: var(--high); }
    .medium { --tone: var(--medium); }
    .low { --tone: var(--low); }
    .info { --tone: var(--info); }
    .toggle .shape { color: var(--tone); }
    .high > .shape { clip-path: polygon(50% 0, 100% 100%, 0 100%); }
    .medium > .shape { clip-path: polygon(50% 0, 100% 50%, 50% 100%, 0 50%); }
    .low > .shape { border-radius: 50%; }
    .info > .shape { border-radius: 50%; background: none; border: 1.5px solid currentColor; }

    .finding { border-bottom: 1px solid var(--line); scroll-margin-top: 4.5rem; content-visibility: auto; contain-intrinsic-size: auto 92px; }
    .finding > details > summary { display: grid; grid-template-columns: 84px minmax(0, 1fr) 132px; gap: 4px 16px; padding: 13px 10px 13px 12px; list-style: none; border-left: 3px solid var(--tone); scroll-margin: 4.5rem 0 1rem; }
    .finding > details > summary::-webkit-details-marker { display: none; }
    .finding > details > summary:hover { background: var(--panel); }
    .finding > details > summary:focus-visible { outline-offset: -2px; }
    .finding > details[open] > summary { background: var(--panel); }
    .badge { display: inline-flex; align-items: center; gap: 7px; align-self: start; color: var(--tone); font-size: 12px; font-weight: 650; line-height: 21px; }
    .where { display: flex; flex-wrap: wrap; align-items: baseline; gap: 0 10px; }
    .place { font-size: 13.5px; font-weight: 650; }
    .kind { font-size: 12px; color: var(--soft); }
    .endpoint { color: var(--soft); }
    .say { display: block; overflow-wrap: anywhere; }
    .values { display: grid; grid-template-columns: repeat(2, minmax(0, auto)); justify-content: start; gap: 4px 8px; margin-top: 5px; }
    .values code { padding: 1px 7px; border-radius: 3px; white-space: nowrap; overflow: hidden; text-overflow: ellipsis; }
    .values i { font: 11px var(--sans); color: var(--soft); margin-right: 4px; }
    .was { background: var(--was); }
    .now { background: var(--now); }
    .share { text-align: right; line-height: 21px; }
    .share span, .share em { display: block; font-size: 12px; font-style: normal; color: var(--soft); line-height: 1.4; }
    .share .fill { fill: var(--tone); }
    .detail { padding: 4px 12px 18px; border-left: 3px solid var(--tone); }
    .finding > details[open] > summary .values { display: none; }
    .example > summary { padding: 9px 0; font-size: 13px; }
    .example > summary span { font-weight: 600; margin-right: 8px; }
    .example + .example { border-top: 1px solid var(--line); }
    .example[open] { padding-bottom: 8px; }
    .actions { display: flex; flex-wrap: wrap; align-items: center; gap: 6px 10px; margin-bottom: 8px; }
    .command { color: var(--soft); }
    .command::before { content: "$ "; }
    .actions.block { flex-direction: column; align-items: flex-start; padding: 8px 10px; }
    .curl { white-space: pre-wrap; overflow-wrap: anywhere; }
    .pair { display: grid; grid-template-columns: 1fr 1fr; gap: 1px; margin-bottom: 10px; }
    .pair div { padding: 6px 10px; min-width: 0; }
    .pair dt { font-size: 11.5px; }
    .pair dd { white-space: pre-wrap; overflow-wrap: anywhere; max-height: 12em; overflow: auto; }
    .part { border: 1px solid var(--line); border-radius: 5px; margin-bottom: 8px; overflow: hidden; }
    .part > summary { padding: 5px 10px; background: var(--panel); font-size: 12.5px; font-weight: 600; }
    .part > summary:focus-visible, .fold > summary:focus-visible { outline-offset: -2px; }
    .r { display: grid; grid-template-columns: minmax(0, 1fr) minmax(0, 1fr); }
    .r > * { position: relative; min-height: 1.55em; padding: 0 10px 0 58px; line-height: 1.55; white-space: pre-wrap; overflow-wrap: anywhere; text-decoration: none; tab-size: 4; }
    .r > :last-child { border-left: 1px solid var(--line); }
    .r > *::before { content: attr(data-n); position: absolute; left: 0; width: 46px; text-align: right; color: var(--soft); white-space: pre; }
    .r > del::before { content: attr(data-n) " −"; }
    .r > ins::before { content: attr(data-n) " +"; }
    .r del { background: var(--was); }
    .r ins { background: var(--now); }
    mark { color: inherit; border-radius: 2px; }
    del mark { background: var(--was-mark); box-shadow: inset 0 -2px var(--high); }
    ins mark { background: var(--now-mark); box-shadow: inset 0 -2px var(--pass); }
    .r .none { background: var(--panel); }
    .r.head { border-bottom: 1px solid var(--line); }
    .r.head > * { font: 11.5px/2 var(--sans); padding-left: 58px; color: var(--soft); }
    .diff[data-pick=left] .r > :last-child, .diff[data-pick=right] .r > :first-child { user-select: none; }
    .fold { border-block: 1px solid var(--line); background: var(--panel); }
    .fold > summary, .gap { padding: 2px 10px 2px 58px; font: 12px var(--sans); color: var(--soft); }
    .fold pre { padding: 4px 10px 4px 58px; white-space: pre-wrap; overflow-wrap: anywhere; background: var(--ground); line-height: 1.55; tab-size: 4; }
    [data-layout=inline] .r, [data-layout=inline] .r > * { display: block; }
    [data-layout=inline] .r > :last-child { border-left: 0; }
    [data-layout=inline] .r:not(.c) > :last-child, [data-layout=inline] .r .none, [data-layout=inline] .r.head { display: none; }

    .codes { max-width: 340px; }
    .code { display: inline-block; white-space: nowrap; font-size: 12.5px; margin-right: 8px; }
    .code b { font-family: var(--mono); font-weight: 600; }
    .s4 b { color: var(--medium); }
    .s5 b { color: var(--high); }
    .split { display: grid; grid-template-columns: minmax(0, 1fr) minmax(0, 1fr); gap: 24px 48px; align-items: start; }
    figcaption { color: var(--soft); font-size: 12.5px; margin-bottom: 8px; }
    .chart { display: block; width: 100%; max-width: 640px; }
    .grid { stroke: var(--line); stroke-width: 1; }
    .axis { fill: var(--soft); font: 11px var(--sans); }
    .curve { fill: none; stroke-width: 2; stroke-linejoin: round; }
    .curve.primary { stroke: var(--primary); }
    .curve.shadow { stroke: var(--accent); }
    .curve.due { stroke: var(--due); stroke-dasharray: 5 4; }
    .curve.faint { stroke-width: 1; stroke-opacity: 0.7; }
    .t2 { fill: light-dark(#a9c8e8, #2f5375); }
    .t3 { fill: light-dark(#c9b6dd, #5a4375); }
    .t4 { fill: light-dark(#e3b26b, #8a5a14); }
    .t5 { fill: var(--high); }
    .t1 { fill: var(--line); }
    .t0 { fill: var(--ink); }
    .traits { width: auto; min-width: min(100%, 420px); margin: 10px 0 14px; }
    .point { stroke: var(--ground); stroke-width: 1; }
    .point.primary, rect.primary { fill: var(--primary); }
    .point.shadow, rect.shadow { fill: var(--accent); }
    .point.due { fill: var(--due); }
    .legend { display: flex; flex-wrap: wrap; gap: 2px 18px; list-style: none; margin-top: 8px; font-size: 12.5px; }
    .legend svg { width: 28px; height: 10px; margin-right: 6px; }
    .range { display: block; width: 200px; height: 20px; background: linear-gradient(var(--line), var(--line)) 0 50% / 100% 1px no-repeat; }
    td .primary { color: var(--soft); }
    .list { display: grid; grid-template-columns: repeat(auto-fill, minmax(170px, 1fr)); gap: 12px 24px; }
    .list dt { font-size: 12px; }
    .list dd { font-size: 15px; overflow-wrap: anywhere; }
    .list.wide { grid-template-columns: 1fr; gap: 6px; }
    .list.wide div { display: grid; grid-template-columns: 90px minmax(0, 1fr); align-items: baseline; }
    .quiet + .list, .quiet + .ledger { margin-top: 14px; }
    .statuses th, .statuses .n { width: 1%; }
    .statuses .bar { margin-top: 9px; }
    .ledger { columns: 2; column-gap: 48px; }
    .ledger table { break-inside: avoid; margin-bottom: 22px; }
    td, dt, dd, summary { overflow-wrap: anywhere; }
    caption { text-align: left; font-weight: 600; font-size: 13px; padding-bottom: 4px; }
    .ledger th, .ledger td { padding-block: 3px; }
    .ledger code { color: var(--soft); font-size: 11.5px; }
    .zero { color: var(--soft); }
    .loss { color: var(--medium); font-weight: 600; }
    .loss .n::before { content: "! "; }

    @media (max-width: 1340px) { .split { grid-template-columns: minmax(0, 1fr); } }
    @media (max-width: 900px) {
      .ledger { columns: 1; }
    }
    @media (max-width: 720px) {
      .judgement { gap: 14px; }
      .sign { width: 48px; height: 48px; }
      .reasons { padding-left: 20px; }
      .facts { display: grid; grid-template-columns: repeat(3, minmax(0, 1fr)); gap: 16px 12px; }
      .facts div { padding: 0; border: 0; }
      #layout, .keys:has(kbd) { display: none; }
      .tools { position: static; }
      .tools input { width: 100%; font-size: 16px; }
      .finding > details > summary { grid-template-columns: auto minmax(0, 1fr); padding: 12px 4px 12px 10px; }
      .what { grid-row: 2; grid-column: 1 / -1; }
      .share { display: flex; flex-wrap: wrap; justify-content: flex-end; align-items: baseline; gap: 0 8px; }
      .share .bar { display: none; }
      .values { grid-template-columns: minmax(0, 1fr); }
      .detail { padding-inline: 8px 0; }
      .pair { grid-template-columns: minmax(0, 1fr); }
      .r, .r > * { display: block; }
      .r > * { padding-left: 46px; }
      .r > *::before { width: 38px; }
      .r > :last-child { border-left: 0; }
      .r:not(.c) > :last-child, .r .none, .r.head { display: none; }
      .fold > summary, .gap, .fold pre { padding-left: 46px; }
      .stack thead, .gates thead { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
      .stack, .stack tbody, .gates, .gates tbody { display: block; }
      .stack tr, .gates tr { display: flex; flex-wrap: wrap; gap: 2px 20px; padding: 9px 0; border-bottom: 1px solid var(--line); }
      .stack tr > *, .gates tr > * { padding: 0; border: 0 !important; text-align: left; white-space: normal; }
      .stack tr > th, .gates tr > td:last-child { flex-basis: 100%; }
      .stack td[data-label]::before, .gates td[data-label]::before { content: attr(data-label) " "; color: var(--soft); font-size: 12px; }
      .stack .bar { display: none; }
      .numbers th, .numbers td { padding-right: 8px; }
      .codes { max-width: none; }
    }
    @media print {
      :root { color-scheme: light; }
      body { font-size: 10pt; }
      nav, .tools, .skip, #theme, .copy { display: none !important; }
      .finding { content-visibility: visible; }
      .finding > details > summary, .example, table, figure { break-inside: avoid; }
      .r, .fold { print-color-adjust: exact; }
      main > section { padding-top: 18px; }
    }
    @media (prefers-reduced-motion: no-preference) { html { scroll-behavior: smooth; } }

    """#
}
