// The network: its spec on the left; figure, totals, work and layers on the right.
import { useCallback, useEffect, useMemo, useRef, useState } from "preact/hooks";
import { editor as opened } from "./editor.js";
import { Latest } from "./engine.js";
import { Figure } from "./figure.jsx";
import { bytes, png, save as download } from "./files.js";
import { written } from "./link.js";
import { Works } from "./works.jsx";

const nonce = document.querySelector('meta[name="nonce"]')?.content;
const stem = (name) => (name || "net").replace(/^.*[\\/]/, "").replace(/\.ya?ml$/, "");
const WAIT_MS = 25;

export function Network({ engine, words, start, dark, hidden, tell, remember }) {
  const [view, setView] = useState({ variant: "", figure: "graph", depth: -1, heat: "", batch: 1, ...start.view });
  const [shown, setShown] = useState(null);
  const [problems, setProblems] = useState([]);
  const [stale, setStale] = useState(false);
  const [chosen, setChosen] = useState(null);
  const [works, setWorks] = useState(null);
  const [file, setFile] = useState({ name: start.name, stamp: start.stamp, path: start.path, dirty: false });
  const place = useRef(), edit = useRef(), timer = useRef(), asks = useRef({}), texts = useRef(start.text);

  const latest = useMemo(() => new Latest(engine, (answer, question, more) => {
    if (more && answer.problems) return;
    const all = answer.problems ?? [
      ...answer.warnings.map((each) => ({ ...each, warning: true })), ...(answer.refused ?? []).map((each) => ({ ...each, warning: true }))];
    setProblems(all);
    if (question.text === edit.current?.text) edit.current.problems(all);
    setStale(Boolean(answer.problems));
    if (!answer.problems) setShown((last) => ({ ...answer, svg: answer.svg ?? last?.svg ?? "", variant: question.variant, text: question.text, asked: question }));
  }), [engine]);

  const asked = useCallback(() => ({
    text: texts.current, variant: view.variant, figure: view.figure, depth: view.depth, heat: view.heat, dark, batch: view.batch,
  }), [view, dark]);
  asks.current = asked;

  useEffect(() => { latest.ask({ ask: "network", ...asked() }); }, [asked, latest]);
  useEffect(() => {
    edit.current = opened(place.current, {
      text: start.text, words, nonce, save: () => actions.current.save(),
      changed: (text) => {
        texts.current = text;
        setFile((last) => ({ ...last, dirty: true }));
        clearTimeout(timer.current);
        timer.current = setTimeout(() => latest.ask({ ask: "network", ...asks.current() }), WAIT_MS);
      },
    });
    return () => edit.current.view.destroy();
  }, []);
  useEffect(() => { remember(() => ({ text: texts.current, ...view, name: file.name })); }, [view, file.name]);
  useEffect(() => {
    const warn = (event) => { if (file.dirty && file.path) event.preventDefault(); };
    addEventListener("beforeunload", warn);
    return () => removeEventListener("beforeunload", warn);
  }, [file.dirty, file.path]);

  const choose = useCallback((what) => setChosen(what), []);
  useEffect(() => {
    if (!shown || stale) return;
    let current = true;
    const what = chosen?.nodes ? { nodes: chosen.nodes } : { layer: chosen?.layer ?? "" };
    const { text, variant, batch } = shown.asked;
    engine.ask({ ask: "work", text, variant, batch, ...what }).then((answer) => { if (current) setWorks({ ...answer, of: chosen }); });
    return () => { current = false; };
  }, [chosen, shown, stale]);

  const actions = useRef({});
  actions.current = {
    async save() {
      if (!file.path) return download(`${stem(file.name)}.yaml`, texts.current, "text/yaml");
      const text = texts.current;
      const answer = await engine.save(text, file.stamp);
      if (answer.problems) return tell(`${answer.problems[0].message}. ${answer.problems[0].hint}`);
      setFile((last) => ({ ...last, stamp: answer.stamp, dirty: texts.current !== text }));
      tell(`saved ${file.name}`);
    },
    async open(name) {
      const own = start.specs?.find((each) => each.name === name);
      const answer = own ?? await engine.ask({ ask: "show", name });
      if (answer.problems) return tell(`${answer.problems[0].message} ${answer.problems[0].hint}`);
      edit.current.replace(answer.text);
      setChosen(null);
      setView((last) => ({ ...last, variant: answer.variant ?? "" }));
      setFile((last) => (last.path ? last : { ...last, name }));
    },
    async figure(form) {
      const name = `${stem(file.name)}-${view.figure}`;
      if (form === ".svg") return download(`${name}.svg`, shown.svg, "image/svg+xml");
      if (form === ".png") return download(`${name}.png`, await png(shown.svg));
      const answer = await engine.ask({ ask: "file", form, ...asked(), ...(form === "report" ? { dark: false } : {}) });
      if (answer.problems) return tell(answer.problems[0].message);
      const types = { ".pdf": "application/pdf", ".tex": "text/plain", ".html": "text/html", report: "text/html" };
      download(form === "report" ? `${stem(file.name)}-report.html` : name + form, bytes(answer.data), types[form]);
    },
    async link() {
      const hash = await written({ tab: "network", text: texts.current, ...view, name: file.name });
      history.replaceState(null, "", hash);
      try {
        await navigator.clipboard.writeText(location.href);
        tell("the link to this view is in the clipboard");
      } catch {
        tell("the link to this view stands in the address bar");
      }
    },
  };
  const act = actions.current;
  const turn = (knob, value) => edit.current.write(knob.places, value);

  return (
    <main class="network" hidden={hidden}>
      <section class="spec" aria-label="The spec">
        <div class="bar">
          <Opener words={words} specs={start.specs ?? []} open={act.open} />
          {shown?.variants.length > 0 && (
            <label>variant <select value={view.variant} onChange={(event) => setView({ ...view, variant: event.target.value })}>
              <option value="">as it stands</option>
              {shown.variants.map((name) => <option key={name}>{name}</option>)}
            </select></label>)}
          <span class="space" />
          <span class="together"><button onClick={() => edit.current.undo()} title="undo (Ctrl-Z)" aria-label="undo">↶</button>{" "}
            <button onClick={() => edit.current.redo()} title="redo (Ctrl-Y)" aria-label="redo">↷</button></span>
          <button onClick={act.save} class={file.dirty && file.path ? "wanted" : ""} title={file.path ? `save ${file.path} (Ctrl-S)` : "take the spec away as a file (Ctrl-S)"}>
            {file.path ? "save" : "save as file"}</button>
        </div>
        <div class="editor" ref={place} />
        <Problems list={problems} go={(each) => edit.current.go(each)} />
        {shown?.knobs.length > 0 && <Knobs knobs={shown.knobs} turn={turn} />}
      </section>
      <section class="seen" aria-label="The network">
        <div class="bar">
          <div class="choice" role="group" aria-label="figure">
            {words.pictures.map(({ name, about }) => (
              <button key={name} aria-pressed={view.figure === name} title={about} onClick={() => setView({ ...view, figure: name })}>{name}</button>))}
          </div>
          {view.figure === "graph" && <>
            <label>levels <select value={view.depth} onChange={(event) => setView({ ...view, depth: Number(event.target.value) })}>
              <option value="-1">as it fits</option>{[1, 2, 3, 4].map((each) => <option key={each} value={each}>{each}</option>)}
            </select></label>
            <label>colour <select value={view.heat} onChange={(event) => setView({ ...view, heat: event.target.value })}>
              <option value="">by kind</option>{words.heats.map((each) => <option key={each} value={each}>by {each}</option>)}
            </select></label></>}
          <label>batch <input class="number" type="number" min="1" max="65536" value={view.batch}
            onChange={(event) => setView({ ...view, batch: Math.max(1, Math.min(65536, Math.round(Number(event.target.value)) || 1)) })} /></label>
          <span class="space" />
          <details class="menu"><summary>take away</summary><div>
            {[".svg", ".pdf", ".png", ".tex", ".html"].map((form) => <button key={form} disabled={!shown} onClick={() => act.figure(form)}>figure {form}</button>)}
            <button disabled={!shown} onClick={() => act.figure("report")}>report .html</button>
            <button onClick={() => download(`${stem(file.name)}.yaml`, texts.current, "text/yaml")}>spec .yaml</button>
            <button onClick={act.link}>link to this view</button>
          </div></details>
        </div>
        {shown ? <>
          <h1>{shown.title}</h1>
          <p class="facts">{shown.setting}{shown.about && <><br />{shown.about}</>}</p>
          <dl class={`totals${stale ? " stale" : ""}`}>{shown.facts.map(([name, value]) => <div key={name}><dt>{name}</dt><dd>{value}</dd></div>)}</dl>
          {shown.svg && <Figure svg={shown.svg} stale={stale || Boolean(shown.refused)} choose={choose} chosen={chosen} />}
          {!chosen && <Works works={works} clear={() => setChosen(null)} />}
          <Layers table={shown.table} stale={stale} chosen={chosen} choose={choose} />
          {chosen && <Works works={works} clear={() => setChosen(null)} />}
        </> : <p class="loading">{problems.length ? "there is no figure yet: the spec has an error" : "…"}</p>}
      </section>
    </main>
  );
}

function Opener({ words, specs, open }) {
  const names = useMemo(() => [...specs.map((each) => [each.name, "a spec of this course"]),
    ...words.zoo.flatMap((each) => [[each.name, each.title], ...each.variants.filter((name) => name !== each.name).map((name) => [name, each.title])])], [words, specs]);
  const go = (event) => {
    event.preventDefault();
    const name = new FormData(event.target).get("name").trim();
    if (name) open(name);
  };
  return (
    <form onSubmit={go} role="search">
      <input name="name" list="zoo" placeholder="begin from the zoo …" aria-label="a network of the zoo" autocomplete="off"
        onInput={(event) => { if (names.some(([name]) => name === event.target.value) && event.inputType !== "insertText" && !event.inputType?.startsWith("delete")) open(event.target.value); }} />
      <datalist id="zoo">{names.map(([name, title]) => <option key={name} value={name}>{title}</option>)}</datalist>
      <button>open</button>
    </form>
  );
}

function Problems({ list, go }) {
  return (
    <div class="problems" role="status" aria-live="polite">
      {list.slice(0, 8).map((each, i) => (
        <p key={i} class={each.warning ? "warning" : "error"}>
          {each.line ? <button class="place" onClick={() => go(each)}>{each.line}:{each.column}</button> : null}
          {" "}{each.message}{each.hint && <small>{each.hint}</small>}
          {each.context?.map((line) => <small key={line}>{line}</small>)}
        </p>))}
      {list.length > 8 && <p>and {list.length - 8} more</p>}
    </div>
  );
}

const decimals = (step) => (Number.isInteger(step) ? 0 : Math.max(0, Math.ceil(-Math.log10(step) + 1)));

function Knobs({ knobs, turn }) {
  // While a slider is held its range stays, so that it does not run away from the hand.
  const [held, setHeld] = useState(null);
  return (
    <fieldset class="knobs"><legend>what can be turned</legend>
      {knobs.map((knob) => {
        const range = held?.name === knob.name ? held : knob;
        const set = (value) => turn(knob, typeof knob.value === "boolean" ? String(value) : Number(value).toFixed(decimals(knob.step)).replace(/(\.\d*?[1-9]|\.0)0+$/, "$1"));
        return (
          <label key={knob.name}><span>{knob.name}</span>
            {typeof knob.value === "boolean"
              ? <input type="checkbox" checked={knob.value} onChange={(event) => set(event.target.checked)} />
              : <><input type="range" min={range.low} max={range.high} step={range.step} value={knob.value}
                onPointerDown={() => setHeld(knob)} onPointerUp={() => setHeld(null)} onPointerCancel={() => setHeld(null)}
                onInput={(event) => set(event.target.value)} /><output>{knob.value}</output></>}
          </label>);
      })}
    </fieldset>
  );
}

function Layers({ table, stale, chosen, choose }) {
  return (
    <details class="layers" open><summary>layers</summary>
      <div class={`wide${stale ? " stale" : ""}`} tabindex="0" role="region" aria-label="layers"><table>
        <thead><tr>{table.heads.map((head) => <th key={head.key} scope="col" class={head.right ? "right" : ""}>{head.title}</th>)}</tr></thead>
        <tbody>{table.rows.map((row, i) => (
          <tr key={i} class={`${row.kind}${row.kind === "layer" && chosen?.layer === row.cells[0] ? " chosen" : ""}`}>
            {row.cells.map((cell, j) => (
              <td key={j} class={table.heads[j].right ? "right" : ""}>
                {j === 0 && row.kind === "layer" ? <button class="link" onClick={() => choose({ layer: cell, name: cell })}>{cell}</button> : cell}</td>))}
          </tr>))}</tbody>
      </table></div>
      {table.more > 0 && <p>and {table.more.toLocaleString("en")} more; <code>cnncalc params</code> prints all of them</p>}
      {table.notes.map((note) => <p key={note} class="facts">{note}</p>)}
    </details>
  );
}
