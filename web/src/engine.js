// Who answers: a server on this computer, or the calculator itself in a worker of this browser. Both take a question,
// an object whose `ask` names it, and promise its answer, which has `problems` where something is wrong.

const DEADLINE_MS = 8000, START_MS = 120000;

const failed = (message, hint = "") => ({ problems: [{ message, hint, code: "page" }] });

class Served {
  saves = true;

  async ask(question) {
    return this.post("ask", question);
  }

  async post(where, body) {
    try {
      const answer = await fetch(where, {
        method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body),
      });
      const type = answer.headers.get("Content-Type") ?? "";
      return type.startsWith("application/json") ? await answer.json() : failed(`the server says ${answer.status}`);
    } catch {
      return failed("cnncalc serve does not answer", "is it still running in the terminal?");
    }
  }

  async words() {
    return this.ask({ ask: "words" });
  }

  // The file that the command named: its name, its text, and the stamp that saving wants back.
  async opened() {
    const answer = await fetch("file");
    return answer.json();
  }

  async save(text, stamp) {
    return this.post("save", { text, stamp });
  }
}

class Worked {
  saves = false;
  waiting = new Map();
  next = 0;

  constructor(tell, site) {
    this.tell = tell;
    this.site = site;
    this.start();
  }

  start() {
    this.worker = new Worker(new URL("calculator.js", document.baseURI), { type: "module" });
    this.ready = false;
    this.worker.onmessage = ({ data }) => {
      if (data.progress) this.tell(data.progress);
      if (data.ready) {
        this.ready = true;
        this.tell("");
        for (const each of this.waiting.values()) this.limit(each);
      }
      if (data.failed) this.fail(data.failed);
      const each = this.waiting.get(data.id);
      if (each) this.done(data.id, JSON.parse(data.answer));
    };
    this.worker.onerror = (event) => this.fail(event.message || "the calculator cannot be loaded");
  }

  ask(question) {
    return new Promise((resolve) => {
      const id = this.next++, each = { id, question, resolve };
      this.waiting.set(id, each);
      each.timer = setTimeout(() => this.late(), START_MS);
      if (this.ready) this.limit(each);
      this.worker.postMessage({ id, question: JSON.stringify(question) });
    });
  }

  limit(each) {
    clearTimeout(each.timer);
    each.timer = setTimeout(() => this.late(), DEADLINE_MS);
  }

  done(id, answer) {
    const each = this.waiting.get(id);
    clearTimeout(each.timer);
    this.waiting.delete(id);
    each.resolve(answer);
  }

  fail(why) {
    this.tell(why);
    for (const id of [...this.waiting.keys()]) this.done(id, failed(why));
  }

  // What takes too long is ended, and with it the worker; a new one takes its place.
  late() {
    this.worker.terminate();
    for (const id of [...this.waiting.keys()]) this.done(id, failed(`not done after ${DEADLINE_MS / 1000} s`, "a smaller network"));
    this.start();
  }

  async words() {
    return (await fetch("words.json")).json();
  }

  async opened() {
    return this.site;
  }
}

// Files are kept from the first one on, so that each comes once; without a place for them the page works as well.
async function keeping({ version, files }) {
  if (!navigator.serviceWorker) return;
  const keeper = navigator.serviceWorker;
  const before = keeper.controller && new URL(keeper.controller.scriptURL).searchParams.get("version");
  const taken = new Promise((resolve) => keeper.addEventListener("controllerchange", resolve, { once: true }));
  await keeper.register(`offline.js?version=${version}`);
  if (before !== version) await Promise.race([taken, new Promise((resolve) => setTimeout(resolve, 2000))]);
  const now = keeper.controller && new URL(keeper.controller.scriptURL).searchParams.get("version");
  if (before && before !== now) location.reload(); // the page itself is of the version before
  keeper.addEventListener("message", () => { document.documentElement.dataset.kept = "true"; });
  setTimeout(() => keeper.controller?.postMessage(files), 5000);
}

export async function engine(tell) {
  if (document.querySelector('meta[name="engine"]')?.content === "serve") return new Served();
  const site = await (await fetch("specs.json")).json();
  await keeping(site).catch(() => {});
  return new Worked(tell, site);
}

// Asks the newest question only: while one is answered, those that come meanwhile replace each other.
export class Latest {
  constructor(engine, take) {
    this.engine = engine;
    this.take = take;
  }

  ask(question) {
    this.pending = question;
    if (!this.busy) this.turn();
  }

  async turn() {
    this.busy = true;
    while (this.pending) {
      const question = this.pending;
      this.pending = null;
      const answer = await this.engine.ask(question);
      this.take(answer, question, Boolean(this.pending));
    }
    this.busy = false;
  }
}
