// The calculator in the reader's browser: Python as WebAssembly, in a worker, with nothing but this folder.
import { loadPyodide } from "./pyodide/pyodide.mjs";

const base = new URL("./", self.location.href);
const usual = self.fetch.bind(self);

// The largest file lies compressed beside the page, since not every server compresses it.
self.fetch = async (resource, options) => {
  const address = String(resource.url ?? resource);
  if (!address.endsWith(".wasm")) return usual(resource, options);
  const packed = await usual(`${address}.z`, options);
  if (!packed.ok) return packed;
  const body = packed.body.pipeThrough(new DecompressionStream("gzip"));
  return new Response(body, { headers: { "Content-Type": "application/wasm" } });
};

const BEGIN = `
import sys
sys.path.insert(0, "/cnncalc")
from cnncalc.page.desk import answer
answer('{"ask": "begin"}')
`;

const file = async (name) => {
  const answer = await usual(new URL(name, base));
  if (!answer.ok) throw new Error(`${name}: ${answer.status}`);
  return answer;
};

// Python's memory once the calculator is loaded, kept for the next visit, where the browser keeps anything.
async function memory(version) {
  if (!self.caches || !version) return { read: async () => undefined, write: async () => {} };
  const place = new URL(`memory.bin`, base).href;
  const open = () => caches.open(`cnncalc-${base.href}-${version}`);
  return {
    read: async () => {
      const kept = await (await open()).match(place);
      return kept ? new Uint8Array(await kept.arrayBuffer()) : undefined;
    },
    write: async (bytes) => (await open()).put(place, new Response(bytes)),
    forget: async () => (await open()).delete(place),
  };
}

async function start() {
  const archive = file("cnncalc.zip").then((answer) => answer.arrayBuffer());
  const lockFileContents = await (await file("pyodide/pyodide-lock.json")).text();
  const { version } = await (await file("specs.json")).json();
  const options = { indexURL: new URL("pyodide/", base).href, lockFileContents };
  const kept = await memory(version);
  const unpack = async (python) => python.unpackArchive(await archive, "zip", { extractDir: "/cnncalc" });
  let python;
  const snapshot = await kept.read().catch(() => undefined);
  if (snapshot) {
    try {
      python = await loadPyodide({ ...options, _loadSnapshot: snapshot });
      await unpack(python);
    } catch {
      python = undefined;
      await kept.forget();
    }
  }
  if (!python) {
    python = await loadPyodide({ ...options, _makeSnapshot: true });
    await unpack(python);
    python.runPython(BEGIN);
    try {
      const bytes = python.makeMemorySnapshot();
      setTimeout(() => kept.write(bytes).catch(() => {}), 4000);
    } catch { /* the next visit begins as this one did */ }
  }
  postMessage({ ready: true });
  return python.globals.get("answer");
}

const answer = start();
answer.catch((error) => postMessage({ failed: `the calculator cannot be loaded: ${error.message ?? error}`.slice(0, 300) }));

self.onmessage = async ({ data }) => {
  const asked = await answer;
  let text;
  try {
    text = asked(data.question);
  } catch (error) {
    const message = String(error).includes("MemoryError") ? "it needs too much memory" : "the calculator failed";
    text = JSON.stringify({ problems: [{ message, hint: String(error).trim().split("\n").pop().slice(0, 200), code: "page" }] });
  }
  postMessage({ id: data.id, answer: text });
};
