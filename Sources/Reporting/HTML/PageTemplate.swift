// The page around the findings, as Mustache templates. Only the page's own style and script stand in `{{{ }}}`.

enum PageTemplate {
  static let page = """
    <!DOCTYPE html>
    <html lang="en">
    <head>
    <meta charset="utf-8">
    <meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src '{{{styleHash}}}'; script-src '{{{scriptHash}}}'; base-uri 'none'; form-action 'none'">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <meta name="color-scheme" content="light dark">
    <meta name="referrer" content="no-referrer">
    <title>{{outcome}}: {{session}} – umbra</title>
    <style>{{{style}}}</style>
    </head>
    <body>
    <a class="skip" href="#findings">Skip to the findings</a>
    {{> verdict}}
    <main>
    {{> gates}}
    {{> findings}}
    {{> suppressions}}
    {{> endpoints}}
    {{> latency}}
    {{> time}}
    {{> totals}}
    {{> schedule}}
    {{> capture}}
    {{> run}}
    </main>
    <footer><p>Written by umbra {{toolVersion}}. This file is complete: it loads nothing.</p></footer>
    <script>{{{script}}}</script>
    </body>
    </html>

    """

  static let verdict = """
    <header class="verdict {{outcome}}">
    <div class="page">
    <div class="top"><p class="brand">umbra <span>{{session}} <span aria-hidden="true">→</span><span class="sr">against</span> {{targets}}</span></p><button type="button" id="theme" class="plain" hidden>Theme: auto</button></div>
    <div class="judgement">
    {{#isPass}}<svg class="sign" viewBox="0 0 48 48" aria-hidden="true"><circle cx="24" cy="24" r="22"/><path d="M14 25l7 7 14-15"/></svg>{{/isPass}}
    {{#isFail}}<svg class="sign" viewBox="0 0 48 48" aria-hidden="true"><path class="body" d="M15 2h18l13 13v18L33 46H15L2 33V15z"/><path d="M16 16l16 16M32 16L16 32"/></svg>{{/isFail}}
    {{#isInconclusive}}<svg class="sign" viewBox="0 0 48 48" aria-hidden="true"><path class="body" d="M24 2l22 22-22 22L2 24z"/><path d="M18.5 19.5c0-3.3 2.4-5.5 5.5-5.5s5.5 2.1 5.5 5c0 4-5.5 4.3-5.5 8M24 33.5v.1"/></svg>{{/isInconclusive}}
    <div><h1>{{outcomeWord}}</h1>
    <p class="lead">{{#lead}}{{#code}}<code>{{text}}</code>{{/code}}{{^code}}{{text}}{{/code}}{{/lead}}</p></div>
    </div>
    {{#hasReasons}}
    <ul class="reasons">
    {{#reasons}}
    <li>{{#sentence}}{{#code}}<code>{{text}}</code>{{/code}}{{^code}}{{text}}{{/code}}{{/sentence}}</li>
    {{/reasons}}
    </ul>
    {{/hasReasons}}
    <dl class="facts">
    {{#facts}}
    <div><dt>{{name}}</dt><dd>{{value}} <small>{{note}}</small></dd></div>
    {{/facts}}
    </dl>
    </div>
    <nav aria-label="Sections"><div class="page">
    {{#links}}
    <a href="#{{target}}">{{name}}</a>
    {{/links}}
    </div></nav>
    </header>
    """

  static let gates = """
    {{#hasGates}}
    <section id="gates" aria-labelledby="h-gates">
    <h2 id="h-gates">Gates <span class="count">{{gateCount}}</span></h2>
    <table class="gates">
    <thead><tr><th scope="col">Result</th><th scope="col">Gate</th><th scope="col" class="n">Measured</th><th scope="col">Why</th></tr></thead>
    <tbody>
    {{#gates}}
    <tr class="{{outcomeName}}"><td><span class="result">{{word}}</span></td><td><code>{{gate}}</code></td><td class="n" data-label="measured">{{measured}}</td><td>{{#gateExplanation}}{{#code}}<code>{{text}}</code>{{/code}}{{^code}}{{text}}{{/code}}{{/gateExplanation}}</td></tr>
    {{/gates}}
    </tbody>
    </table>
    </section>
    {{/hasGates}}
    """

  static let suppressions = """
    {{#hasSuppressions}}
    <section id="suppressions" aria-labelledby="h-suppressions">
    <h2 id="h-suppressions">Suppressions <span class="count">{{suppressionSummary}}</span></h2>
    <table class="stack">
    <thead><tr><th scope="col">Rule</th><th scope="col">State</th><th scope="col" class="n">Hits</th><th scope="col">Why</th></tr></thead>
    <tbody>
    {{#suppressions}}
    <tr><th scope="row"><code>{{rule}}</code></th><td data-label="state">{{state}}</td><td class="n" data-label="hits">{{hits}}</td><td>{{origin}} <small>{{advice}}</small></td></tr>
    {{/suppressions}}
    </tbody>
    </table>
    </section>
    {{/hasSuppressions}}
    """

  static let endpoints = """
    {{#hasEndpoints}}
    <section id="endpoints" aria-labelledby="h-endpoints">
    <h2 id="h-endpoints">Endpoints <span class="count">{{endpointCount}}</span></h2>
    <table class="stack">
    <thead><tr><th scope="col">Endpoint</th><th scope="col" class="n">Compared</th><th scope="col" class="n">Different</th><th scope="col" class="n">Errors</th><th scope="col">The shadow’s status</th></tr></thead>
    <tbody>
    {{#endpoints}}
    <tr><th scope="row"><code>{{endpoint}}</code></th><td class="n" data-label="compared">{{compared}}</td><td class="n" data-label="different">{{different}} <small>{{share}}</small><svg class="bar" viewBox="0 0 100 4" preserveAspectRatio="none" aria-hidden="true"><rect class="track" width="100" height="4"/><rect class="fill" width="{{barWidth}}" height="4"/></svg></td><td class="n" data-label="errors">{{errors}}</td><td class="codes" data-label="status">{{#statuses}}<span class="code s{{class}}"><b>{{status}}</b> {{count}}</span> {{/statuses}}</td></tr>
    {{/endpoints}}
    </tbody>
    </table>
    </section>
    {{/hasEndpoints}}
    """

  static let latency = """
    {{#hasLatency}}
    <section id="latency" aria-labelledby="h-latency">
    <h2 id="h-latency">Latency</h2>
    <div class="split">
    <figure>
    <figcaption>Share of answers that took at most this long. The upper end is drawn wide, because that is where users wait.</figcaption>
    {{#chart}}
    <svg class="chart" viewBox="0 0 {{width}} {{height}}" role="img" aria-label="{{label}}">
    {{#levels}}<line class="grid" x1="{{x1}}" x2="{{x2}}" y1="{{y}}" y2="{{y}}"/><text class="axis" x="{{tx}}" y="{{ty}}" text-anchor="end">{{name}}</text>{{/levels}}
    {{#ticks}}<line class="grid" x1="{{x}}" x2="{{x}}" y1="{{y1}}" y2="{{y2}}"/><text class="axis" x="{{x}}" y="{{ty}}" text-anchor="middle">{{name}}</text>{{/ticks}}
    {{#series}}<path class="curve {{side}}" d="{{path}}"/>{{#points}}<path class="point {{side}}" d="{{shape}}"><title>{{name}}</title></path>{{/points}}{{/series}}
    </svg>
    {{/chart}}
    <ul class="legend">{{#sides}}<li><svg viewBox="0 0 28 10" aria-hidden="true"><path class="curve {{side}}" d="M0 5H28"/><path class="point {{side}}" d="{{shape}}"/></svg>{{name}}</li>{{/sides}}</ul>
    </figure>
    <table class="numbers">
    <thead><tr><th scope="col"><span class="sr">Quantile</span></th>{{#sides}}<th scope="col" class="n">{{name}}</th>{{/sides}}{{#hasRatio}}<th scope="col" class="n">ratio</th>{{/hasRatio}}</tr></thead>
    <tbody>
    {{#quantiles}}
    <tr><th scope="row">{{quantile}}</th>{{#times}}<td class="n">{{.}}</td>{{/times}}{{#ratio}}<td class="n">{{.}}</td>{{/ratio}}</tr>
    {{/quantiles}}
    </tbody>
    </table>
    </div>
    {{#hasEndpointLatency}}
    <h3>By endpoint</h3>
    <table class="stack">
    <thead><tr><th scope="col">Endpoint</th><th scope="col">{{scale}}</th><th scope="col" class="n">p50</th><th scope="col" class="n">p95</th><th scope="col" class="n">p99</th></tr></thead>
    <tbody>
    {{#endpointLatency}}
    <tr><th scope="row"><code>{{endpoint}}</code></th><td><svg class="range" viewBox="0 0 200 20" aria-hidden="true">{{#bars}}<rect class="{{side}}" x="{{x}}" y="{{y}}" width="{{width}}" height="5"/><rect class="tick {{side}}" x="{{tick}}" y="{{ty}}" width="2" height="9"/>{{/bars}}</svg></td>{{#cells}}<td class="n" data-label="{{quantile}}"><span class="primary">{{primary}}</span> <span aria-hidden="true">→</span><span class="sr">primary, shadow</span> {{shadow}} <small>{{ratio}}</small></td>{{/cells}}</tr>
    {{/endpointLatency}}
    </tbody>
    </table>
    {{/hasEndpointLatency}}
    </section>
    {{/hasLatency}}
    """

  static let time = """
    {{#hasTime}}
    <section id="time" aria-labelledby="h-time">
    <h2 id="h-time">Over time</h2>
    <div class="split">
    <figure>
    <figcaption>Requests a second, by the shadow’s status. The dashed line counts those that differ.</figcaption>
    <svg class="chart" viewBox="0 0 {{timeWidth}} {{timeHeight}}" role="img" aria-label="{{rateLabel}}">
    {{#rateLevels}}<line class="grid" x1="{{x1}}" x2="{{x2}}" y1="{{y}}" y2="{{y}}"/><text class="axis" x="{{tx}}" y="{{ty}}" text-anchor="end">{{name}}</text>{{/rateLevels}}
    {{#columns}}<g><title>{{title}}</title>{{#parts}}<rect class="{{layer}}" x="{{x}}" y="{{y}}" width="{{width}}" height="{{height}}"/>{{/parts}}</g>{{/columns}}
    {{#differentPath}}<path class="curve due" d="{{.}}"/>{{/differentPath}}
    {{#times}}<text class="axis" x="{{x}}" y="{{ty}}" text-anchor="{{anchor}}">{{name}}</text>{{/times}}
    </svg>
    <ul class="legend">{{#layers}}<li><svg viewBox="0 0 28 10" aria-hidden="true"><rect class="{{layer}}" x="8" width="12" height="10"/></svg>{{name}}</li>{{/layers}}{{#differentPath}}<li><svg viewBox="0 0 28 10" aria-hidden="true"><path class="curve due" d="M0 5H28"/></svg>different</li>{{/differentPath}}</ul>
    </figure>
    {{#hasTimeLatency}}
    <figure>
    <figcaption>Latency from sending: the median (thin) and the 95th percentile.</figcaption>
    <svg class="chart" viewBox="0 0 {{timeWidth}} {{timeHeight}}" role="img" aria-label="Median and 95th percentile of both sides over time">
    {{#latencyLevels}}<line class="grid" x1="{{x1}}" x2="{{x2}}" y1="{{y}}" y2="{{y}}"/><text class="axis" x="{{tx}}" y="{{ty}}" text-anchor="end">{{name}}</text>{{/latencyLevels}}
    {{#latencyLines}}<path class="curve {{side}} {{weight}}" d="{{path}}"/>{{/latencyLines}}
    {{#times}}<text class="axis" x="{{x}}" y="{{ty}}" text-anchor="{{anchor}}">{{name}}</text>{{/times}}
    </svg>
    <ul class="legend"><li><svg viewBox="0 0 28 10" aria-hidden="true"><path class="curve primary" d="M0 5H28"/></svg>Primary</li><li><svg viewBox="0 0 28 10" aria-hidden="true"><path class="curve shadow" d="M0 5H28"/></svg>Shadow</li></ul>
    </figure>
    {{/hasTimeLatency}}
    </div>
    </section>
    {{/hasTime}}
    """

  static let totals = """
    <section id="totals" aria-labelledby="h-totals">
    <h2 id="h-totals">Totals</h2>
    <div class="split">
    <dl class="list">
    {{#totals}}
    <div><dt>{{name}}</dt><dd>{{value}} <small>{{note}}</small></dd></div>
    {{/totals}}
    </dl>
    {{#hasStatuses}}
    <table class="statuses">
    <thead><tr><th scope="col">Status</th><th scope="col"><span class="sr">Share</span></th><th scope="col" class="n">Answers of the shadow</th></tr></thead>
    <tbody>
    {{#statusRows}}
    <tr><th scope="row"><span class="code s{{class}}"><b>{{status}}</b></span></th><td><svg class="bar" viewBox="0 0 100 4" preserveAspectRatio="none" aria-hidden="true"><rect class="track" width="100" height="4"/><rect class="fill" width="{{barWidth}}" height="4"/></svg></td><td class="n">{{count}} <small>{{share}}</small></td></tr>
    {{/statusRows}}
    </tbody>
    </table>
    {{/hasStatuses}}
    </div>
    </section>
    """

  static let schedule = """
    <section id="schedule" aria-labelledby="h-schedule">
    <h2 id="h-schedule">Schedule</h2>
    <p class="quiet">{{scheduleSentence}}</p>
    <dl class="list">
    {{#schedule}}
    <div><dt>{{name}}</dt><dd>{{value}} <small>{{note}}</small></dd></div>
    {{/schedule}}
    </dl>
    </section>
    """

  static let capture = """
    <section id="capture" aria-labelledby="h-capture">
    <h2 id="h-capture">Capture</h2>
    <p class="quiet">{{captureSentence}}</p>
    <div class="ledger">
    {{#ledger}}
    <table>
    <caption>{{title}}</caption>
    <thead class="sr"><tr><th scope="col">Row</th><th scope="col">Count</th></tr></thead>
    <tbody>
    {{#entries}}
    <tr class="{{weight}}"><th scope="row">{{meaning}} <code>{{identifier}}</code></th><td class="n">{{count}}</td></tr>
    {{/entries}}
    </tbody>
    </table>
    {{/ledger}}
    </div>
    </section>
    """

  static let run = """
    <section id="run" aria-labelledby="h-run">
    <h2 id="h-run">Run</h2>
    <dl class="list wide">
    {{#run}}
    <div><dt>{{name}}</dt><dd><code>{{value}}</code></dd></div>
    {{/run}}
    </dl>
    </section>
    """
}
