"use strict";
const AT_ONCE = 100; // rows; more are added when they are asked for
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
  let searched = null; // what each row is found by; made when the reader goes to the field, so the first letter is quick
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
    searched ??= rows.map((row) => [
      row[NAME], row[OWNER], row[SERIAL], texts[row[GROUP]], texts[row[FLAGS]],
      ...row[PRODUCTS].flatMap((one) => [texts[one[0]], texts[one[1]], texts[one[4]]]),
    ].join("\n").toLowerCase());
  };
  const draw = () => {
    const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
    if (words.length) prepare();
    const wanted = select.value;
    fitting = order.filter((number) => {
      const row = rows[number];
      if (wanted === "unlisted" ? row[LISTED] : wanted !== "" && (row[STATE] !== Number(wanted) || !row[LISTED])) return false;
      return words.every((one) => searched[number].includes(one));
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
  input.addEventListener("focus", () => setTimeout(prepare));
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
});
