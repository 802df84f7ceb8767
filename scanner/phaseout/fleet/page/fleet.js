"use strict";
const AT_ONCE = 50; // rows; more are added when they are asked for
const STATES = ["replace", "review", "clean", "incomplete", "silent", "never_seen"];
const [NAME, STATE, LISTED, GROUP, LAST, FLAGS, PRODUCTS, OWNER, SERIAL, UNSEEN] = Array(10).keys();

const unpacked = async (text) => {
  const packed = Uint8Array.from(atob(text), (char) => char.charCodeAt(0));
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Response(stream).json();
};
const element = (name, text, className) => {
  const made = document.createElement(name);
  if (text) made.textContent = text;
  if (className) made.className = className;
  return made;
};

addEventListener("DOMContentLoaded", async () => {
  for (const part of document.querySelectorAll(".bar span")) part.style.width = `${part.dataset.share}%`;
  const { texts, rows } = await unpacked(document.getElementById("data").textContent);
  const body = document.querySelector("#hosts-table tbody");
  const input = document.querySelector("#tools input");
  const select = document.getElementById("state");
  const found = document.getElementById("found");
  const more = document.getElementById("more");
  const due = (row) => row[PRODUCTS].map((one) => texts[one[2]]).filter(Boolean).sort()[0] ?? "";
  const word = (row) => (row[STATE] < 0 ? "" : STATES[row[STATE]]);
  const keys = {
    name: (row) => row[NAME].toLowerCase(), state: (row) => String(row[STATE]), last: (row) => texts[row[LAST]],
    group: (row) => texts[row[GROUP]].toLowerCase(), due: (row) => due(row) || "~",
  };
  let searched = ""; // what each row is found by, in one text: searched through ten times quicker than as many short ones
  let starts = null; // where each row begins in it
  let order = rows.map((_, number) => number);
  let fitting = order;
  let shown = 0;

  const cells = (row) => {
    const line = document.createElement("tr");
    const head = element("th", row[NAME] || row[SERIAL]);
    head.scope = "row";
    const state = document.createElement("td");
    state.append(element("span", word(row).replace("_", " "), `mark ${word(row)}`));
    if (!row[LISTED]) state.append(" unlisted");
    const what = document.createElement("td");
    for (const [product, version, date, since, users, action, verdict, origin] of row[PRODUCTS]) {
      const entry = element("div");
      const times = `since ${texts[since]}${texts[origin] === "again" ? ", again" : ""}`;
      const whose = texts[users] ? `, ${texts[users]}` : "";
      entry.append(element("strong", texts[product]), ` ${texts[version]} (${texts[verdict]}, ${times}${whose}). ${texts[action]}`);
      what.append(entry);
    }
    if (texts[row[UNSEEN]]) what.append(element("div", `Not seen: ${texts[row[UNSEEN]]}`));
    if (texts[row[FLAGS]]) what.append(element("div", texts[row[FLAGS]].replaceAll("_", " "), "note"));
    line.append(head, state, element("td", texts[row[LAST]]), element("td", texts[row[GROUP]]), element("td", due(row)), what);
    return line;
  };
  const add = () => {
    const next = fitting.slice(shown, shown + AT_ONCE);
    body.append(...next.map((number) => cells(rows[number])));
    shown += next.length;
    more.hidden = shown >= fitting.length;
    found.textContent = `${fitting.length.toLocaleString("en")} of ${rows.length.toLocaleString("en")} hosts`;
  };
  const prepare = () => {
    if (starts) return;
    const small = texts.map((text) => text.toLowerCase());
    const parts = [];
    starts = new Uint32Array(rows.length + 1);
    let at = 0;
    rows.forEach((row, number) => {
      let text = `${`${row[NAME]}\n${row[OWNER]}\n${row[SERIAL]}`.toLowerCase()}\n${small[row[GROUP]]}\n${small[row[FLAGS]]}\n`;
      for (const one of row[PRODUCTS]) text += `${small[one[0]]}\n${small[one[1]]}\n${small[one[4]]}\n`;
      parts.push(text);
      starts[number] = at;
      at += text.length;
    });
    starts[rows.length] = at;
    searched = parts.join("");
  };
  const having = (word) => { // for each row: 1 if the word is in it
    const found = new Uint8Array(rows.length);
    let number = 0;
    for (let at = searched.indexOf(word); at >= 0; at = searched.indexOf(word, starts[number])) {
      while (starts[number + 1] <= at) number += 1;
      found[number] = 1;
      number += 1;
    }
    return found;
  };
  const draw = () => {
    const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
    if (words.length) prepare();
    const found = words.map(having);
    const wanted = select.value;
    fitting = order.filter((number) => {
      const row = rows[number];
      if (wanted === "unlisted" ? row[LISTED] : wanted !== "" && (row[STATE] !== Number(wanted) || !row[LISTED])) return false;
      return found.every((one) => one[number]);
    });
    body.replaceChildren();
    shown = 0;
    add();
  };
  for (const header of document.querySelectorAll("#hosts-table th[data-by]")) {
    const button = element("button", header.textContent);
    button.type = "button";
    header.replaceChildren(button);
    button.addEventListener("click", () => {
      const down = header.getAttribute("aria-sort") === "ascending";
      const by = rows.map(keys[header.dataset.by]);
      order = order.slice().sort((one, other) => (down ? -1 : 1) * (by[one] < by[other] ? -1 : by[one] > by[other] ? 1 : 0));
      for (const each of document.querySelectorAll("#hosts-table th")) each.removeAttribute("aria-sort");
      header.setAttribute("aria-sort", down ? "descending" : "ascending");
      draw();
    });
  }
  let waiting = 0;
  input.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(draw, 20);
  });
  document.getElementById("tools").addEventListener("submit", (event) => event.preventDefault());
  select.addEventListener("change", draw);
  more.addEventListener("click", add);
  document.getElementById("list").hidden = false;
  draw();
  setTimeout(prepare, 200); // while the reader looks at the first rows, so that the first letter is quick
});
