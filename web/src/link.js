// A view as the part of an address behind #, which no server sees: compressed, and bounded when it is read.
const MOST = 260000;

async function through(bytes, stream, most = Infinity) {
  const reader = new Blob([bytes]).stream().pipeThrough(stream).getReader();
  const parts = [];
  let size = 0;
  for (let read = await reader.read(); !read.done; read = await reader.read()) {
    size += read.value.length;
    if (size > most) throw new Error("too long");
    parts.push(read.value);
  }
  return new Uint8Array(await new Blob(parts).arrayBuffer());
}

export async function written(view) {
  const packed = await through(new TextEncoder().encode(JSON.stringify(view)), new CompressionStream("deflate-raw"));
  let text = "";
  for (let i = 0; i < packed.length; i += 8192) text += String.fromCharCode(...packed.subarray(i, i + 8192));
  return `#view=${btoa(text).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "")}`;
}

// The view of an address; null where there is none, or none that can be read.
export async function read(hash) {
  const found = /^#view=([\w-]{1,200000})$/.exec(hash);
  if (!found) return null;
  try {
    const packed = Uint8Array.from(atob(found[1].replaceAll("-", "+").replaceAll("_", "/")), (c) => c.charCodeAt(0));
    const view = JSON.parse(new TextDecoder().decode(await through(packed, new DecompressionStream("deflate-raw"), MOST)));
    return view && typeof view === "object" && !Array.isArray(view) ? view : null;
  } catch {
    return null;
  }
}
