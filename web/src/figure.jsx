// A figure in the page. It is read as XML and only what figures are made of is kept, whatever the engine sent.
import { useEffect, useRef } from "preact/hooks";

const ELEMENTS = new Set(["svg", "title", "desc", "rect", "path", "text", "animate"]);

export function cleaned(source) {
  const root = new DOMParser().parseFromString(source, "image/svg+xml").documentElement;
  if (root.localName !== "svg") return null;
  for (const element of [root, ...root.querySelectorAll("*")]) {
    if (!ELEMENTS.has(element.localName)) element.remove();
    for (const { name } of [...element.attributes]) {
      if (/^on|href|^style$/i.test(name)) element.removeAttribute(name);
    }
  }
  return document.importNode(root, true);
}

// The boxes whose work can be shown, with the layers that they stand for.
const meant = (box) => (box.dataset.kind === "input" ? null
  : box.dataset.nodes ? { nodes: box.dataset.nodes, name: box.dataset.part }
    : box.dataset.field ? { layer: box.dataset.field, name: box.dataset.field } : null);

export function Figure({ svg, stale, choose, chosen }) {
  const place = useRef();
  useEffect(() => {
    const root = cleaned(svg);
    place.current.replaceChildren(...(root ? [root] : []));
    if (!root) return;
    // A small figure in a wide place is drawn larger, so that it is read from the back of a room.
    const room = place.current.clientWidth / root.width.baseVal.value;
    if (room > 1) root.setAttribute("width", root.width.baseVal.value * Math.min(room, 1.5));
    if (matchMedia("(prefers-reduced-motion: reduce)").matches) root.pauseAnimations();
    if (!choose) return;
    const boxes = [...root.querySelectorAll("rect")].filter(meant);
    boxes.forEach((box, i) => {
      const name = box.querySelector("title")?.textContent ?? meant(box).name;
      box.setAttribute("role", "button");
      box.setAttribute("aria-label", `${name}: how its numbers come about`);
      box.setAttribute("tabindex", i ? "-1" : "0");
      box.addEventListener("click", () => choose(meant(box)));
      box.addEventListener("keydown", (event) => {
        const step = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 }[event.key];
        if (event.key === "Enter" || event.key === " ") choose(meant(box));
        else if (step && boxes[i + step]) {
          box.setAttribute("tabindex", "-1");
          boxes[i + step].setAttribute("tabindex", "0");
          boxes[i + step].focus();
        } else return;
        event.preventDefault();
      });
    });
    if (boxes.length) root.setAttribute("role", "group");
  }, [svg, choose]);
  useEffect(() => {
    for (const box of place.current.querySelectorAll("rect[role]")) {
      box.classList.toggle("chosen", Boolean(chosen) && chosen.name === meant(box)?.name);
    }
  }, [svg, chosen]);
  return <div class={`figure${stale ? " stale" : ""}`} ref={place} />;
}
