"use strict";
const AT_ONCE = 300; // rows; a browser lays out that many without anybody waiting for it
const FEW = 10; // rows that need no search
const order = new Intl.Collator("en", { numeric: true }).compare;
document.documentElement.classList.add("loading"); // long tables are laid out once, when they are cut to what is shown
addEventListener("DOMContentLoaded", () => {
  for (const tools of document.querySelectorAll(".tools")) {
    const table = document.getElementById(tools.dataset.table);
    const whole = table.classList.contains("findings"); // there a finding is a body of its own, else a row
    let parts = whole ? [...table.tBodies] : [...table.tBodies[0].rows];
    if (parts.length <= FEW) continue;
    table.classList.add("sortable");
    const status = tools.querySelector("[role=status]");
    const input = tools.querySelector("input");
    const rest = tools.querySelector("button");
    const texts = new Map();
    let limit = AT_ONCE;

    const draw = () => {
      const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
      if (words.length && !texts.size) parts.forEach((part) => texts.set(part, part.textContent.toLowerCase()));
      let fitting = 0;
      for (const part of parts) {
        const fits = words.every((word) => texts.get(part).includes(word));
        fitting += fits;
        part.hidden = !fits || fitting > limit;
      }
      const found = words.length ? `${fitting} of ${parts.length} found` : `${parts.length} in all`;
      rest.hidden = fitting <= limit;
      tools.classList.toggle("part", words.length > 0 || !rest.hidden); // what is printed is what is shown, and it says so
      status.textContent = rest.hidden ? found : `${found}, the first ${limit} shown`;
    };
    const sort = (header, column) => {
      const down = header.getAttribute("aria-sort") === "ascending";
      const key = (part) => {
        const cell = (whole ? part.rows[0] : part).cells[column];
        return cell.dataset.sort ?? cell.textContent.trim().toLowerCase();
      };
      const compare = ([one], [other]) => {
        const numbers = one !== "" && other !== "" ? Number(one) - Number(other) : NaN;
        return (down ? -1 : 1) * (Number.isNaN(numbers) ? order(one, other) : numbers);
      };
      parts = parts.map((part) => [key(part), part]).sort(compare).map((pair) => pair[1]);
      (whole ? table : table.tBodies[0]).append(...parts);
      for (const each of table.tHead.rows[0].cells) each.removeAttribute("aria-sort");
      header.setAttribute("aria-sort", down ? "descending" : "ascending");
      draw();
    };

    let waiting = 0;
    input.addEventListener("input", () => {
      clearTimeout(waiting);
      waiting = setTimeout(draw, 60);
    });
    input.addEventListener("keydown", (event) => {
      if (event.key !== "Escape") return;
      input.value = "";
      draw();
    });
    rest.addEventListener("click", () => {
      limit = Infinity;
      draw();
      input.focus();
    });
    [...table.tHead.rows[0].cells].forEach((header, column) => {
      const button = document.createElement("button");
      button.type = "button";
      button.append(...header.childNodes);
      header.append(button);
      button.addEventListener("click", () => sort(header, column));
    });
    tools.hidden = false;
    draw();
  }
  document.documentElement.classList.remove("loading");
});
let opened = [];
let moved = [];
addEventListener("beforeprint", () => {
  opened = [...document.querySelectorAll("details:not([open], [data-print=no])")];
  opened.forEach((each) => { each.open = true; });
  const annex = document.getElementById("printed");
  if (!annex) return;
  moved = [...document.querySelectorAll(".findings tbody:not([hidden]) td > details")].map((each) => [each, each.parentNode]);
  for (const [each, cell] of moved) {
    const name = document.createElement("h3");
    name.textContent = cell.closest("tbody").querySelector("th").textContent;
    annex.append(name, each);
  }
  annex.hidden = moved.length === 0;
});
addEventListener("afterprint", () => {
  moved.forEach(([each, cell]) => {
    each.previousSibling.remove();
    cell.append(each);
  });
  moved = [];
  opened.forEach((each) => { each.open = false; });
  const annex = document.getElementById("printed");
  if (annex) annex.hidden = true;
});
