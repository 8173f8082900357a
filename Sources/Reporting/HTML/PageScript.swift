// The page's only script: filter, keyboard, theme, copying. Without it the page still holds and shows everything.

enum PageScript {
  /// SHA-256 of ``text``, for the page's Content-Security-Policy; a test says what it has to be.
  static let hash = "sha256-Tm87X3eL/Zr3HJp9rOoP4TDcFHA5GxWCLHFbddLVdZY="

  static let text = #"""
    (function () {
    "use strict";
    var root = document.documentElement;
    function byId(id) { return document.getElementById(id); }
    function all(selector, within) { return Array.prototype.slice.call((within || document).querySelectorAll(selector)); }
    function remembered(key, value) {
      try {
        if (value === undefined) { return localStorage.getItem(key); }
        localStorage.setItem(key, value);
      } catch (refused) { return null; }
    }

    var theme = byId("theme");
    function applyTheme(name) {
      if (name === "light" || name === "dark") { root.dataset.theme = name; } else { name = "auto"; delete root.dataset.theme; }
      theme.textContent = "Theme: " + name;
      theme.dataset.next = { auto: "light", light: "dark", dark: "auto" }[name];
    }
    theme.hidden = false;
    applyTheme(remembered("umbra-theme"));
    theme.addEventListener("click", function () {
      remembered("umbra-theme", theme.dataset.next);
      applyTheme(theme.dataset.next);
    });

    function copyText(element) {
      if (navigator.clipboard && navigator.clipboard.writeText) { return navigator.clipboard.writeText(element.textContent); }
      return new Promise(function (done, failed) {
        var range = document.createRange();
        range.selectNodeContents(element);
        var selection = getSelection();
        selection.removeAllRanges();
        selection.addRange(range);
        if (document.execCommand("copy")) { done(); } else { failed(); }
      });
    }
    all(".copy").forEach(function (button) { button.hidden = false; });
    document.addEventListener("click", function (event) {
      var button = event.target.closest(".copy");
      if (!button) { return; }
      var label = button.textContent;
      function say(text) {
        button.textContent = text;
        setTimeout(function () { button.textContent = label; }, 1500);
      }
      copyText(button.parentNode.querySelector("." + button.dataset.copy)).then(
        function () { say("Copied"); }, function () { say("Select it to copy"); });
    });

    // A selection that begins on one side of a comparison stays on that side.
    document.addEventListener("mousedown", function (event) {
      var cell = event.target.closest(".r > *");
      if (!cell) { return; }
      cell.closest(".diff").dataset.pick = cell === cell.parentNode.firstElementChild ? "left" : "right";
    });

    function openTarget() {
      var target = location.hash.length > 1 && byId(decodeURIComponent(location.hash.slice(1)));
      if (target && target.classList.contains("finding")) { target.querySelector("details").open = true; }
    }
    addEventListener("hashchange", openTarget);

    var findings = all(".finding");
    addEventListener("beforeprint", function () {
      if (findings.length > 100) { return; }
      findings.forEach(function (finding) {
        var details = finding.firstElementChild;
        if (!details.open) { details.open = true; details.dataset.printed = ""; }
      });
    });
    addEventListener("afterprint", function () {
      all("details[data-printed]").forEach(function (details) { details.open = false; delete details.dataset.printed; });
    });
    if (!findings.length) { return; }
    document.querySelector(".tools").hidden = false;

    var filter = byId("filter"), shown = byId("shown"), nothing = byId("nothing"), toggles = all(".toggle");
    var texts = findings.map(function (finding) { return finding.querySelector("summary").textContent.toLowerCase(); });
    function applyFilter() {
      var words = filter.value.toLowerCase().split(/\s+/).filter(Boolean);
      var on = {};
      toggles.forEach(function (toggle) { on[toggle.dataset.severity] = toggle.getAttribute("aria-pressed") === "true"; });
      var count = 0;
      findings.forEach(function (finding, index) {
        var fits = on[finding.dataset.severity] && words.every(function (word) { return texts[index].indexOf(word) >= 0; });
        finding.hidden = !fits;
        if (fits) { count += 1; }
      });
      nothing.hidden = count > 0;
      shown.textContent = count === findings.length ? "" : count + " of " + findings.length + " shown";
    }
    filter.addEventListener("input", applyFilter);
    toggles.forEach(function (toggle) {
      toggle.addEventListener("click", function () {
        toggle.setAttribute("aria-pressed", String(toggle.getAttribute("aria-pressed") !== "true"));
        applyFilter();
      });
    });

    var layout = byId("layout");
    function applyLayout(name) {
      root.dataset.layout = name === "inline" ? "inline" : "sides";
      layout.setAttribute("aria-pressed", String(name === "inline"));
    }
    applyLayout(remembered("umbra-layout"));
    layout.addEventListener("click", function () {
      var name = root.dataset.layout === "inline" ? "sides" : "inline";
      remembered("umbra-layout", name);
      applyLayout(name);
    });

    function move(step) {
      var visible = findings.filter(function (finding) { return !finding.hidden; });
      if (!visible.length) { return; }
      var here = document.activeElement && document.activeElement.closest(".finding");
      var index = here ? visible.indexOf(here) + step : 0;
      visible[Math.max(0, Math.min(visible.length - 1, index))].querySelector("summary").focus();
    }
    document.addEventListener("keydown", function (event) {
      if (event.ctrlKey || event.metaKey || event.altKey) { return; }
      if (event.target === filter) {
        if (event.key === "Escape") {
          filter.value = "";
          applyFilter();
          filter.blur();
          event.preventDefault();
        } else if (event.key === "Enter") {
          move(0);
          event.preventDefault();
        }
        return;
      }
      if (event.key === "/") { filter.focus(); event.preventDefault(); }
      else if (event.key === "j") { move(1); event.preventDefault(); }
      else if (event.key === "k") { move(-1); event.preventDefault(); }
      else if (event.key === "Escape") {
        var finding = document.activeElement && document.activeElement.closest(".finding");
        if (!finding) { return; }
        finding.querySelector("details").open = false;
        finding.querySelector("summary").focus();
        event.preventDefault();
      }
    });
    openTarget();
    })();
    """#
}
