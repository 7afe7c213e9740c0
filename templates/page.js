"use strict";
(() => {
  const all = (selector, within = document) => [...within.querySelectorAll(selector)];

  // A closed line shows its evidence when it is pointed at.
  document.addEventListener("mouseover", (event) => {
    const line = event.target.closest && event.target.closest(".pair > summary");
    if (line && !line.title) line.title = all("blockquote", line.parentElement).map((quote) => quote.textContent).join("\n");
  });

  // All of a passage that is pointed at in the text, not just its beginning.
  document.addEventListener("click", (event) => {
    const link = event.target.closest && event.target.closest("a.place");
    if (!link) return;
    const start = Number(link.getAttribute("href").slice(2));
    for (const mark of all(".reading mark")) {
      const at = Number(mark.dataset.start);
      mark.classList.toggle("here", at >= start && at < Number(link.dataset.end));
    }
  });

  const start = () => {
    for (const part of all("[data-needs-script]")) part.hidden = false;

    // A mark of a chart shows its row below the chart.
    for (const mark of all(".chart a")) {
      mark.addEventListener("click", (event) => {
        const row = document.getElementById(mark.getAttribute("href").slice(1));
        const card = mark.closest(".card");
        const panel = card && card.querySelector(".panel");
        if (!row || !panel) return;
        event.preventDefault();
        for (const other of all(".chart a[aria-current]", card)) other.removeAttribute("aria-current");
        mark.setAttribute("aria-current", "true");
        const title = document.createElement("h4");
        title.textContent = mark.getAttribute("aria-label");
        const reports = row.querySelector("ul");
        const rest = reports ? reports.cloneNode(true) : document.createElement("p");
        if (!reports) rest.textContent = "No report is kept of this period.";
        panel.replaceChildren(title, rest);
      });
    }

    // Cards that are filtered and put in order.
    for (const tools of all("[data-filters]")) {
      const list = document.getElementById(tools.dataset.filters);
      const cards = all("[data-item]", list);
      const groups = new Map(cards.map((card) => [card, card.closest(".card")]));
      const texts = new Map();
      const text = (card) => {
        if (!texts.has(card)) texts.set(card, card.textContent.toLowerCase());
        return texts.get(card);
      };
      const set = (part, hidden) => {
        if (part.hidden !== hidden) part.hidden = hidden;
      };
      const order = tools.querySelector("[data-sort]");
      const count = tools.querySelector("[data-count]");
      const apply = () => {
        let shown = 0;
        const left = new Map();
        const wanted = all("[data-filter]", tools).map((field) => [field.dataset.filter, field.value.trim().toLowerCase()]);
        for (const card of cards) {
          const fits = ([name, value]) => {
            if (!value) return true;
            if (name === "text") return text(card).includes(value);
            if (name === "least") return Number(card.dataset.sure) >= Number(value);
            return (card.dataset[name] || "").toLowerCase().split("|").includes(value);
          };
          const seen = wanted.every(fits);
          const group = groups.get(card);
          if (group !== card) set(card, !seen);
          if (!left.has(group)) left.set(group, false);
          if (seen) left.set(group, true);
          shown += seen ? 1 : 0;
        }
        for (const [group, seen] of left) set(group, !seen);
        count.textContent = shown > 0 ? `${shown} of ${cards.length}` : "nothing matches";
      };
      let waiting = 0;
      const soon = () => {
        clearTimeout(waiting);
        waiting = setTimeout(apply, 150);
      };
      for (const field of all("[data-filter]", tools)) field.addEventListener("input", soon);
      if (order) {
        order.addEventListener("change", () => {
          const turn = order.value === "least" ? 1 : -1;
          const sorted = [...cards].sort((a, b) => turn * (Number(a.dataset.sure) - Number(b.dataset.sure)));
          list.append(...sorted);
        });
      }
      const seen = () => cards.filter((card) => !card.hidden);
      const copy = tools.querySelector("[data-copy]");
      if (copy) {
        copy.addEventListener("click", async () => {
          // A leading apostrophe keeps a spreadsheet from taking a text for a formula.
          const field = (text) => `"${text.trim().replace(/^[=+\-@\t]/, "'$&").replaceAll('"', '""')}"`;
          const row = (card) => {
            const { id, date } = card.closest(".card").dataset;
            const name = (what) => card.querySelector(`[data-name=${what}]`).textContent;
            const evidence = all("blockquote", card).map((quote) => quote.textContent).join(" … ");
            return [id, date, name("state"), name("actor"), card.dataset.stance, card.dataset.sure, evidence].map(field).join(",");
          };
          const rows = seen().map(row);
          const csv = ["id,date,state,actor,stance,probability,evidence", ...rows].join("\n") + "\n";
          try {
            await navigator.clipboard.writeText(csv);
          } catch {
            const area = document.createElement("textarea");
            area.value = csv;
            document.body.append(area);
            area.select();
            document.execCommand("copy");
            area.remove();
          }
          count.textContent = `${rows.length} rows copied`;
        });
      }
      const open = tools.querySelector("[data-open]");
      if (open) {
        const words = () => {
          open.textContent = seen().every((card) => card.open) ? "Close all" : "Open all";
        };
        words();
        open.addEventListener("click", () => {
          const all = seen().every((card) => card.open);
          for (const card of seen()) card.open = !all;
          words();
        });
      }
      apply();
    }

    // The map at another time.
    const data = document.getElementById("map-data");
    const when = document.getElementById("when");
    if (data && when) {
      const { choices, states } = JSON.parse(data.textContent);
      const places = all(".map [data-code], .beside [data-code]");
      const map = document.querySelector(".map");
      const [label, first] = [map.getAttribute("aria-label"), choices[Number(when.value)]];
      const show = () => {
        const at = Number(when.value);
        for (const said of all("#when-said, #map-when")) said.textContent = choices[at];
        if (when.type === "range") when.setAttribute("aria-valuetext", choices[at]);
        map.setAttribute("aria-label", when.type === "range" ? `${label}, ${choices[at]}` : label.replace(first, choices[at]));
        for (const place of places) {
          const state = states[place.dataset.code];
          if (!state) continue;
          const [look, said] = state.cells[at] || ["", `${state.name}: not mentioned`];
          const title = place.querySelector("title");
          if (title) {
            place.setAttribute("class", look);
            title.textContent = said;
          } else {
            place.textContent = said;
            place.hidden = !state.cells[at] || look === "self";
          }
        }
        const beside = document.querySelector(".beside");
        if (beside) beside.closest("details").hidden = all("li:not([hidden])", beside).length === 0;
      };
      when.addEventListener("input", show);
      show();
    }
  };
  start();
  // A server's answer takes the place of the one before.
  document.addEventListener("detente:content", start);
})();
