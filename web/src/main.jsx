// The page: one view of it is shown, and each remembers how it is seen again.
import { render } from "preact";
import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { engine as found } from "./engine.js";
import { Lessons, Quiz, Window } from "./learn.jsx";
import { read, written } from "./link.js";
import { Network } from "./network.jsx";

const TABS = ["network", "lessons", "quiz", "window"];
const preferred = matchMedia("(prefers-color-scheme: dark)");

function Page({ engine, words, start, note }) {
  const [tab, setTab] = useState(TABS.includes(start.tab) ? start.tab : "network");
  const [said, setSaid] = useState("");
  const [dark, setDark] = useState(preferred.matches);
  const [large, setLarge] = useState(false);
  const views = useRef({});
  useEffect(() => {
    document.documentElement.dataset.theme = dark ? "dark" : "light";
    document.documentElement.dataset.size = large ? "large" : "";
  }, [dark, large]);
  useEffect(() => {
    if (!said) return undefined;
    const timer = setTimeout(() => setSaid(""), 8000);
    return () => clearTimeout(timer);
  }, [said]);
  const remember = useCallback((name) => (view) => { views.current[name] = view; }, []);
  const link = async () => {
    const view = views.current[tab]?.() ?? {};
    history.replaceState(null, "", await written(tab === "network" ? { tab, ...view } : { tab, [tab]: view }));
    try {
      await navigator.clipboard.writeText(location.href);
      setSaid("the link to this view is in the clipboard");
    } catch {
      setSaid("the link to this view stands in the address bar");
    }
  };
  return <>
    <header>
      <b class="name">cnncalc</b>
      <nav role="tablist">{TABS.map((each) => <button key={each} role="tab" aria-selected={tab === each} onClick={() => setTab(each)}>{each}</button>)}</nav>
      <span class="space" />
      <span role="status" class="said">{said || note}</span>
      <button onClick={link}>copy link</button>
      <button aria-pressed={large} onClick={() => setLarge(!large)} title="larger, for a projector">A+</button>
      <button aria-pressed={dark} onClick={() => setDark(!dark)} title="light or dark">◐</button>
    </header>
    <Network {...{ engine, words, start, dark, tell: setSaid, hidden: tab !== "network", remember: remember("network") }} />
    <Lessons {...{ engine, words, dark, start: start.lessons, hidden: tab !== "lessons", remember: remember("lessons") }} />
    <Quiz {...{ engine, words, start: start.quiz, hidden: tab !== "quiz", remember: remember("quiz") }} />
    <Window {...{ engine, dark, start: start.window, hidden: tab !== "window", remember: remember("window") }} />
  </>;
}

// What a link may set, of the kinds that it may have.
function checked(view) {
  const kinds = { tab: "string", text: "string", variant: "string", figure: "string", heat: "string", name: "string", depth: "number", batch: "number", lessons: "object", quiz: "object", window: "object" };
  return Object.fromEntries(Object.entries(view ?? {}).filter(([key, value]) => value !== null && typeof value === kinds[key]));
}

async function start() {
  const place = document.getElementById("page");
  const tell = (text) => { const note = place.querySelector(".loading"); if (note && text) note.textContent = text; };
  if (location.search) history.replaceState(null, "", location.pathname + location.hash);  // the token, which is kept in a cookie now
  const engine = await found(tell);
  const [linked, file, words] = await Promise.all([read(location.hash), engine.opened(), engine.words()]);
  if (words.problems || file.problems) {
    const problem = (words.problems ?? file.problems)[0];
    tell(`${problem.message}. ${problem.hint ?? ""}`);
    return;
  }
  const { tab, text, lessons, quiz, window, name, ...view } = checked(linked);
  const first = text ?? file.text ?? words.first;
  const begun = {
    tab, lessons, quiz, window, text: first, specs: file.specs,
    // A text that came by a link is saved nowhere but where the reader says.
    ...(text === undefined ? { name: file.name ?? "lenet", path: file.path, stamp: file.stamp } : { name: name ?? "net" }),
    view: text === undefined ? { variant: file.variant ?? "" } : view,
  };
  place.replaceChildren();
  render(<Page engine={engine} words={words} start={begun} note="" />, place);
  document.documentElement.dataset.ready = "true";
}

start().catch((error) => { document.querySelector(".loading").textContent = `the page cannot be loaded: ${error.message}`; });
