"use strict";
(() => {
  const find = (what) => document.querySelector(what);
  const all = (what) => [...document.querySelectorAll(what)];
  document.documentElement.classList.add("scripted");

  const open = () => {
    const task = /^#t\d+$/.test(location.hash) && find(location.hash);
    if (!task) return;
    task.open = true;
    task.hidden = false;
    task.scrollIntoView({ block: "start" });
  };
  addEventListener("hashchange", open);
  open();

  const list = find("#list");
  if (list) {
    const tasks = [...list.children];
    const filters = all("[data-filter]");
    const order = find("[data-order]");
    const apply = () => {
      let shown = 0;
      for (const task of tasks) {
        const fits = filters.every(({ value, dataset: { filter } }) =>
          filter === "text"
            ? task.dataset.id.toLowerCase().includes(value.trim().toLowerCase())
            : value === "*" || task.dataset[filter] === value);
        task.hidden = !fits;
        shown += fits;
      }
      const count = (number) => number.toLocaleString("en");
      find("#shown").textContent =
        shown === tasks.length ? count(shown) : `${count(shown)} of ${count(tasks.length)}`;
      find("#none").hidden = shown > 0;
    };
    const number = (task, key) => (task.dataset[key] === "" ? Infinity : Number(task.dataset[key]));
    const sort = () => {
      const key = order.value;
      const up = key === "i" || key === "s" ? 1 : -1;
      list.append(...[...tasks].sort((a, b) => {
        const [x, y] = [number(a, key), number(b, key)];
        return x === y ? a.dataset.i - b.dataset.i : up * (x < y ? -1 : 1);
      }));
    };
    find("#filters").addEventListener("submit", (event) => event.preventDefault());
    for (const each of filters) each.addEventListener("input", apply);
    order.addEventListener("input", sort);
    find("#filters").reset();
  }

  const time = find(".time");
  if (!time) return;
  const scroll = find(".scroll");
  for (const button of all("[data-zoom]")) {
    button.addEventListener("click", () => {
      const middle = (scroll.scrollLeft + scroll.clientWidth / 2) / scroll.scrollWidth;
      time.style.setProperty("--zoom", button.dataset.zoom);
      scroll.scrollLeft = middle * scroll.scrollWidth - scroll.clientWidth / 2;
      for (const each of all("[data-zoom]")) each.setAttribute("aria-pressed", each === button);
    });
  }

  const curves = JSON.parse(find("#curves").textContent);
  const cursor = find(".cursor");
  const readout = find("#readout");
  const idle = readout.textContent;
  const whole = Number(time.dataset.whole);
  const seconds = (value) => `${value.toFixed(2)} s`;
  const at = (moment) => {
    let [low, high] = [0, curves.moments.length];
    while (low + 1 < high) {
      const middle = (low + high) >> 1;
      if (curves.moments[middle] <= moment) low = middle; else high = middle;
    }
    return low;
  };
  const task = (bar) => {
    const { dataset } = find(`#t${bar.dataset.t}`);
    return ` · ${dataset.id}: ${dataset.outcome}, ${seconds(Number(dataset.s))} to ${seconds(Number(dataset.s) + Number(dataset.w))}`;
  };
  time.addEventListener("pointermove", (event) => {
    const box = time.getBoundingClientRect();
    const part = Math.min(Math.max((event.clientX - box.left) / box.width, 0), 1);
    const now = at(part * whole);
    cursor.hidden = false;
    cursor.style.left = `${part * 100}%`;
    const bar = event.target.closest(".bar");
    readout.textContent = `at ${seconds(part * whole)}: ${curves.running[now]} slots, ` +
      `${curves.cpu[now].toFixed(1)} cores, ${(curves.memory[now] / 1e6).toFixed(0)} MB` +
      (bar ? task(bar) : "");
  });
  time.addEventListener("pointerleave", () => {
    cursor.hidden = true;
    readout.textContent = idle;
  });
})();
