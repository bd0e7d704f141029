// Completion and documentation while a spec is written, from the registry of layer types and the spec's own blocks.
import { snippetCompletion } from "@codemirror/autocomplete";

const KEY = /^(\s*(?:- )*)((?:"[^"]*"|'[^']*'|[\w.-]+))\s*:/;

// What a place in the text is inside of: the keys of the mappings around it, the innermost first, and what is given there.
export function around(text, position) {
  const before = text.slice(Math.max(0, position - 20000), position);
  const keys = [];
  let depth = 0, given = "";
  // Braces that are open in the lines just before.
  for (let i = before.length - 1, lines = 0; i >= 0 && lines < 12; i--) {
    const sign = before[i];
    if (sign === "\n") lines++;
    else if (sign === "}" || sign === "]") depth++;
    else if (sign === "[") depth = Math.max(0, depth - 1);
    else if (sign === "{") {
      if (depth) { depth--; continue; }
      const name = /([\w.-]+)\s*:\s*$/.exec(before.slice(0, i));
      given ||= before.slice(i + 1);
      keys.push(name ? name[1] : "");
    }
  }
  const lines = before.split("\n");
  const own = lines.pop();
  let indent = own.length - own.trimStart().length;
  for (let i = lines.length - 1; i >= 0 && indent > 0; i--) {
    const line = lines[i].replace(/(^|\s)#.*$/, "");
    if (!line.trim()) continue;
    const found = KEY.exec(line);
    const level = found ? found[1].replace(/(- )+$/, "").length : line.length - line.trimStart().length;
    if (level < indent) {
      if (found && /:\s*$/.test(line)) keys.push(found[2]);
      indent = level;
    }
  }
  return { keys, given };
}

// The blocks that a text declares, with their arguments.
export function blocks(text) {
  const found = {};
  const part = /^blocks:[^\n]*\n((?:[ \t][^\n]*\n|\s*\n)*)/m.exec(`${text}\n`);
  const names = part ? [...part[1].matchAll(/^ {2}([\w.-]+):/gm)] : [];
  names.forEach((name, i) => {
    const body = part[1].slice(name.index, names[i + 1]?.index);
    const args = /^ {4}args:\s*(?:\[([^\]]*)\]|\n((?: {5,}[^\n]*\n| {4}- [^\n]*\n)*))/m.exec(body);
    const text = args ? args[1] ?? args[2] ?? "" : "";
    found[name[1]] = text.split(/[,\n]/).map((each) => /[A-Za-z_]\w*/.exec(each)?.[0]).filter(Boolean);
  });
  return found;
}

function informed(doc) {
  const box = document.createElement("div");
  box.className = "documentation";
  box.textContent = doc;
  return box;
}

const described = (doc) => (doc ? { info: () => informed(doc) } : {});

export function completing(words) {
  const layers = new Map(words.layers.map((each) => [each.name, each]));
  const types = words.layers.map((layer) => {
    const wanted = layer.arguments.filter((each) => each.required);
    const shape = wanted.length ? `${layer.name}: {${wanted.map((each) => `${each.name}: \${}`).join(", ")}}` : layer.name;
    return snippetCompletion(shape, { label: layer.name, type: "class", ...described(layer.doc) });
  });
  const keys = (entries, type) => entries.map((each) => (
    { label: each.name, apply: `${each.name}: `, type, ...described(each.doc) }));
  const top = keys(words.top, "keyword"), beside = keys(words.beside, "keyword");

  return (context) => {
    const word = context.matchBefore(/[\w.]*/);
    if (word.from === word.to && !context.explicit) return null;
    const text = context.state.doc.toString();
    const line = context.state.doc.lineAt(context.pos);
    const before = line.text.slice(0, word.from - line.from);
    const { keys: inside, given } = around(text, word.from);
    const own = blocks(text);
    const value = /([\w.-]+)\s*:\s*$/.exec(before);
    const answer = (options) => (options.length ? { from: word.from, options, validFor: /^[\w.]*$/ } : null);
    const layer = layers.get(inside[0]);
    if (value && layer) {
      const choices = layer.arguments.find((each) => each.name === value[1])?.choices ?? [];
      return answer(choices.map((each) => ({ label: String(each), type: "constant" })));
    }
    if (layer) {
      const free = layer.arguments.filter((each) => !new RegExp(`\\b${each.name}\\s*:`).test(given));
      return answer(free.map((each) => ({
        label: each.name, apply: `${each.name}: `, type: "property", detail: each.default && `= ${each.default}`,
        boost: each.required ? 2 : 0, ...described(each.doc),
      })));
    }
    if (own[inside[0]] && inside[1] !== "blocks" && !value) {
      return answer(own[inside[0]].map((name) => ({ label: name, apply: `${name}: `, type: "property" })));
    }
    const named = Object.keys(own).map((name) => {
      const shape = own[name].length ? `{${name}: {${own[name].map((each) => `${each}: \${}`).join(", ")}}}` : name;
      return snippetCompletion(value || /\{\s*$/.test(before) ? shape.replace(/^\{(.*)\}$/, "$1") : shape,
        { label: name, type: "function", detail: "block" });
    });
    if (!inside.length && /^\s*$/.test(before) && before === "") return answer(top);
    return answer([...named, ...types, ...beside]);
  };
}

// What the word at a place is, in words; empty where it is none of the language's.
export function documented(words, text, position) {
  const start = text.slice(0, position).search(/[\w.]*$/);
  const word = /^[\w.]*/.exec(text.slice(start))[0];
  if (!word) return null;
  const { keys } = around(text, start);
  const argument = words.layers.find((each) => each.name === keys[0])?.arguments.find((each) => each.name === word);
  const layer = words.layers.find((each) => each.name === word);
  const lineStart = text.lastIndexOf("\n", start - 1) + 1;
  const other = (start === lineStart ? words.top : words.beside).find((each) => each.name === word);
  const doc = argument ? `${word}: ${argument.doc}${argument.default ? ` (= ${argument.default})` : ""}`
    : layer ? `${word}\n${layer.doc}` : other?.doc ? `${word}: ${other.doc}` : "";
  return doc ? { from: start, to: start + word.length, doc } : null;
}
