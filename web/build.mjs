// Builds the page into the package: one script, one for the calculator in the reader's browser, one for use offline.
import { build } from "esbuild";
import { copyFileSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const out = process.argv[2] ?? join(here, "..", "cnncalc", "page", "built");
const common = {
  bundle: true, format: "esm", target: "es2022", minify: true, legalComments: "none", charset: "utf8",
  jsx: "automatic", jsxImportSource: "preact", absWorkingDir: here, metafile: true, logLevel: "warning",
};

const page = await build({ ...common, entryPoints: ["src/main.jsx"], outfile: join(out, "app.js") });
await build({ ...common, entryPoints: ["src/calculator.js"], outfile: join(out, "calculator.js"), external: ["./pyodide/*"] });
await build({ ...common, entryPoints: ["src/offline.js"], outfile: join(out, "offline.js") });
await build({ ...common, entryPoints: ["src/style.css"], outfile: join(out, "app.css") });
copyFileSync(join(here, "src", "index.html"), join(out, "index.html"));

// The licences of all that is in the script.
const packages = new Set();
for (const input of Object.keys(page.metafile.inputs)) {
  const found = input.match(/node_modules\/((?:@[^/]+\/)?[^/]+)\//);
  if (found) packages.add(found[1]);
}
const licences = [...packages].sort().map((name) => {
  const folder = join(here, "node_modules", name);
  const file = readdirSync(folder).find((each) => /^licen[cs]e/i.test(each));
  const { version } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  return `${name} ${version}\n\n${readFileSync(join(folder, file), "utf8").trim()}\n`;
});
writeFileSync(join(out, "LICENSES.txt"), licences.join(`\n${"-".repeat(72)}\n\n`));
