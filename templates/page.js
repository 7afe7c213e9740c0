"use strict";
(() => {
  const all = (selector, within = document) => [...within.querySelectorAll(selector)];
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

  // The map at another time.
  const data = document.getElementById("map-data");
  const when = document.getElementById("when");
  if (data && when) {
    const { periods, states } = JSON.parse(data.textContent);
    const places = all(".map [data-code], .beside [data-code]");
    const show = () => {
      const at = Number(when.value);
      for (const id of ["when-said", "map-when"]) document.getElementById(id).textContent = periods[at];
      when.setAttribute("aria-valuetext", periods[at]);
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
          place.hidden = !state.cells[at];
        }
      }
    };
    when.addEventListener("input", show);
    show();
  }
})();
