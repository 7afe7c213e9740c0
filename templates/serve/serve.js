"use strict";
(() => {
  const form = document.getElementById("ask");
  if (!form) return;
  const all = (selector, within = document) => [...within.querySelectorAll(selector)];
  const make = (name, text, more = {}) => Object.assign(document.createElement(name), { textContent: text }, more);
  const progress = document.getElementById("progress");
  const trouble = document.getElementById("trouble");
  const count = (number) => number.toLocaleString("en");

  // What was asked last: explanations are of this.
  let asked = null;
  let running = null;

  const say = (message, problems = []) => {
    const box = make("div", "", { className: "warn" });
    box.append(make("p", message));
    if (problems.length > 0) {
      const list = make("ul", "");
      list.append(...problems.map((problem) => make("li", problem)));
      box.append(list);
    }
    trouble.replaceChildren(...(message ? [box] : []));
    if (message) trouble.focus();
  };

  const filesOf = (data) => data.getAll("file").filter((file) => file.size > 0 || file.name !== "");

  const check = (data) => {
    const files = filesOf(data);
    const bytes = files.reduce((sum, file) => sum + file.size, 0);
    if (files.length > Number(form.dataset.maxFiles)) return `There are ${count(files.length)} files; at most ${form.dataset.maxFiles} are read at once.`;
    if (bytes > Number(form.dataset.maxBytes)) return `These are ${count(Math.ceil(bytes / 1048576))} MiB; at most ${Number(form.dataset.maxBytes) / 1048576} are read at once.`;
    if (files.length === 0 && !(data.get("text") || "").trim()) {
      return document.getElementById("text") ? "There is nothing to read: paste a text, or choose files." : "There is nothing to read: choose files with dated articles.";
    }
    return "";
  };

  const show = (html, isAnswer) => {
    const page = new DOMParser().parseFromString(html, "text/html");
    const main = page.getElementById("main");
    if (!main) return say("The answer could not be read.");
    const said = page.getElementById("trouble");
    // A question that was wrong leaves the answer before it.
    if (!isAnswer) {
      if (!said) return say(page.querySelector(".lead").textContent);
      trouble.replaceChildren(...said.childNodes);
      trouble.focus();
      return;
    }
    trouble.replaceChildren(...said.childNodes);
    document.title = page.title;
    document.getElementById("main").replaceWith(main);
    document.dispatchEvent(new Event("detente:content"));
    main.focus({ preventScroll: true });
    trouble.scrollIntoView();
  };

  // A file that is saved, by the name that the server gives it.
  const save = async (request) => {
    if (request.status !== 200) return show(await request.response.text(), false);
    const name = /filename="([^"]+)"/.exec(request.getResponseHeader("Content-Disposition") || "");
    const link = make("a", "", { href: URL.createObjectURL(request.response), download: name ? name[1] : "answer" });
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60000);
    const problems = request.getResponseHeader("detente-problems");
    if (problems) say(`${link.download} is saved. Of what was sent:`, JSON.parse(problems));
  };

  const [bar, said, stop] = progress.children;
  const done = () => {
    progress.hidden = true;
    running = null;
    form.removeAttribute("aria-busy");
  };

  form.addEventListener("submit", (event) => {
    const data = new FormData(form);
    const wrong = check(data);
    if (wrong) {
      event.preventDefault();
      say(wrong);
      return;
    }
    say("");
    event.preventDefault();
    const saved = event.submitter && event.submitter.name === "save" ? event.submitter.value : "";
    if (saved) data.set("save", saved);
    if (running) running.abort();
    const request = new XMLHttpRequest();
    running = request;
    const files = filesOf(data).length;
    const what = files > 1 ? `${count(files)} files` : files === 1 ? "the file" : "the text";
    request.upload.addEventListener("progress", (step) => {
      if (!step.lengthComputable) return;
      bar.value = step.loaded / step.total;
      said.textContent = `Sending ${what} …`;
    });
    request.upload.addEventListener("load", () => {
      bar.removeAttribute("value");
      said.textContent = `Reading ${what} …`;
    });
    request.addEventListener("load", () => {
      if (running !== request) return;
      done();
      if (saved) return save(request);
      if (request.status === 200) asked = { data, files: filesOf(data) };
      show(request.responseText, request.status === 200);
    });
    request.addEventListener("error", () => {
      if (running !== request) return;
      done();
      say("The server does not answer; is it still running?");
    });
    request.addEventListener("abort", () => {
      if (running !== request) return;
      done();
      say("Stopped; nothing was answered.");
    });
    request.open("POST", form.getAttribute("action").split("#")[0]);
    if (saved) request.responseType = "blob";
    bar.value = 0;
    said.textContent = `Sending ${what} …`;
    progress.hidden = false;
    form.setAttribute("aria-busy", "true");
    request.send(data);
  });
  stop.addEventListener("click", () => running && running.abort());

  // Files that are dropped anywhere are as if chosen.
  const files = document.getElementById("files");
  document.addEventListener("dragover", (event) => {
    if (![...event.dataTransfer.types].includes("Files")) return;
    event.preventDefault();
    form.classList.add("over");
  });
  document.addEventListener("dragleave", (event) => event.relatedTarget === null && form.classList.remove("over"));
  const within = async (entry) => {
    if (entry.isFile) {
      const file = await new Promise((tell, fail) => entry.file(tell, fail));
      // By its path, as if the folder had been chosen.
      return [new File([file], entry.fullPath.slice(1), { type: file.type })];
    }
    const reader = entry.createReader();
    const found = [];
    // A folder is told some entries at a time.
    for (;;) {
      const some = await new Promise((tell, fail) => reader.readEntries(tell, fail));
      if (some.length === 0) return found;
      for (const one of some) found.push(...(await within(one)));
    }
  };
  document.addEventListener("drop", async (event) => {
    form.classList.remove("over");
    if (event.dataTransfer.files.length === 0) return;
    event.preventDefault();
    files.files = event.dataTransfer.files;
    files.focus();
    const entries = [...event.dataTransfer.items].map((item) => item.webkitGetAsEntry && item.webkitGetAsEntry());
    if (!entries.some((entry) => entry && entry.isDirectory)) return;
    try {
      const held = new DataTransfer();
      for (const entry of entries) for (const file of entry ? await within(entry) : []) held.items.add(file);
      files.files = held.files;
    } catch (error) {
      say(`The folder could not be read: ${error.message}`);
    }
  });

  // The words behind a pair, asked for where its line is opened.
  const formats = { txt: "text/plain", html: "text/html", htm: "text/html", csv: "text/csv", tsv: "text/tab-separated-values", json: "application/json", jsonl: "application/jsonl", ndjson: "application/jsonl" };
  const explain = async (pair) => {
    const card = pair.closest(".card");
    const { id } = card.dataset;
    const path = card.dataset.path || "";
    const file = asked.files.find((file) => (file.webkitRelativePath || file.name) === path);
    const body = file || new Blob([asked.data.get("text") || ""], { type: "text/plain" });
    const query = new URLSearchParams({ state: pair.dataset.state, actor: pair.dataset.actor });
    if (file) query.set("name", path);
    const type = file ? formats[path.split(".").pop().toLowerCase()] || "application/octet-stream" : "text/plain";
    const ask = async (id) => {
      if (file) query.set("id", id);
      const response = await fetch(`/v1/explain?${query}`, { method: "POST", body, headers: { "Content-Type": type } });
      const text = await response.text();
      if (!response.ok) throw new Error(JSON.parse(text).detail);
      return text ? JSON.parse(text.split("\n")[0]) : undefined;
    };
    // An id that comes again in another file has a number, which it has not in its own.
    return (await ask(id)) || (await ask(id.replace(/#\d+$/, "")));
  };

  const signed = (number) => (number < 0 ? "−" : "+") + Math.abs(number).toFixed(2);
  const tell = (record) => {
    const parts = [];
    const exact = record.evidence.every((evidence) => evidence.method === "exact");
    parts.push(make("p", exact
      ? `What each word adds to the score of ${record.stance}; with all others, and a base of ${signed(record.base[record.stance])}, it adds up to ${signed(record.logits[record.stance])}.`
      : `What the score of ${record.stance} loses where a word is left out; words act together, so these do not add up.`, { className: "note" }));
    const most = Math.max(...record.evidence.flatMap((evidence) => evidence.words.map((word) => Math.abs(word.contribution[record.stance]))), 1e-9);
    for (const evidence of record.evidence.slice(0, 3)) {
      const line = make("p", "", { className: "words", dir: "auto" });
      for (const sentence of evidence.sentences) {
        let at = sentence.start;
        const letters = [...sentence.text];
        const until = (end) => letters.slice(at - sentence.start, end - sentence.start).join("");
        for (const word of evidence.words) {
          if (word.part !== sentence.part || word.start < at || word.end > sentence.end) continue;
          line.append(until(word.start));
          at = word.start;
          const adds = word.contribution[record.stance];
          const strength = Math.min(4, Math.ceil((Math.abs(adds) / most) * 4 - 0.5));
          const marked = make("span", until(word.end), { title: signed(adds) });
          if (strength > 0) marked.className = adds > 0 ? `for${strength}` : `against${strength}`;
          line.append(marked);
          at = word.end;
        }
        line.append(`${until(sentence.end)} `);
      }
      parts.push(line);
      const words = evidence.words.filter((word) => /[\p{L}\p{N}]/u.test(word.text) && Math.abs(word.contribution[record.stance]) >= 0.005).sort((a, b) => Math.abs(b.contribution[record.stance]) - Math.abs(a.contribution[record.stance])).slice(0, 8);
      const list = make("ul", "", { className: "beside" });
      list.append(...words.map((word) => make("li", `${signed(word.contribution[record.stance])} ${word.text}`)));
      parts.push(list);
    }
    return parts;
  };

  const offer = (pair) => {
    if (!asked || !pair.open || pair.querySelector(".why") || !pair.querySelector("blockquote")) return;
    const why = make("div", "", { className: "why" });
    const button = make("button", "Which words say so?", { type: "button" });
    const named = (what) => pair.querySelector(`[data-name=${what}]`).textContent;
    button.setAttribute("aria-label", `Which words say so? ${named("state")} toward ${named("actor")}`);
    why.tabIndex = -1;
    why.append(button);
    pair.append(why);
    button.addEventListener("click", async () => {
      button.disabled = true;
      why.replaceChildren(button, make("p", "Reading …", { className: "note" }));
      why.focus();
      try {
        const record = await explain(pair);
        if (!record) throw new Error("the article was not found again");
        why.replaceChildren(...tell(record));
      } catch (error) {
        button.disabled = false;
        why.replaceChildren(button, make("p", `No explanation: ${error.message}`, { className: "note" }));
      }
    });
  };
  document.addEventListener("toggle", (event) => event.target.matches && event.target.matches(".pair") && offer(event.target), true);
  document.addEventListener("detente:content", () => all(".pair[open]").forEach(offer));
})();
