// How numbers come about: formula, the numbers in it, the result, and where the formula stands.
export function Works({ works, clear }) {
  if (!works) return null;
  const chosen = works.of;
  if (works.problems) return <section class="works"><p class="facts">{works.problems[0].message}</p></section>;
  return (
    <section class={`works${chosen ? " docked" : ""}`} aria-label="how the numbers come about" aria-live="polite">
      <h2>{chosen ? chosen.name : "totals"}{chosen && <button class="close" onClick={clear} aria-label="close">×</button>}
        {!chosen && <small> choose a box or a layer, and its work is shown</small>}</h2>
      {works.works.map((work) => (
        <details key={work.name} open={works.works.length <= 4}>
          <summary>{work.name}{work.type && <small> {work.type}{work.copies > 0 && `, and ${work.copies} like it`}</small>}</summary>
          {work.lines.map((line, i) => <Line key={i} line={line} />)}
        </details>))}
      {works.more > 0 && <p class="facts">and {works.more} layers more</p>}
    </section>
  );
}

export function Line({ line }) {
  if (!line.formula) return <p><b>{line.label}</b> {line.text}</p>;
  return (
    <p><b>{line.label}</b> = <code>{line.formula}</code>{line.numbers && <> = <code>{line.numbers}</code></>} {line.equals ?? "="} <strong>{line.result}</strong>
      {line.remark && <> <small>{line.remark}</small></>} {line.source && <small class="source">{line.source}</small>}</p>
  );
}
