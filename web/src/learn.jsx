// The student's side: lessons, the quiz, and a window that moves.
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { Latest } from "./engine.js";
import { Figure } from "./figure.jsx";
import { Line } from "./works.jsx";

function useLatest(engine, take) {
  const last = useRef();
  last.current = take;
  return useMemo(() => new Latest(engine, (...given) => last.current(...given)), [engine]);
}

const Said = ({ problems }) => problems?.map((each, i) => <p key={i} class="error" role="alert">{each.message}{each.hint && <small>{each.hint}</small>}</p>);

export function Lessons({ engine, words, dark, hidden, start, remember }) {
  const [name, setName] = useState(words.lessons.some((each) => each.name === start?.name) ? start.name : words.lessons[0].name);
  const [numbers, setNumbers] = useState(start?.numbers ?? {});
  const [shown, setShown] = useState(null);
  const [problems, setProblems] = useState(null);
  const latest = useLatest(engine, (answer, question) => {
    setProblems(answer.problems ?? null);
    if (!answer.problems) setShown({ ...answer, name: question.name });
  });
  useEffect(() => { if (!hidden) latest.ask({ ask: "lesson", name, numbers, dark }); }, [name, numbers, dark, hidden]);
  useEffect(() => { remember(() => ({ name, numbers })); }, [name, numbers]);
  const choose = (next) => { setName(next); setNumbers({}); };
  const at = words.lessons.findIndex((each) => each.name === name);
  return (
    <main class="learn" hidden={hidden}>
      <nav aria-label="lessons">{words.lessons.map((each) => (
        <button key={each.name} aria-current={each.name === name ? "true" : undefined} onClick={() => choose(each.name)}>{each.name}</button>))}</nav>
      <article>
        <h1>{name}</h1>
        <p class="claim">{words.lessons[at].claim}</p>
        <Said problems={problems} />
        {shown?.name === name && <>
          {shown.knobs.length > 0 && <fieldset class="knobs"><legend>numbers of this lesson{shown.fixed && ", which only an installed cnncalc changes"}</legend>{shown.knobs.map((knob) => (
            <label key={knob.name}><span>{knob.name}</span>
              <input class="number" type="number" min={knob.low} max={knob.high} step={knob.whole ? 1 : "any"} disabled={shown.fixed} value={knob.value}
                onChange={(event) => { if (event.target.value !== "") setNumbers({ ...numbers, [knob.name]: Number(event.target.value) }); }} />
              <small>{knob.low.toLocaleString("en")} to {knob.high.toLocaleString("en")}</small></label>))}</fieldset>}
          {shown.svg && <Figure svg={shown.svg} stale={Boolean(problems)} />}
          <div class={problems ? "sheet stale" : "sheet"}>{shown.lines.map((line, i) => (
            <div key={i} class={/^ {2}[✓✗]/.test(line) ? (line[2] === "✓" ? "holds" : "fails") : /^ {4}/.test(line) ? "drawn" : ""}>{line || " "}</div>))}</div>
          <p><strong class={shown.passes ? "holds" : "fails"}>{shown.passes ? "all of it holds" : "something does not hold"}</strong>, {shown.checks} checks</p>
        </>}
        <p class="bar"><button disabled={at === 0} onClick={() => choose(words.lessons[at - 1].name)}>← before</button>
          <button disabled={at === words.lessons.length - 1} onClick={() => choose(words.lessons[at + 1].name)}>next →</button></p>
      </article>
    </main>
  );
}

const VERDICTS = { right: "right", convention: "right, by another convention", slip: "a known slip", slips: "two slips", unknown: "not right", skipped: "skipped" };

export function Quiz({ engine, words, hidden, start, remember }) {
  const [game, setGame] = useState({ topic: words.topics.includes(start?.topic) ? start.topic : "all", seed: Number.isSafeInteger(start?.seed) ? start.seed : Math.floor(Math.random() * 1e6), answers: [] });
  const [shown, setShown] = useState(null);
  const [past, setPast] = useState([]);
  const [problem, setProblem] = useState(null);
  const [hint, setHint] = useState(false);
  const field = useRef();
  const ask = async (next) => {
    const answer = await engine.ask({ ask: "quiz", ...next });
    if (answer.problems) return setProblem(answer.problems[0]);
    setProblem(null);
    setHint(false);
    setPast((each) => (answer.last ? [{ question: shown.question, typed: next.answers.at(-1), ...answer.last }, ...each] : []));
    setShown(answer);
    setGame(next);
    if (field.current) field.current.value = "";
    field.current?.focus();
  };
  useEffect(() => { if (!hidden && !shown) ask(game); }, [hidden]);
  useEffect(() => { remember(() => ({ topic: game.topic, seed: game.seed })); }, [game]);
  const again = (topic) => ask({ topic, seed: Math.floor(Math.random() * 1e6), answers: [] });
  const give = (text) => ask({ ...game, answers: [...game.answers, text] });
  return (
    <main class="quiz" hidden={hidden}>
      <div class="bar"><label>topic <select value={game.topic} onChange={(event) => again(event.target.value)}>
        {words.topics.map((each) => <option key={each}>{each}</option>)}</select></label>
        <button onClick={() => again(game.topic)}>begin again</button><small>questions {game.seed}</small></div>
      {shown && <section class="question">
        <h1>Question {shown.number}</h1>
        <p class="asked">{shown.question}</p>
        {hint && <p><code>{shown.hint}</code></p>}
        {problem && <Said problems={[problem]} />}
        <form onSubmit={(event) => { event.preventDefault(); if (field.current.value.trim()) give(field.current.value); }}>
          <input ref={field} aria-label="your answer" placeholder="a number, or arithmetic as 5*5*3*100 + 100" autocomplete="off" maxlength="400" />
          <button class="wanted">answer</button><button type="button" onClick={() => setHint(true)}>hint</button><button type="button" onClick={() => give("skip")}>skip</button>
        </form>
      </section>}
      <section aria-live="polite">{past.map((each) => (
        <article key={past.length - past.indexOf(each)} class={`answer ${each.verdict}`}>
          <p class="facts">{each.question}</p>
          <p><strong>{each.verdict === "skipped" ? "" : each.typed}</strong> <span class="verdict">{VERDICTS[each.verdict]}</span></p>
          {each.said.filter((line) => line !== "right").map((line) => <p key={line}>{line}</p>)}
          <p><code>{each.work}</code></p>
        </article>))}</section>
      {past.length > 0 && <section><h2>So far</h2>{shown.summary.map((line) => <p key={line}>{line}</p>)}</section>}
    </main>
  );
}

const LETTERS = [["N", "size of the map", 1, 20], ["F", "size of the window", 1, 9], ["S", "stride", 1, 6], ["P", "padding", 0, 6], ["D", "dilation", 1, 4]];

export function Window({ engine, dark, hidden, start, remember }) {
  const [letters, setLetters] = useState({ N: 7, F: 3, S: 2, P: 1, D: 1, kind: "conv", ...start });
  const [shown, setShown] = useState(null);
  const [problems, setProblems] = useState(null);
  const latest = useLatest(engine, (answer) => {
    setProblems(answer.problems ?? null);
    if (!answer.problems) setShown(answer);
  });
  useEffect(() => { if (!hidden) latest.ask({ ask: "window", letters, dark }); }, [letters, dark, hidden]);
  useEffect(() => { remember(() => letters); }, [letters]);
  return (
    <main class="window" hidden={hidden}>
      <fieldset class="knobs"><legend>a window on a map</legend>
        <label><span>kind</span><select value={letters.kind} onChange={(event) => setLetters({ ...letters, kind: event.target.value })}>
          {["conv", "pool", "transposed"].map((each) => <option key={each}>{each}</option>)}</select></label>
        {LETTERS.map(([letter, what, low, high]) => (
          <label key={letter}><span><b>{letter}</b> {what}</span>
            <input type="range" min={low} max={high} value={letters[letter]} onInput={(event) => setLetters({ ...letters, [letter]: Number(event.target.value) })} />
            <output>{letters[letter]}</output></label>))}
      </fieldset>
      <Said problems={problems} />
      {shown && <section class={problems ? "stale" : ""}>
        <h1>{shown.said}</h1>
        <Line line={{ label: "O", ...shown.work }} />
        <Figure svg={shown.svg} />
      </section>}
    </main>
  );
}
