// The findings' part of the page, as Mustache templates. Whatever came off the wire stands in `{{ }}`; in `{{{ }}}`
// stands only what `ComparisonMarkup` has escaped.

enum FindingTemplate {
  static let list = """
    <section id="findings" aria-labelledby="h-findings">
    <h2 id="h-findings">Findings <span class="count">{{findingCount}}</span></h2>
    {{^hasFindings}}
    <p class="quiet">{{noFindings}}</p>
    {{/hasFindings}}
    {{#hasFindings}}
    <div class="tools" role="search" hidden>
    <input id="filter" type="search" placeholder="Filter by endpoint, place or text" aria-label="Filter findings" autocomplete="off" spellcheck="false">
    <div class="toggles" role="group" aria-label="Severities shown">
    {{#severities}}
    <button type="button" class="toggle {{severity}}" data-severity="{{severity}}" aria-pressed="true"><span class="shape" aria-hidden="true"></span>{{severity}} <b>{{count}}</b></button>
    {{/severities}}
    </div>
    <button type="button" id="layout" class="plain" aria-pressed="false">Inline</button>
    <p class="keys"><kbd>/</kbd> filter <kbd>j</kbd> <kbd>k</kbd> move <kbd>Enter</kbd> open <kbd>Esc</kbd> close</p>
    <p id="shown" class="keys" aria-live="polite"></p>
    </div>
    {{#omission}}
    <p class="quiet">{{.}}</p>
    {{/omission}}
    <div id="list">
    {{#findings}}
    {{> finding}}
    {{/findings}}
    </div>
    <p id="nothing" class="quiet" hidden>No finding matches the filter.</p>
    {{/hasFindings}}
    </section>
    """

  static let finding = """
    <article class="finding {{severity}}" id="finding-{{id}}" data-severity="{{severity}}">
    <details{{#isOpen}} open{{/isOpen}}>
    <summary>
    <span class="badge {{severity}}"><span class="shape" aria-hidden="true"></span>{{severity}}</span>
    <span class="what"><span class="where"><code class="place">{{place}}</code> <span class="kind">{{kind}}</span> <code class="endpoint">{{endpoint}}</code></span>
    <span class="say">{{#explanation}}{{#code}}<code>{{text}}</code>{{/code}}{{^code}}{{text}}{{/code}}{{/explanation}}</span>
    {{#value}}<span class="values"><code class="was"><i>expected</i> {{expected}}</code> <code class="now"><i>shadow</i> {{actual}}</code></span>{{/value}}</span>
    <span class="share"><b>{{percent}}</b> <span>{{count}} of {{compared}}</span><svg class="bar" viewBox="0 0 100 4" preserveAspectRatio="none" aria-hidden="true"><rect class="track" width="100" height="4"/><rect class="fill" width="{{barWidth}}" height="4"/></svg>{{#notes}}<em>{{.}}</em>{{/notes}}</span>
    </summary>
    <div class="detail">
    {{#hasFeatures}}
    <table class="traits">
    <caption>What the affected requests have in common</caption>
    <thead><tr><th scope="col">Requests</th><th scope="col" class="n">of the affected</th><th scope="col" class="n">of the others</th></tr></thead>
    <tbody>
    {{#features}}
    <tr><th scope="row">{{verb}} <code>{{feature}}</code></th><td class="n">{{affected}}</td><td class="n">{{others}}</td></tr>
    {{/features}}
    </tbody>
    </table>
    {{/hasFeatures}}
    {{#hasRelated}}
    <table class="traits">
    <caption>Differs in the same answers</caption>
    <thead><tr><th scope="col">Place</th><th scope="col">Kind</th><th scope="col" class="n">Answers</th></tr></thead>
    <tbody>
    {{#related}}
    <tr><th scope="row"><code>{{place}}</code></th><td>{{kind}}</td><td class="n">{{count}}</td></tr>
    {{/related}}
    </tbody>
    </table>
    {{/hasRelated}}
    {{#again}}
    <p class="quiet">{{.}}</p>
    {{/again}}
    {{#smallest}}
    <details class="part"><summary>Smallest request <small>that shows it, as a command</small></summary><div class="actions block"><pre class="curl">
    {{.}}</pre><button type="button" class="copy plain" data-copy="curl" hidden>Copy</button></div></details>
    {{/smallest}}
    {{#primaryCommand}}
    <details class="part"><summary>The same of the primary</summary><div class="actions block"><pre class="curl">
    {{.}}</pre><button type="button" class="copy plain" data-copy="curl" hidden>Copy</button></div></details>
    {{/primaryCommand}}
    {{#examples}}
    <details class="example"{{#isExampleOpen}} open{{/isExampleOpen}}>
    <summary><span>Example {{number}} of {{exampleCount}}</span> <code>{{requestLine}}</code></summary>
    <div class="actions"><code class="command">{{command}}</code><button type="button" class="copy plain" data-copy="command" hidden>Copy</button></div>
    {{#value}}<dl class="pair"><div class="was"><dt>Expected</dt><dd>{{expected}}</dd></div><div class="now"><dt>Shadow</dt><dd>{{actual}}</dd></div></dl>{{/value}}
    {{#parts}}
    {{> comparison}}
    {{/parts}}
    {{#missing}}
    <p class="quiet">{{.}}</p>
    {{/missing}}
    {{#further}}
    <p class="quiet">Further examples: {{.}}</p>
    {{/further}}
    {{#curl}}
    <details class="part"><summary>Ask again <small>as a curl command</small></summary><div class="actions block"><pre class="curl">
    {{.}}</pre><button type="button" class="copy plain" data-copy="curl" hidden>Copy curl</button></div></details>
    {{/curl}}
    </details>
    {{/examples}}
    {{^examples}}
    <p class="quiet">No example was kept.</p>
    {{/examples}}
    <p class="quiet">Finding <a href="#finding-{{id}}">{{id}}</a></p>
    </div>
    </details>
    </article>
    """

  static let comparison = """
    <details class="part"{{#isPartOpen}} open{{/isPartOpen}}><summary>{{title}} <small>{{summary}}</small></summary>
    <div class="diff">
    <div class="r head" aria-hidden="true"><p>Expected</p><p>Shadow</p></div>
    {{{rows}}}
    </div></details>
    """
}
