// The editor of a spec: CodeMirror with YAML, completion, documentation, and errors at their places.
import { autocompletion, closeBrackets, closeBracketsKeymap, completionKeymap } from "@codemirror/autocomplete";
import { defaultKeymap, history, historyKeymap, indentWithTab, redo, undo } from "@codemirror/commands";
import { yaml } from "@codemirror/lang-yaml";
import { bracketMatching, foldGutter, foldKeymap, indentOnInput, indentUnit, syntaxHighlighting } from "@codemirror/language";
import { lintGutter, lintKeymap, setDiagnostics } from "@codemirror/lint";
import { highlightSelectionMatches, searchKeymap } from "@codemirror/search";
import { EditorState } from "@codemirror/state";
import {
  EditorView, drawSelection, highlightActiveLine, hoverTooltip, keymap, lineNumbers,
} from "@codemirror/view";
import { classHighlighter } from "@lezer/highlight";
import { completing, documented } from "./language.js";

// A line and column as cnncalc counts them, in characters, as a place in the text.
function place(doc, { line = 1, column = 1 }) {
  const found = doc.line(Math.min(Math.max(1, line), doc.lines));
  const before = [...found.text].slice(0, column - 1).join("");
  return Math.min(found.from + before.length, found.to);
}

export function editor(parent, { text, words, changed, save, nonce }) {
  const state = (doc) => EditorState.create({
    doc,
    extensions: [
      nonce ? EditorView.cspNonce.of(nonce) : [],
      lineNumbers(), foldGutter(), lintGutter(), history(), drawSelection(), indentOnInput(), indentUnit.of("  "),
      bracketMatching(), closeBrackets(), highlightActiveLine(), highlightSelectionMatches(), EditorView.lineWrapping, yaml(),
      syntaxHighlighting(classHighlighter),
      autocompletion({ override: [completing(words)], icons: false }),
      hoverTooltip((view, position) => {
        const found = documented(words, view.state.doc.toString(), position);
        return found && {
          pos: found.from, end: found.to,
          create: () => {
            const dom = document.createElement("div");
            dom.className = "documentation";
            dom.textContent = found.doc;
            return { dom };
          },
        };
      }),
      keymap.of([
        { key: "Mod-s", preventDefault: true, run: () => { save(); return true; } },
        ...completionKeymap, ...closeBracketsKeymap, ...lintKeymap, ...searchKeymap, ...historyKeymap, ...foldKeymap,
        ...defaultKeymap, indentWithTab,
      ]),
      EditorView.contentAttributes.of({ tabindex: "0", "aria-label": "The spec, in YAML; Escape, then Tab, leaves the editor" }),
      EditorView.updateListener.of((update) => { if (update.docChanged) changed(update.state.doc.toString()); }),
    ],
  });
  const view = new EditorView({ state: state(text), parent });
  return {
    view,
    get text() { return view.state.doc.toString(); },
    // Another text in place of all of it, which can be undone.
    replace(next) {
      view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: next }, selection: { anchor: 0 }, scrollIntoView: true });
    },
    // New values at places that the calculator has told, as (line, column, length).
    write(places, value) {
      const doc = view.state.doc;
      const changes = places.map(([line, column, length]) => {
        const from = place(doc, { line, column });
        return { from, to: from + length, insert: value };
      });
      view.dispatch({ changes });
    },
    problems(list) {
      const doc = view.state.doc;
      const found = list.filter((each) => each.line).map((each) => {
        const from = place(doc, each);
        const word = /^[\w.-]*/.exec(doc.sliceString(from, doc.lineAt(from).to))[0].length;
        return {
          from, to: from + word, severity: each.warning ? "warning" : "error",
          message: each.hint ? `${each.message}\n${each.hint}` : each.message,
        };
      });
      view.dispatch(setDiagnostics(view.state, found));
    },
    go(where) {
      view.dispatch({ selection: { anchor: place(view.state.doc, where) }, scrollIntoView: true });
      view.focus();
    },
    undo: () => undo(view),
    redo: () => redo(view),
  };
}
